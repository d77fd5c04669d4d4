"""DOCX: a sound archive with the parts of a Word document, and nothing in it that acts on its own."""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from uploads.inspection import docx_parts
from uploads.inspection.refusal import Refused

if TYPE_CHECKING:
    from uploads.inspection.structure import Caps

_BROKEN: Final = "The document is damaged. Open it in Word or LibreOffice, save it as a new .docx, and upload that."
_AROUND: Final = "There is other data around the document. Save it as a new .docx and upload that."
_BOMB: Final = "The document unpacks to far more than its size. Save it as a new .docx and upload that."
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_SMALL: Final = 4 * 1024 * 1024
"""A ratio means nothing for a part that is small when unpacked."""
_PARSED: Final = re.compile(r"\.(?:xml|rels)$", re.I)
_PARSED_MAX: Final = 64 * 1024 * 1024


def check(path: Path, caps: Caps) -> None:
    """Refuses an archive that is unsound or a bomb, and a document that is active or not a Word document."""
    try:
        _check_edges(path)
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_members(members, caps)
            parts = _read(archive, members, caps)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError, ValueError) as error:
        raise Refused("malformed_file", _BROKEN) from error
    docx_parts.check([member.filename for member in members], parts)


def _check_edges(path: Path) -> None:
    """The archive has to fill the file: nothing before its first member, nothing after its end."""
    data = path.read_bytes()
    end = data.rfind(b"PK\x05\x06")
    if end < 0:
        raise Refused("malformed_file", _BROKEN)
    size, offset, comment = struct.unpack_from("<IIH", data, end + 12)
    if not data.startswith(b"PK\x03\x04") or end + 22 + comment != len(data) or comment or offset + size != end:
        raise Refused("malformed_file", _AROUND)


def _check_members(members: list[zipfile.ZipInfo], caps: Caps) -> None:
    if len(members) > caps.archive_members:
        raise Refused("malformed_file", _BOMB)
    if not members or min(member.header_offset for member in members) != 0:
        raise Refused("malformed_file", _AROUND)
    seen: set[str] = set()
    total = 0
    for member in members:
        name = member.filename
        if member.flag_bits & 0x1:
            raise Refused(
                "encrypted_file", "The document is protected by a password. Remove the password and upload it again."
            )
        if _unsafe(member.orig_filename) or stat.S_ISLNK(member.external_attr >> 16):
            raise Refused("malformed_file", f"The document has a part with an unsafe name. {_BROKEN}")
        if name.lower() in seen:
            raise Refused("malformed_file", f"The document has the same part twice. {_BROKEN}")
        if member.compress_type not in _METHODS:
            raise Refused("malformed_file", _BROKEN)
        seen.add(name.lower())
        total += member.file_size
        if member.file_size > _SMALL and member.file_size > caps.unpacked_ratio * max(1, member.compress_size):
            raise Refused("malformed_file", _BOMB)
    if total > caps.unpacked_bytes:
        raise Refused("malformed_file", _BOMB)


def _unsafe(name: str) -> bool:
    return (
        not name
        or name.startswith("/")
        or "\\" in name
        or ":" in name
        or any(part in {"", ".", ".."} for part in name.removesuffix("/").split("/"))
        or any(ord(character) < 32 for character in name)
    )


def _read(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], caps: Caps) -> dict[str, bytes]:
    """Unpacks every member, which checks its CRC and that it is as large as it says; keeps the XML."""
    parts: dict[str, bytes] = {}
    budget = caps.unpacked_bytes
    for member in members:
        kept = bytearray()
        with archive.open(member) as file:
            while chunk := file.read(1 << 20):
                budget -= len(chunk)
                if budget < 0:
                    raise Refused("malformed_file", _BOMB)
                if _PARSED.search(member.filename):
                    kept += chunk
                if len(kept) > _PARSED_MAX:
                    raise Refused("malformed_file", _BOMB)
        if kept:
            parts[member.filename] = bytes(kept)
    return parts
