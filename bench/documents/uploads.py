#!/usr/bin/env python3
"""What a document costs on its way in: memory and speed of an upload, text out of PDFs and scans, bombs.

    .venv/bin/python bench/documents/uploads.py [--only memory receiving extraction ocr bombs]

Peers are the buffered `form()` of Starlette and `pypdf` (`uv pip install pypdf`; without it that figure is missed).
Times depend on the machine; the ratios are what to compare. Exit code 1 when a figure is past its limit.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:] = [path for path in sys.path if Path(path).resolve() != HERE]  # this file is called as the service is
sys.path[:0] = [str(HERE.parent), str(ROOT / "services/uploads/tests/unit")]

import builders  # noqa: E402  # these three after the path that leads to them
from edge_stack import free_port, sign_in, wait_for_port  # noqa: E402
from measuring import Verdict, bidwright  # noqa: E402

MIB = 1 << 20
WORDS = re.findall(
    r"\w+",
    """the applicant shall describe work plan budget outcome community partner evaluation quarter funding report project
    schedule measure result staff travel equipment match letter support narrative question answer section page
    deadline""",
)
SIZES = (10, 50, 150)
CALM_SECONDS = 3


def main() -> int:
    """Runs the parts that were asked for."""
    parts: dict[str, Callable[[Verdict, Path], None]] = {
        "memory": memory, "receiving": receiving, "extraction": extraction, "ocr": ocr, "bombs": bombs,
    }  # fmt: skip
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", choices=parts, default=list(parts))
    verdict = Verdict()
    with tempfile.TemporaryDirectory() as folder:
        for name in parser.parse_args().only:
            print(name)
            parts[name](verdict, Path(folder))
    return 1 if verdict.missed else 0


# --- memory and speed of an upload ------------------------------------------------------------------------------------


def text_of(mebibytes: int) -> Iterator[bytes]:
    """Lines that no two runs share."""
    line = f"{random.random()} is what this line says, over and over again.\n".encode()
    block = (line * (MIB // len(line) + 1))[:MIB]
    return (block for _ in range(mebibytes))


def send(url: str, mebibytes: int, headers: dict[str, str]) -> tuple[int, float]:
    """One multipart upload, streamed; its status and seconds, without those of making its bytes."""
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    tail = b"\r\n--b--\r\n"
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=300)
    blocks = text_of(mebibytes)
    began = time.monotonic()
    connection.putrequest("POST", parts.path)
    sent = {"Content-Type": "multipart/form-data; boundary=b", **headers}
    for name, value in (sent | {"Content-Length": str(len(head) + mebibytes * MIB + len(tail))}).items():
        connection.putheader(name, value)
    connection.endheaders(head)
    for block in blocks:
        connection.send(block)
    connection.send(tail)
    answer = connection.getresponse()
    answer.read()
    return answer.status, time.monotonic() - began


def send_in_pieces(base: str, mebibytes: int, headers: dict[str, str]) -> int:
    """One upload by tus; the status of its completion."""
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=300)
    tus = {"Tus-Resumable": "1.0.0", **headers}

    def ask(method: str, path: str, **more: str) -> http.client.HTTPResponse:
        connection.request(method, path, headers=tus | {name.replace("_", "-"): value for name, value in more.items()})
        answer = connection.getresponse()
        answer.read()
        return answer

    length = mebibytes * MIB
    at = ask("POST", "/api/uploads/resumable", Upload_Length=str(length), Upload_Metadata="filename YS50eHQ=")
    place = at.headers["Location"]
    connection.putrequest("PATCH", place)
    said = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0", "Content-Length": str(length)}
    for name, value in (tus | said).items():
        connection.putheader(name, value)
    connection.endheaders()
    for block in text_of(mebibytes):
        connection.send(block)
    connection.getresponse().read()
    return ask("POST", f"{place}/complete").status


def peak_mib(pid: int) -> float:
    """The most that a process has had in memory since `forget_peak`."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]  # Linux always has the line


