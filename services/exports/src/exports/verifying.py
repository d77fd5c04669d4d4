"""What is to be verified of a file that streams through and is not kept: its sha256, and the content hash inside it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from typing import Any

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from common.errors import InvalidRequest, TooLarge, ValidationFailed

MAX_FRAMING_BYTES = 64 * 1024
"""What a multipart body may have besides the file: boundaries, part headers, other fields."""


_CONTENT = re.compile(rb"content ([0-9a-f]{64})")
_LONGEST = len("content ") + 64


class _FilePart:
    """Hashes the bytes of the first part named `file`, and looks for the content hash that we write into every file."""

    def __init__(self, limit: int) -> None:
        self.digest = hashlib.sha256()
        self.size = 0
        self.found = False
        self.content_key: str | None = None
        self._tail = b""
        self._limit = limit
        self._in_file = False
        self._header = b""
        self._value = b""

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_part_data": self._data,
            "on_header_field": self._field,
            "on_header_value": self._add_value,
            "on_header_end": self._header_end,
        }

    def _begin(self) -> None:
        self._in_file = False
        self._header = self._value = b""

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition" and not self.found:
            _, options = parse_options_header(self._value)
            self._in_file = self.found = options.get(b"name") == b"file"
        self._header = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self.size += end - start
            if self.size > self._limit:
                raise TooLarge("This file is too large to be one of ours.", limit=self._limit)
            self.digest.update(memoryview(data)[start:end])
            seen = self._tail + data[start:end]
            if self.content_key is None and (match := _CONTENT.search(seen)):
                self.content_key = match[1].decode()
            self._tail = seen[-_LONGEST:]


async def read_upload(body: AsyncIterator[bytes], content_type: str, *, limit: int) -> tuple[str, str | None]:
    """The sha256 of the part `file` of a multipart body, and the content hash that it carries, if it does.

    Raises InvalidRequest for a body that is no multipart, ValidationFailed without the part, TooLarge past the limit.
    """
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise InvalidRequest("The multipart body has no boundary.")
    part = _FilePart(limit)
    received = 0
    try:
        parser = MultipartParser(boundary, part.callbacks())
        async for chunk in body:
            received += len(chunk)
            if received > limit + MAX_FRAMING_BYTES:
                raise TooLarge(limit=limit)
            parser.write(chunk)
        parser.finalize()
    except MultipartParseError as error:
        raise InvalidRequest("The multipart body is malformed.") from error
    if not part.found:
        raise ValidationFailed([{"field": "file", "message": "Send the file as the part `file`."}])
    return part.digest.hexdigest(), part.content_key
