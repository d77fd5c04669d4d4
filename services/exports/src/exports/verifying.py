"""The sha256 to verify: named in JSON, or taken of a file that streams through and is not kept."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from common.errors import InvalidRequest, TooLarge, ValidationFailed

MAX_FRAMING_BYTES = 64 * 1024
"""What a multipart body may have besides the file: boundaries, part headers, other fields."""


class _FilePart:
    """Feeds the bytes of the first part named `file` into a hash."""

    def __init__(self, limit: int) -> None:
        self.digest = hashlib.sha256()
        self.size = 0
        self.found = False
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


async def sha256_of_upload(body: AsyncIterator[bytes], content_type: str, *, limit: int) -> str:
    """The sha256 of the part `file` of a multipart body.

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
    return part.digest.hexdigest()