def memory(verdict: Verdict, folder: Path) -> None:
    """The service's own memory while files of any size come in, at the edge of a whole stack."""
    data = ("--data", str(folder / "stack"))
    caps = (f"FILE_UPLOAD_MAX_BYTES={200 * MIB}", f"QUOTA_STORAGE_BYTES_FREE={10_000 * MIB}", "DEBUG=1")
    bidwright("up", "--detach", *data, "--port", str(port := free_port()), *caps)
    try:
        part = next(p for p in json.loads(bidwright("status", *data, "--json")) if p["name"] == "uploads")
        pid, base = int(part["pid"]), f"http://127.0.0.1:{port}"
        headers = {"Cookie": sign_in("", base), "Origin": base}
        send(f"{base}/api/uploads", 1, headers)  # what it loads with the first one is no matter of size
        time.sleep(CALM_SECONDS)  # what the first one started in the background ends
        Path(f"/proc/{pid}/clear_refs").write_text("5")
        idle = peak_mib(pid)
        print(f"  idle {idle:.0f} MiB")
        for size in SIZES:
            status, _ = send(f"{base}/api/uploads", size, headers)
            verdict(f"{size} MiB at once ({status}): above idle", peak_mib(pid) - idle, "MiB", most=25)
        for size in SIZES:
            status = send_in_pieces(base, size, headers)
            verdict(f"{size} MiB in pieces ({status}): above idle", peak_mib(pid) - idle, "MiB", most=25)
    finally:
        bidwright("down", *data)


RECEIVERS = {
    "ours": """
from pathlib import Path
from uuid import uuid4
from starlette.responses import Response
from common.storage import ObjectStore
from uploads.receiving import boundary_of, receive
from uploads.staging import Staging
async def take(request, folder):
    staging = Staging(Path(folder) / "staging", objects=None, buffer_bytes=1 << 20)
    async with staging.new() as staged:
        await receive(request.stream(), boundary_of(request.headers["content-type"]), staged, limit=1 << 32)
        await ObjectStore(f"file://{folder}/objects").put(uuid4(), staged.sha256, staged.path)
    return Response()
""",
    "form()": """
import hashlib, os
from pathlib import Path
from uuid import uuid4
from starlette.responses import Response
async def take(request, folder):
    data = await (await request.form())["file"].read()
    path = Path(folder) / f"{hashlib.sha256(data).hexdigest()}-{uuid4()}"
    with path.open("wb") as file:
        file.write(data)
        os.fsync(file.fileno())
    return Response()
""",
}
SERVED = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
async def handle(request):
    return await take(request, sys.argv[2])
uvicorn.run(Starlette(routes=[Route("/", handle, methods=["POST"])]), port=int(sys.argv[1]), log_level="error")
"""


def receiving(verdict: Verdict, folder: Path) -> None:
    """The same file, received, hashed and stored by our way and by a buffered form."""
    rates = {}
    for name, code in RECEIVERS.items():
        place = folder / re.sub(r"\W", "", name)
        place.mkdir()
        process = subprocess.Popen([sys.executable, "-c", code + SERVED, str(port := free_port()), str(place)])
        try:
            wait_for_port(port)
            took = min(send(f"http://127.0.0.1:{port}/", 300, {})[1] for _ in range(3))
            rates[name] = 300 / took
            print(f"  {name}: {rates[name]:.0f} MiB/s, at most {peak_mib(process.pid):.0f} MiB in memory")
        finally:
            process.kill()
            process.wait()
    verdict("ours against form()", rates["ours"] / rates["form()"], "x", least=1.5)


# --- text -------------------------------------------------------------------------------------------------------------


def prose(words: int) -> str:
    """Words in sentences, the same in every run."""
    chance = random.Random(6)
    sentences, text = [], []
    for _ in range(words):
        text.append(chance.choice(WORDS))
        if len(text) >= 12:
            sentences.append(" ".join(text).capitalize() + ".")
            text = []
    return " ".join(sentences)


def best(run: Callable[[], object], rounds: int = 3) -> float:
    """The least of some times."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return min(times)


def extraction(verdict: Verdict, folder: Path) -> None:
    """99 pages: our reader and pypdf, both in this process; and ours as the worker runs it."""
    import typst

    from uploads.extraction import Options, extract

    path = folder / "99.pdf"
    pages = "#pagebreak()\n".join(f"= Part {number}\n{prose(400)}\n" for number in range(99))
    path.write_bytes(typst.compile(pages.encode(), format="pdf"))  # type: ignore[arg-type]  # one file, so bytes
    ours = best(lambda: list(extract("pdf", path, Options())))
    print(
        f"  ours: {ours * 1000:.0f} ms; in the child, with its start: {best(lambda: read(path, 'pdf')) * 1000:.0f} ms"
    )
    try:
        from pypdf import PdfReader  # type: ignore[import-not-found]  # a peer alone, in none of our locks
    except ImportError:
        verdict("against pypdf, which is not installed", 0, "x", least=10)
        return
    theirs = best(lambda: [page.extract_text() for page in PdfReader(path).pages], 2)
    print(f"  pypdf: {theirs * 1000:.0f} ms")
    verdict("against pypdf", theirs / ours, "x", least=10)


