"""Pure rules of the protocol: what its headers say."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final, Literal

State = Literal["receiving", "stored", "refused", "cancelled", "expired"]

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,expiration,termination,checksum"
CHUNK_TYPE: Final = "application/offset+octet-stream"
ALGORITHMS: Final = ("sha256", "sha1")
"""Of `Upload-Checksum`. The protocol demands SHA-1: it finds what a line garbled, and is no protection."""
METADATA_CHARACTERS: Final = 4096


class BadHeader(ValueError):
    """A header does not say what it has to; the arguments are its name and what is wrong."""

    def __init__(self, header: str, message: str) -> None:
        super().__init__(header, message)
        self.header, self.message = header, message


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the bytes of one request add up to."""

    algorithm: str
    digest: bytes

    def start(self) -> hashlib._Hash:
        """A hash to feed them to."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


def number(header: str, value: str | None) -> int:
    """A count of bytes. Raises BadHeader."""
    if value is None or not (value.isascii() and value.isdigit() and len(value) <= 15):
        raise BadHeader(header, "Say how many bytes, as a number.")
    return int(value)


def metadata(value: str | None) -> Mapping[str, str]:
    """`Upload-Metadata`: names, each with its text in Base64, parted by commas. Raises BadHeader."""
    header, found = "Upload-Metadata", {}
    if value is not None and len(value) > METADATA_CHARACTERS:
        raise BadHeader(header, "This is too long.")
    for pair in filter(None, (part.strip() for part in (value or "").split(","))):
        name, _, encoded = pair.partition(" ")
        try:
            found[name] = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise BadHeader(header, f"The value of {name[:40]} is not UTF-8 in Base64.") from error
    return found


def checksum(value: str | None) -> Checksum | None:
    """`Upload-Checksum`. Raises BadHeader."""
    if value is None:
        return None
    algorithm, _, encoded = value.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        raise BadHeader("Upload-Checksum", f"Use one of: {', '.join(ALGORITHMS)}.")
    try:
        digest = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadHeader("Upload-Checksum", "The sum is not Base64.") from error
    return Checksum(algorithm, digest)


def http_date(moment: datetime) -> str:
    """As headers give a moment."""
    return format_datetime(moment, usegmt=True)
