"""The ZIP archive around a DOCX: it fills the file without a gap, and every reader finds the same members in it."""

from __future__ import annotations

import stat
import struct
import unicodedata
import zipfile
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from uploads.inspection.refusal import Refused

if TYPE_CHECKING:
    from uploads.inspection.structure import Caps

BROKEN: Final = "The document is damaged. Open it in Word or LibreOffice, save it as a new .docx, and upload that."
BOMB: Final = "The document unpacks to far more than its size. Save it as a new .docx and upload that."
_AROUND: Final = "There is other data around the document. Save it as a new .docx and upload that."
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_SMALL: Final = 4 * 1024 * 1024
"""A ratio means nothing for a part that is small when unpacked."""
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_DESCRIPTOR: Final = 0x8
_DESCRIPTOR_BYTES: Final = frozenset({12, 16, 20, 24})
"""With or without its signature, with sizes of 4 or 8 bytes."""
_UNICODE_PATH: Final = 0x7075
"""An extra field that gives a member a second name, which only some readers heed."""


def check_edges(data: bytes, caps: Caps) -> None:
    """The archive has to fill the file: nothing before its first member, nothing after its end."""
    end = data.rfind(b"PK\x05\x06")
    if end < 0 or end + 22 > len(data):
        raise Refused("malformed_file", BROKEN)
    disk, first_disk, here, total, size, offset, comment = struct.unpack_from("<HHHHIIH", data, end + 4)
    if not data.startswith(b"PK\x03\x04") or end + 22 + comment != len(data) or comment or offset + size != end:
        raise Refused("malformed_file", _AROUND)
    if disk or first_disk or here != total:
        raise Refused("malformed_file", BROKEN)
    if total > caps.archive_members or size > caps.archive_members * 1024:
        raise Refused("malformed_file", BOMB)


def check_members(data: bytes, members: list[zipfile.ZipInfo], caps: Caps) -> None:
    """Refuses encrypted, doubled, strangely named and overlapping members, and a bomb, before anything is unpacked."""
    if len(members) > caps.archive_members:
        raise Refused("malformed_file", BOMB)
    if len(members) != struct.unpack_from("<H", data, len(data) - 12)[0]:
        raise Refused("malformed_file", BROKEN)
    seen: set[str] = set()
    total = 0
    for member in members:
        _check_member(member)
        name = unquote(member.filename).lower()
        if name in seen:
            raise Refused("malformed_file", f"The document has the same part twice. {BROKEN}")
        seen.add(name)
        total += member.file_size
        if member.file_size > _SMALL and member.file_size > caps.unpacked_ratio * max(1, member.compress_size):
            raise Refused("malformed_file", BOMB)
    if total > caps.unpacked_bytes:
        raise Refused("malformed_file", BOMB)
    _check_layout(data, members)


def _check_member(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & _ENCRYPTED:
        raise Refused(
            "encrypted_file", "The document is protected by a password. Remove the password and upload it again."
        )
    link = stat.S_ISLNK(member.external_attr >> 16)
    if link or _unsafe(member.orig_filename) or _unsafe(unquote(member.orig_filename)):
        raise Refused("malformed_file", f"The document has a part with an unsafe name. {BROKEN}")
    if member.compress_type not in _METHODS:
        raise Refused("malformed_file", BROKEN)


def _unsafe(name: str) -> bool:
    return (
        not name
        or name.startswith("/")
        or "\\" in name
        or ":" in name
        or any(part in {"", ".", ".."} for part in name.removesuffix("/").split("/"))
        or any(unicodedata.category(character)[0] == "C" for character in name)
    )


def _check_layout(data: bytes, members: list[zipfile.ZipInfo]) -> None:
    """Members lie one behind the other, and say of themselves what the directory says of them.

    Members that share their data are how a small archive becomes a huge one; gaps hide members that only some
    readers find.
    """
    position = 0
    ends = sorted(members, key=lambda member: member.header_offset)
    directory = struct.unpack_from("<I", data, len(data) - 6)[0]
    for member, following in zip(ends, [*(item.header_offset for item in ends[1:]), directory], strict=True):
        if member.header_offset != position:
            raise Refused("malformed_file", _AROUND)
        end = _end_of(data, member)
        slack = following - end
        if slack and not (member.flag_bits & _DESCRIPTOR and slack in _DESCRIPTOR_BYTES):
            raise Refused("malformed_file", _AROUND)
        position = following


def _end_of(data: bytes, member: zipfile.ZipInfo) -> int:
    """Where the member's packed data ends, after its own header has been held against the directory's entry."""
    header: tuple[Any, ...] = struct.unpack_from("<4sHHHIIIIHH", data, member.header_offset)
    signature, _, flags, method, _, crc, packed, unpacked, name_length, extra_length = header
    start = member.header_offset + 30
    extra = data[start + name_length : start + name_length + extra_length]
    streamed = bool(flags & _DESCRIPTOR)
    if (
        signature != b"PK\x03\x04"
        or (flags ^ member.flag_bits) & (_ENCRYPTED | _DESCRIPTOR)
        or method != member.compress_type
        or (not streamed and (crc != member.CRC or not _same_sizes(packed, unpacked, extra, member)))
        or _has_second_name(extra)
        or _has_second_name(member.extra)
    ):
        raise Refused("malformed_file", BROKEN)
    return int(start + name_length + extra_length + member.compress_size)


def _same_sizes(packed: int, unpacked: int, extra: bytes, member: zipfile.ZipInfo) -> bool:
    if packed == unpacked == 0xFFFFFFFF and extra.startswith(b"\x01\x00"):  # in the extra field, in 8 bytes each
        unpacked, packed = struct.unpack_from("<QQ", extra, 4)
    return (packed, unpacked) == (member.compress_size, member.file_size)


def _has_second_name(extra: bytes) -> bool:
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, position)
        if kind == _UNICODE_PATH:
            return True
        position += 4 + length
    return False
