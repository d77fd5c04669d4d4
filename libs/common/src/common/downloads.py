"""Handing out a stored file: its name, ranges, conditions (RFC 9110), and headers that keep it from being run."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Depends, Header, Request, Response
from fastapi.responses import StreamingResponse

from common.errors import UnsatisfiableRange

ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    206: {"description": "The range that was asked for"},
    304: {"description": "Not modified"},
    416: {"description": "The range lies behind the end of the file"},
}
"""For a route's `responses`."""
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE)


def content_disposition(filename: str) -> str:
    """`attachment` with an ASCII name for old clients and the true one beside it (RFC 6266)."""
    ascii_name = unicodedata.normalize("NFKD", filename).encode("ascii", "ignore").decode()
    ascii_name = re.sub(r"[^A-Za-z0-9 .,()&+-]", "", ascii_name).strip()
    stem, dot, extension = ascii_name.rpartition(".")
    ascii_name = f"{stem.strip() or 'file'}{dot}{extension}"
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


class Conditions:
    """What a client says about the file that it wants; a dependency of the route."""

    def __init__(
        self,
        request: Request,
        range_header: Annotated[str | None, Header(alias="Range")] = None,
        if_range: Annotated[str | None, Header()] = None,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> None:
        self.is_head = request.method == "HEAD"
        self.range, self.if_range, self.if_none_match = range_header, if_range, if_none_match


WithConditions = Annotated[Conditions, Depends()]


@dataclass(frozen=True, slots=True)
class Download:
    """A stored file, as it is handed out: to be saved, never shown in place."""

    filename: str
    media_type: str
    sha256: str
    size: int

    async def answer(
        self, wanted: Conditions, open_bytes: Callable[[int, int], Awaitable[AsyncIterator[bytes]]]
    ) -> Response:
        """The response. Raises UnsatisfiableRange, and what `open_bytes` raises.

        Args:
            open_bytes: the bytes from a start up to, not including, an end.
        """
        etag = f'"{self.sha256}"'
        headers = {
            "ETag": etag,
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-cache",
            "Content-Disposition": content_disposition(self.filename),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        }
        if is_unchanged(wanted.if_none_match, etag):
            return Response(status_code=304, headers=headers)
        part = None if wanted.is_head else byte_range(wanted.range, wanted.if_range, etag, self.size)
        start, end = part or (0, self.size)
        body = await open_bytes(start, end)
        # The type goes in as a header: Starlette would add a charset of its own to text.
        headers["Content-Type"] = self.media_type
        headers["Content-Length"] = str(end - start)
        if part is not None:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{self.size}"
        if wanted.is_head:
            return Response(headers=headers)
        return StreamingResponse(body, status_code=206 if part else 200, headers=headers)
