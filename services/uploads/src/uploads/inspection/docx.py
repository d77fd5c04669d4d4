"""DOCX: a sound archive with the parts of a Word document, and nothing in it that acts on its own."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from uploads.inspection import docx_archive, docx_names, docx_parts
from uploads.inspection.docx_archive import BOMB, BROKEN
from uploads.inspection.refusal import Refused

if TYPE_CHECKING:
    from uploads.inspection.structure import Caps

_PARSED: Final = re.compile(r"\.(?:xml|rels|psmdcp|svg)$", re.I)
_PARSED_MAX: Final = 64 * 1024 * 1024
_HEAD: Final = 512


class _Budget:
    """How much may still be unpacked, of the document and of the workbooks in it together."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise Refused("malformed_file", BOMB)


def check(path: Path, caps: Caps) -> None:
    """Refuses an archive that is unsound or a bomb, and a document that is active or not a Word document."""
    try:
        budget = _Budget(caps.unpacked_bytes)
        names, parts, workbooks = _open(path.read_bytes(), caps, budget)
        if "[Content_Types].xml" not in parts:
            raise Refused("malformed_file", BROKEN)
        docx_names.check(names)
        docx_parts.check(parts)
        for workbook in workbooks:
            _check_workbook(workbook, caps, budget)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError, ValueError) as error:
        raise Refused("malformed_file", BROKEN) from error


def _check_workbook(data: bytes, caps: Caps, budget: _Budget) -> None:
    """The data behind a chart is an Excel workbook; it has to be a plain one, with nothing further inside."""
    names, parts, further = _open(data, caps, budget)
    docx_names.check(names)
    if further or "xl/workbook.xml" not in parts:
        raise docx_names.active("an embedded file")
    docx_parts.check_workbook(parts)


def _open(data: bytes, caps: Caps, budget: _Budget) -> tuple[list[str], dict[str, bytes], list[bytes]]:
    """Its members' names, the XML ones by name, and the workbooks."""
    docx_archive.check_edges(data, caps)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        docx_archive.check_members(data, members, caps)
        parts: dict[str, bytes] = {}
        workbooks: list[bytes] = []
        for member in members:
            content = _unpack(archive, member, budget)
            if docx_names.is_workbook(member.filename):
                workbooks.append(content)
            elif content and _PARSED.search(member.filename):
                parts[member.filename] = content
            else:
                docx_names.check_content(member.filename, content)
        return [member.filename for member in members], parts, workbooks


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: _Budget) -> bytes:
    """Unpacks it to its end, which checks its CRC and that it is as large as it says; of media keeps the head only."""
    whole = _PARSED.search(member.filename) or docx_names.is_workbook(member.filename)
    keep = _PARSED_MAX if whole else _HEAD
    kept = bytearray()
    with archive.open(member) as file:
        while chunk := file.read(1 << 20):
            budget.take(len(chunk))
            if whole and len(kept) + len(chunk) > keep:
                raise Refused("malformed_file", BOMB)
            kept += chunk[: keep - len(kept)]
    return bytes(kept)
