"""The sandboxed child: opens files that nobody trusts, under limits, and says on stdout what it found.

Started as `python -m uploads.child` with one JSON request on stdin; answers in JSON lines: `{"page": ...}` for each
page, then `{"done": true}`, or `{"refused": code, "detail": text}`, or `{"error": text}`. When it dies instead (a bomb,
a parser that crashes), only it dies. Keep the imports at the top to the standard library: every upload waits for this.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import resource
import signal
import sys
from pathlib import Path
from typing import Any, Final

_PR_SET_PDEATHSIG: Final = 1


def main() -> int:
    """Answers the one request on stdin."""
    _die_with_parent()
    request: dict[str, Any] = json.loads(sys.stdin.buffer.read())
    _limit(
        memory=int(request["memory_bytes"]),
        cpu=int(request["cpu_seconds"]),
        output=int(request.get("output_bytes", 0)),
    )
    try:
        _answer(request)
    except MemoryError:
        _say({"error": "memory"})
        return 1
    except Exception as error:  # noqa: BLE001 -- any parser may raise anything; the parent decides what that means
        _say({"error": f"{type(error).__name__}: {error}"[:500]})
        return 1
    return 0


def _answer(request: dict[str, Any]) -> None:
    path = Path(request["path"])
    if request["task"] == "inspect":
        from uploads.inspection import Caps, Refused, check_structure

        try:
            check_structure(request["kind"], path, Caps(**request["options"]))
        except Refused as refused:
            _say({"refused": refused.code, "detail": refused.detail})
            return
    elif request["task"] == "encode":
        from uploads.extraction.picture import encode

        encode(request["kind"], path, Path(request["target"]))
    else:
        from uploads.extraction import Options, extract

        for page in extract(request["kind"], path, Options(**request["options"])):
            _say({"page": {"number": page.number, "text": page.text, "ocr": page.ocr, "total": page.total}})
    _say({"done": True})


def _say(message: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(message).encode("ascii") + b"\n")
    sys.stdout.buffer.flush()


def _limit(*, memory: int, cpu: int, output: int) -> None:
    """What this process and the programs it starts may use."""
    for name, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, output),
        (resource.RLIMIT_NOFILE, 64),
    ):
        with contextlib.suppress(ValueError, OSError):  # a platform without this limit still has the parent's clock
            resource.setrlimit(name, (value, value))


def _die_with_parent() -> None:
    """A killed worker takes its child with it (Linux; elsewhere the CPU limit ends it)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
