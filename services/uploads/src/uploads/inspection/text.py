"""Text: UTF-8, or UTF-16 with its mark; decoded strictly, without NULs."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import TYPE_CHECKING

from uploads.inspection.refusal import Refused

if TYPE_CHECKING:
    from uploads.inspection.structure import Caps

_CHUNK = 1 << 20


def encoding_of(head: bytes) -> str:
    """The encoding that a text file's first bytes announce."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def check(path: Path, caps: Caps) -> None:
    """Refuses bytes that are not text."""
    decoder: codecs.IncrementalDecoder | None = None
    seen = False
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            if decoder is None:
                decoder = codecs.getincrementaldecoder(encoding_of(chunk))("strict")
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                raise Refused(
                    "malformed_file",
                    "The file is not readable text. Save it as UTF-8, or as UTF-16 with its mark, and upload it again.",
                ) from error
            if "\0" in text:
                raise Refused(
                    "malformed_file", "The file has NUL characters, so it is not plain text. Save it as UTF-8 text."
                )
            seen = seen or bool(text.strip())
            if not chunk:
                break
    if not seen:
        raise Refused("empty_file", "The file has no text. Choose the file again and check that it has content.")
