"""A zip archive that depends on nothing but its parts: no clock, no order of dicts, no version of zlib."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Final

FIRST: Final = ("[Content_Types].xml", "_rels/.rels", "word/document.xml")
"""The order by which file type detectors know a Word document."""

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def pack(parts: Mapping[str, bytes]) -> bytes:
    """The parts as one archive, stored uncompressed: a deflated byte may change with the next zlib."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in [*(name for name in FIRST if name in parts), *sorted(parts.keys() - set(FIRST))]:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, parts[name])
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """The parts of an archive that we wrote ourselves."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