def read(path: Path, kind: str) -> str:
    """The text of a file, read as the worker reads it."""
    from uploads import sandbox
    from uploads.extraction import Options

    async def pages() -> str:
        found = sandbox.extract(kind, path, Options(), sandbox.Limits(1 << 30, 300, 300))  # type: ignore[arg-type]  # our names
        return "\n".join([page.text async for page in found])

    return asyncio.run(pages())


def ocr(verdict: Verdict, folder: Path) -> None:
    """One page at 300 dpi: errors for each character, and memory of the child with its OCR program."""
    import pypdfium2
    import typst
    from PIL import Image, ImageChops

    text = prose(350)
    page = typst.compile(f'#set page(paper: "a4")\n#set text(size: 11pt)\n{text}'.encode(), format="pdf")
    clean = pypdfium2.PdfDocument(bytes(page))[0].render(scale=300 / 72, grayscale=True).to_pil().convert("L")
    noise = Image.effect_noise(clean.size, 40)  # so much that tesseract alone finds no word
    variants = {
        "clean": (clean, 0.5),
        "noisy": (ImageChops.add(clean, noise, 1, -128), 0.5),
        "2 degrees off": (clean.rotate(2, fillcolor=255, resample=Image.Resampling.BICUBIC), 0.5),
    } | {f"{turn} degrees": (clean.rotate(turn, expand=True), 2.0) for turn in (90, 180, 270)}
    for name, (picture, most) in variants.items():
        path = folder / "page.png"
        picture.save(path)
        began = time.perf_counter()
        with Peak() as peak:
            seen = read(path, "png")
        error = 100 * distance(" ".join(seen.split()), text) / len(text)
        verdict(f"{name}: errors ({time.perf_counter() - began:.1f} s)", error, "%", most=most)
        verdict(f"{name}: memory of the child and tesseract", peak.mib, "MiB", most=100)


def distance(one: str, other: str) -> int:
    """Levenshtein's."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(other, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
    return row[-1]


class Peak:
    """The most that all processes below this one have in memory together while the block runs (shared pages once)."""

    def __enter__(self) -> Peak:
        self.mib, self._on = 0.0, True
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._on = False
        self._thread.join()

    def _look(self) -> None:
        while self._on:
            self.mib = max(self.mib, sum(map(_pss, _below(os.getpid()))) / 1024)
            time.sleep(0.02)  # between two looks


def _below(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for word in task.read_text().split():
                yield int(word)
                yield from _below(int(word))


def _pss(pid: int) -> int:
    with contextlib.suppress(OSError):
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
        return int(found[1]) if found else 0
    return 0


# --- bombs ------------------------------------------------------------------------------------------------------------


def bombs(verdict: Verdict, folder: Path) -> None:
    """Files that grow without end when they are opened: how long until the child is stopped, and what it took."""
    from uploads import sandbox
    from uploads.bootstrap import INSPECTION_LIMITS
    from uploads.inspection import Caps, Refused

    sparse = b"\0" * (300 << 20)
    made = {
        ("a page of a PDF", "pdf"): builders.flate_bomb(),
        ("a DOCX", "docx"): builders.docx({"word/media/big.bmp": sparse}),
        ("text in a DOCX", "docx"): builders.docx(
            {"word/document.xml": b"<a>" + sparse.replace(b"\0", b" ") + b"</a>"}
        ),
    }
    for (name, kind), data in made.items():
        path = folder / "bomb"
        path.write_bytes(data)
        for task in ("checked", "read"):
            began = time.perf_counter()
            with Peak() as peak, contextlib.suppress(sandbox.ChildFailed, Refused):
                if task == "read":
                    read(path, kind)
                else:
                    asyncio.run(sandbox.inspect(kind, path, Caps(), INSPECTION_LIMITS))  # type: ignore[arg-type]  # our names
            verdict(f"{name}, {task}: stopped after", time.perf_counter() - began, "s", most=15)
            verdict(f"{name}, {task}: memory", peak.mib, "MiB", most=1024)


if __name__ == "__main__":
    sys.exit(main())
