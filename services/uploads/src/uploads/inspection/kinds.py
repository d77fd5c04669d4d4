"""The kinds of file there are checks for, and how each is named."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from uploads.inspection.refusal import Refused

KindName = Literal["pdf", "docx", "png", "jpeg", "text"]

DOCX_TYPE: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file: what people call it, the type it is served as, and the types that a client may declare."""

    name: KindName
    label: str
    content_type: str
    declared: frozenset[str]


PDF: Final = Kind("pdf", "PDF", "application/pdf", frozenset({"application/pdf", "application/x-pdf"}))
DOCX: Final = Kind("docx", "Word document", DOCX_TYPE, frozenset({DOCX_TYPE}))
PNG: Final = Kind("png", "PNG image", "image/png", frozenset({"image/png", "image/x-png"}))
JPEG: Final = Kind("jpeg", "JPEG image", "image/jpeg", frozenset({"image/jpeg", "image/jpg", "image/pjpeg"}))
TEXT: Final = Kind("text", "text file", "text/plain; charset=utf-8", frozenset({"text/plain"}))

KINDS: Final[dict[str, Kind]] = {"pdf": PDF, "docx": DOCX, "png": PNG, "jpg": JPEG, "jpeg": JPEG, "txt": TEXT}
"""By extension, lower case, without its dot. ALLOWED_UPLOAD_EXTENSIONS can only narrow this."""


def kind_of(filename: str, allowed: Collection[str]) -> Kind:
    """The kind that the name's extension promises; refused when that extension is not in `allowed`."""
    stem, dot, extension = filename.rpartition(".")
    extension = extension.lower()
    if not (stem and dot) or extension not in allowed or extension not in KINDS:
        wanted = ", ".join(f".{name}" for name in KINDS if name in allowed)
        raise Refused("extension_not_allowed", f"Files of this type are not accepted. Upload one of: {wanted}.")
    return KINDS[extension]
