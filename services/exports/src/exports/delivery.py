"""HTTP's rules for handing out a file: names, ranges, conditions. Pure functions of header values."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import quote

from exports.errors import UnsatisfiableRange

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE)


def content_disposition(filename: str) -> str:
    """`attachment` with an ASCII name for old clients and the true one beside it (RFC 6266)."""
    ascii_name = unicodedata.normalize("NFKD", filename).encode("ascii", "ignore").decode()
    ascii_name = re.sub(r"[^A-Za-z0-9 .,()&+-]", "", ascii_name).strip()
    stem, dot, extension = ascii_name.rpartition(".")
    ascii_name = f"{stem.strip() or 'proposal'}{dot}{extension}"
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(filename, safe='')}"


def is_unchanged(if_none_match: str | None, etag: str) -> bool:
    """Whether the client holds this very version already (RFC 9110, weak comparison)."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag in tags


def byte_range(header: str | None, if_range: str | None, etag: str, size: int) -> tuple[int, int] | None:
    """The one range that is asked for, as start and end (not included); None when the whole file is to be sent.

    Several ranges, a malformed header, or an `If-Range` for another version: the whole file, as RFC 9110 allows.
    Raises UnsatisfiableRange when the range lies behind the end.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or (if_range is not None and if_range.strip() != etag):
        return None
    first, last = match.groups()
    if not first and not last:
        return None
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < int(first):
            return None
    if start >= size or start >= end:
        raise UnsatisfiableRange(headers={"Content-Range": f"bytes */{size}"})
    return start, end
