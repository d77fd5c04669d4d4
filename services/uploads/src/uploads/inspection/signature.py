"""The first bytes against the extension, and the declared content type against both."""

from __future__ import annotations

from typing import Final

from uploads.inspection.kinds import Kind
from uploads.inspection.refusal import Refused

HEAD_BYTES: Final = 4096
"""How much of a file `check_signature` wants to see."""

_MAGIC: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"%PDF-", "pdf", "a PDF"),
    (b"PK\x03\x04", "docx", "a ZIP archive"),
    (b"\x89PNG\r\n\x1a\n", "png", "a PNG image"),
    (b"\xff\xd8\xff", "jpeg", "a JPEG image"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole", "an old or password-protected Office file"),
    (b"GIF87a", "gif", "a GIF image"),
    (b"GIF89a", "gif", "a GIF image"),
    (b"II*\x00", "tiff", "a TIFF image"),
    (b"MM\x00*", "tiff", "a TIFF image"),
    (b"\x7fELF", "elf", "a program"),
    (b"MZ\x90\x00", "exe", "a program"),
    (b"MZP\x00", "exe", "a program"),
    (b"\xcf\xfa\xed\xfe", "macho", "a program"),
    (b"\xca\xfe\xba\xbe", "java", "a program"),
    (b"\x00asm", "wasm", "a program"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "lnk", "a Windows shortcut"),
    (b"SQLite format 3\x00", "sqlite", "a database"),
    (b"\xfd7zXZ\x00", "xz", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "zstd", "a zstd archive"),
    (b"Rar!\x1a\x07", "rar", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "7z", "a 7-Zip archive"),
    (b"\x1f\x8b\x08", "gzip", "a gzip archive"),
    (b"{\\rtf", "rtf", "an RTF document"),
)
_UNKNOWN_TYPES: Final = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_OLE_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")


def check_signature(kind: Kind, head: bytes, *, ole_directory: bytes = b"") -> None:
    """Refuses a file whose first bytes are not those of its extension.

    `ole_directory` is more of the file (all of it, or its parts) for telling a password-protected DOCX from an old DOC.
    """
    if not head:
        raise Refused("empty_file", "The file is empty. Choose the file again and check that it has content.")
    found = next(((name, label) for magic, name, label in _MAGIC if head.startswith(magic)), None)
    if kind.name == "docx" and found and found[0] == "ole" and _OLE_ENCRYPTED in (head + ole_directory):
        raise Refused(
            "encrypted_file", "The document is protected by a password. Remove the password and upload it again."
        )
    if found is None and kind.name == "text":
        return
    if found is None or found[0] != kind.name:
        what = found[1] if found else "something else"
        raise Refused(
            "mismatched_signature",
            f"The name says {kind.label}, but the content is {what}. "
            f"Save it as a real {kind.label}, or correct the extension.",
        )


def is_ole(head: bytes) -> bool:
    """Whether the file is in the old Office container, so that more of it has to be looked at."""
    return head.startswith(b"\xd0\xcf\x11\xe0")


def check_declared_type(kind: Kind, declared: str | None) -> None:
    """Refuses a content type that contradicts the extension; none, or the one for 'just bytes', says nothing."""
    media_type = (declared or "").partition(";")[0].strip().lower()
    if media_type not in _UNKNOWN_TYPES and media_type not in kind.declared:
        raise Refused(
            "mismatched_content_type",
            f"The file was sent as {media_type[:100]}, but its name and content are a {kind.label}. "
            f"Send it as {kind.content_type.partition(';')[0]}.",
        )
