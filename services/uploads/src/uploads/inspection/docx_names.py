"""What the members of a DOCX are by name and first bytes: XML, pictures, fonts; nothing that is a file of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

from uploads.inspection.refusal import Refused

_ACTIVE_NAMES: Final = (
    (re.compile(r"(^|/)vba(project|data)", re.I), "macros"),
    (re.compile(r"(^|/)activex/", re.I), "ActiveX controls"),
    (re.compile(r"(^|/)customui/", re.I), "macros"),
    (re.compile(r"(^|/)embeddings/(?!.*\.xlsx$)", re.I), "an embedded file"),
    (re.compile(r"\.(docm|dotm|xlsm|xlsb|xlam|pptm)$", re.I), "macros"),
)
_PASSIVE: Final = re.compile(
    r"\.(?:xml|rels|psmdcp|sigs|vml|xlsx"  # parts, and the data of charts
    r"|png|jpe?g|jpe|jfif|gif|bmp|dib|tiff?|[ew]m[fz]|svg|wdp|webp|ico|pcx|pict|tmp"  # pictures
    r"|odttf|[ot]tf|fntdata)$",  # fonts
    re.I,
)
_PRINTER_SETTINGS: Final = re.compile(r"(^|/)printersettings/[^/]*\.bin$", re.I)
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FILES: Final = (b"MZ", b"\x7fELF", b"PK\x03\x04", _OLE, b"%PDF-", b"Rar!", b"#!", b"{\\rtf")
"""How programs, archives and documents begin; no picture or font does."""


def check(names: Iterable[str]) -> None:
    """Refuses members that are macros, controls or embedded files."""
    for name in map(unquote, names):
        for pattern, what in _ACTIVE_NAMES:
            if pattern.search(name):
                raise active(what)
        if not (_PASSIVE.search(name) or _PRINTER_SETTINGS.search(name) or name.endswith("/")):
            raise active("an embedded file")


def check_content(name: str, head: bytes) -> None:
    """Refuses a program, an archive or a document under the name of a picture or a font."""
    if head.startswith(_FILES) and not name.lower().endswith(".odttf"):  # obfuscated: its first bytes are random
        raise active("an embedded file")


def is_workbook(name: str) -> bool:
    """Whether it is the data of a chart."""
    return name.lower().endswith(".xlsx")


def active(what: str) -> Refused:
    """The refusal of a document that acts on its own, or holds what may."""
    return Refused(
        "active_content", f"The document contains {what}. Save a copy without that as .docx and upload the copy."
    )
