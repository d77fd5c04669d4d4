"""The inside of a file: the check of its kind, chosen by name. Runs in the sandboxed child."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from uploads.inspection.kinds import KindName


@dataclass(frozen=True, slots=True)
class Caps:
    """How large a file may become when it is opened."""

    image_pixels: int = 64_000_000
    unpacked_bytes: int = 256 * 1024 * 1024
    unpacked_ratio: int = 120
    archive_members: int = 5_000
    pdf_objects: int = 1_000_000


def check_structure(kind: KindName, path: Path, caps: Caps) -> None:
    """Raises `Refused` when the file is broken, encrypted or active; each check translates its parser's errors."""
    _checks()[kind](path, caps)


def _checks() -> dict[KindName, Callable[[Path, Caps], None]]:
    from uploads.inspection import docx, image, pdf, text

    return {
        "pdf": pdf.check,
        "docx": docx.check,
        "png": image.check_png,
        "jpeg": image.check_jpeg,
        "text": text.check,
    }
