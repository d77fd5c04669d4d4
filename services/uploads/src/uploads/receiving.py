"""Receives a multipart form as a stream: one file, hashed and written as it comes, and a few short fields."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import unquote

import python_multipart.multipart as multipart
from python_multipart.exceptions import FormParserError

from common.errors import ValidationFailed
from uploads.errors import FileTooLarge, MalformedMultipart, NotMultipart
from uploads.staging import StagedFile

FORM_OVERHEAD_BYTES: Final = 64 * 1024
"""What boundaries, headers and fields may add to the file in a request's length."""
_FIELD_BYTES: Final = 1024
_EXTENDED_NAME: Final = re.compile(r";\s*filename\*=utf-8'[^']*'([^;\s]+)", re.I)

_Step = tuple[Literal["begin", "header", "headers", "data", "end"], bytes, bytes]


@dataclass
class Received:
    """What a form contained, besides the bytes."""

    filename: str | None = None
    declared_type: str | None = None
    fields: dict[str, str] = field(default_factory=dict)


def check_length(content_length: str | None, limit: int) -> None:
    """Refuses a request by its announced length, before any of it is read."""
    announced = int(content_length) if content_length and content_length.isascii() and content_length.isdigit() else 0
    if announced > limit + FORM_OVERHEAD_BYTES:
        raise FileTooLarge(limit=limit)


def boundary_of(content_type: str | None) -> bytes:
    """The boundary of a multipart/form-data request; refused when it is anything else."""
    media_type, options = multipart.parse_options_header(content_type or "")
    if media_type != b"multipart/form-data":
        raise NotMultipart
    if not options.get(b"boundary"):
        raise MalformedMultipart
    return options[b"boundary"]


async def receive(chunks: AsyncIterator[bytes], boundary: bytes, staged: StagedFile, *, limit: int) -> Received:
    """Reads the form to its end into `staged`; stops reading as soon as more than `limit` bytes of file have come."""
    parser = _Form(boundary)
    received = Received()
    total = 0
    async for chunk in chunks:
        total += len(chunk)
        for data in parser.feed(chunk, received):
            await staged.write(data)
            if staged.size > limit:
                raise FileTooLarge(limit=limit)
        if total - staged.size > FORM_OVERHEAD_BYTES:
            raise MalformedMultipart("The form has more around the file than a form needs.")
    parser.finish()
    await staged.flush()
    if received.filename is None:
        raise ValidationFailed([{"field": "file", "message": "Send the file in a part named file, with a filename."}])
    return received


class _Form:
    """Turns the parser's callbacks, which cannot wait for a disk, into pieces of file to write after each chunk."""

    def __init__(self, boundary: bytes) -> None:
        self._in_file = False
        self._steps: list[_Step] = []
        self._headers: dict[str, str] = {}
        self._name: list[bytes] = []
        self._value: list[bytes] = []
        self._field: str | None = None
        self._field_value = bytearray()
        self._finished = False
        try:
            self._parser = multipart.MultipartParser(boundary, self._callbacks())
        except FormParserError as error:
            raise MalformedMultipart from error

    def feed(self, chunk: bytes, received: Received) -> list[bytes]:
        """The pieces of the file that are in this chunk."""
        self._steps.clear()
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise MalformedMultipart from error
        pieces: list[bytes] = []
        for step, data, more in self._steps:
            if step == "begin":
                self._headers.clear()
            elif step == "header":
                self._headers[data.decode("latin-1").lower()] = more.decode("latin-1")
            elif step == "headers":
                self._open(received)
            elif step == "data":
                self._take(data, pieces)
            else:
                self._close(received)
        return pieces

    def finish(self) -> None:
        """Refuses a form that broke off."""
        if not self._finished:
            raise MalformedMultipart("The form is incomplete; send the file again.")

    def _open(self, received: Received) -> None:
        disposition = self._headers.get("content-disposition", "")
        _, options = multipart.parse_options_header(disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        filename = _filename(disposition, options)
        if name == "file" and filename is not None:
            if received.filename is not None:
                raise ValidationFailed([{"field": "file", "message": "Send one file at a time."}])
            received.filename = filename
            received.declared_type = self._headers.get("content-type")
            self._in_file = True
        else:
            self._field = name

    def _take(self, data: bytes, pieces: list[bytes]) -> None:
        if self._in_file:
            pieces.append(data)
            return
        self._field_value += data
        if len(self._field_value) > _FIELD_BYTES:
            raise ValidationFailed([{"field": self._field or "form", "message": "This field is too long."}])

    def _close(self, received: Received) -> None:
        if self._field is not None:
            received.fields[self._field] = self._field_value.decode("utf-8", "replace").strip()
        self._in_file, self._field = False, None
        self._field_value.clear()

    def _callbacks(self) -> multipart.MultipartCallbacks:
        def on_header_end() -> None:
            self._steps.append(("header", b"".join(self._name), b"".join(self._value)))
            self._name.clear()
            self._value.clear()

        def on_end() -> None:
            self._finished = True

        return {
            "on_part_begin": lambda: self._steps.append(("begin", b"", b"")),
            "on_header_field": lambda data, start, end: self._name.append(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.append(data[start:end]),
            "on_header_end": on_header_end,
            "on_headers_finished": lambda: self._steps.append(("headers", b"", b"")),
            "on_part_data": lambda data, start, end: self._steps.append(("data", data[start:end], b"")),
            "on_part_end": lambda: self._steps.append(("end", b"", b"")),
            "on_end": on_end,
        }


def _filename(disposition: str, options: dict[bytes, bytes]) -> str | None:
    """The name that a part gives its file: plain UTF-8 as browsers send it, or the older `filename*=UTF-8''...`."""
    plain = options.get(b"filename")
    if plain is not None:
        return plain.decode("utf-8", "replace").replace("%22", '"').replace("%0D", " ").replace("%0A", " ")
    extended = _EXTENDED_NAME.search(disposition)
    return unquote(extended.group(1)) if extended else None
