"""For tests: the fake as a process of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from types import TracebackType
from typing import Any

import httpx


class FakeProcess:
    """`python -m ai_fake` on a free port, as a context manager."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        self._http = httpx.Client(base_url=f"{self.url}/_fake/", trust_env=False)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> FakeProcess:
        port = self.url.rpartition(":")[2]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ai_fake", "--port", port],
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stderr=subprocess.DEVNULL,  # a cut stream is told there with a traceback
        )
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                if self._http.get("health").status_code == 200:
                    return self
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError("the fake did not come up")

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._http.close()

    def say(self, vendor: str, *answers: dict[str, Any]) -> None:
        """The vendor's next answers."""
        self._post("script", {"vendor": vendor, "answers": list(answers)})

    def always(self, vendor: str, answer: dict[str, Any]) -> None:
        """What the vendor answers when nothing else is waiting."""
        self._post("script", {"vendor": vendor, "always": answer})

    def reset(self) -> None:
        """Forgets everything."""
        self._post("reset", {})

    def asked(self, vendor: str = "") -> list[dict[str, Any]]:
        """What was asked, oldest first."""
        items: list[dict[str, Any]] = self._http.get("asked").json()["items"]
        return [item for item in items if not vendor or item["vendor"] == vendor]

    def _post(self, path: str, body: dict[str, Any]) -> None:
        answer = self._http.post(path, content=json.dumps(body))  # httpx's own JSON refuses half a surrogate pair
        assert answer.status_code == 200, answer.text
