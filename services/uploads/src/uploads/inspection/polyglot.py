"""A file that is also something else: another program would open the same bytes as an archive or a web page."""

from __future__ import annotations

import re
from typing import Final

from uploads.inspection.refusal import Refused

_ZIP_TAIL: Final = 65_557
"""How far from the end an unzipper looks for the end of a ZIP archive: its record and the longest comment."""
_ANYWHERE: Final = ((b"Rar!\x1a\x07", "a RAR archive"), (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"))
_AT: Final = ((257, b"ustar", "a tar archive"), (32_769, b"CD001", "a disk image"))
_MARKUP: Final = re.compile(
    rb"<\s*(?:script|html|iframe|body|object|embed|svg|meta|link|\?php|!doctype\s+html)\b|<\?(?:php|=)", re.I
)


def check(data: bytes, label: str) -> None:
    """Refuses bytes of a file of one kind in which an unpacker would find an archive."""
    what = next((what for offset, magic, what in _AT if data.startswith(magic, offset)), None)
    what = what or next((what for magic, what in _ANYWHERE if magic in data), None)
    if what is None and _ends_as_zip(data):
        what = "a ZIP archive"
    if what is not None:
        raise Refused(
            "malformed_file", f"The {label} is {what} at the same time. Save it as a new {label} and upload that."
        )


def has_markup(data: bytes) -> bool:
    """Whether a browser that guessed the type would find a page or a script in these bytes."""
    return _MARKUP.search(data) is not None


def _ends_as_zip(data: bytes) -> bool:
    """Whether there is an end record that some directory entry goes with, wherever the offsets point."""
    lowest = max(0, len(data) - _ZIP_TAIL)
    end = len(data)
    while (end := data.rfind(b"PK\x05\x06", lowest, end)) >= 0:
        size = int.from_bytes(data[end + 12 : end + 16], "little")
        if data.startswith(b"PK\x01\x02", max(0, end - size)) or data.find(b"PK\x01\x02", lowest, end) >= 0:
            return True
    return False
