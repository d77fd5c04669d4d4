"""Hostile pictures, texts and names: (name, filename, declared type, how it is made, the reason)."""

# ruff: noqa: E501 -- one case, one line

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from .builders import TEXT, docx, image, pdf
from .hostile_pdfs import raw

Case = tuple[str, str, str | None, Callable[[], bytes], str]
SCRIPT = b"<script>alert(1)</script>"
PNG_HEAD = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, data: bytes, *notes: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return PNG_HEAD + chunk(b"IHDR", header) + b"".join(notes) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _picture(format_name: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((60, 40), 60).convert("RGB").save(out, format_name, **options)  # type: ignore[arg-type]
    return out.getvalue()


def _png_note(text: str, *, packed: bool) -> bytes:
    notes = PngInfo()
    notes.add_itxt("Comment", text, zip=packed)
    return _picture("PNG", pnginfo=notes)


def _jpeg_note(marker: int, data: bytes) -> bytes:
    plain = image("JPEG")
    return plain[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data + plain[2:]


def _huge_jpeg() -> bytes:
    data = bytearray(image("JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 60_000, 60_000)
    return bytes(data)


def _zip(comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.js", "x")
        archive.comment = comment
    return out.getvalue()


def _png_with_zip() -> bytes:
    return image("PNG")[:-12] + chunk(b"prVt", _zip()) + chunk(b"IEND", b"")


def _many_pictures() -> bytes:
    """A JPEG that announces further pictures, and two million of them, four bytes each."""
    return _jpeg_note(0xE2, b"MPF\0") + b"\xff\xd8\xff\xd9" * 2_000_000


def _many_passes() -> bytes:
    """A progressive JPEG that draws its last pass five thousand times."""
    out = io.BytesIO()
    Image.new("RGB", (8000, 8000)).save(out, "JPEG", progressive=True, quality=30)
    data = out.getvalue()
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last[:2000] * 5000 + data[-2:]


def _late_bomb() -> bytes:
    """A picture of the largest allowed size whose data ends at once."""
    return png(8000, 8000, zlib.compress(b"\0" * 8001)[:-4])


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PE = b"MZ\x90\x00\x03\0\0\0\x04\0\0\0\xff\xff\0\0" + b"\0" * 200
ELF = b"\x7fELF\x02\x01\x01" + b"\0" * 200
LNK = b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0F" + b"\0" * 60
TIFF = b"II*\0\x08\0\0\0" + b"\0" * 64

PICTURES: list[Case] = [
    ("pixels without end", "a.png", None, lambda: png(60_000, 60_000, zlib.compress(b"\0")), "malformed_file"),
    ("pixels without end", "a.jpg", None, _huge_jpeg, "malformed_file"),
    ("no pixels", "a.png", None, lambda: png(0, 10, zlib.compress(b"")), "malformed_file"),
    ("cut short", "a.png", None, lambda: image("PNG")[:-40], "malformed_file"),
    ("cut short, with an end", "a.png", None, lambda: image("PNG")[:200] + chunk(b"IEND", b""), "malformed_file"),
    ("data that ends early", "a.png", None, _late_bomb, "malformed_file"),
    ("wrong crc", "a.png", None, lambda: image("PNG")[:60] + b"\0\0\0\0" + image("PNG")[64:], "malformed_file"),
    ("only a head", "a.png", None, lambda: PNG_HEAD, "malformed_file"),
    ("script after the end", "a.png", None, lambda: image("PNG") + SCRIPT, "malformed_file"),
    ("zip after the end", "a.png", None, lambda: image("PNG") + _zip(), "malformed_file"),
    ("zip in a chunk", "a.png", None, _png_with_zip, "malformed_file"),
    ("script in a note", "a.png", None, lambda: _png_note("<SCRIPT>x</SCRIPT>", packed=False), "active_content"),
    ("script in a packed note", "a.png", None, lambda: _png_note("x" * 500 + "<script>", packed=True), "active_content"),
    ("bomb in a note", "a.png", None, lambda: png(1, 1, zlib.compress(b"\0\0"), chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * (80 << 20)))), "malformed_file"),
    ("bomb in the colour profile", "a.png", None, lambda: png(1, 1, zlib.compress(b"\0\0"), chunk(b"iCCP", b"a\0\0" + zlib.compress(b"x" * (80 << 20)))), "malformed_file"),
    ("cut short", "a.jpg", None, lambda: image("JPEG")[:-300], "malformed_file"),
    ("only a head", "a.jpg", None, lambda: b"\xff\xd8\xff\xe0", "malformed_file"),
    ("no picture in it", "a.jpg", None, lambda: b"\xff\xd8\xff\xd9", "malformed_file"),
    ("zip after the end", "a.jpg", None, lambda: image("JPEG") + _zip(), "malformed_file"),
    ("zip in a comment", "a.jpg", None, lambda: _jpeg_note(0xFE, _zip()), "malformed_file"),
    ("rar in a comment", "a.jpg", None, lambda: _jpeg_note(0xFE, b"Rar!\x1a\x07\x00"), "malformed_file"),
    ("web page in a comment", "a.jpg", None, lambda: _jpeg_note(0xFE, b"<html>" + SCRIPT), "active_content"),
    ("php in the exif", "a.jpg", None, lambda: _jpeg_note(0xE1, b"Exif\0\0<?php system($_GET[0]);"), "active_content"),
    ("many pictures", "a.jpg", None, _many_pictures, "malformed_file"),
    ("comments without end", "a.jpg", None, lambda: image("JPEG")[:2] + b"\xff\xfe\x00\x02" * 2_000_000 + image("JPEG")[2:], "malformed_file"),
    ("passes without end", "a.jpg", None, _many_passes, "malformed_file"),
    ("notes without end", "a.png", None, lambda: image("PNG")[:33] + chunk(b"tEXt", b"") * 800_000 + image("PNG")[33:], "malformed_file"),
    ("web page as a picture", "a.jpg", "image/jpeg", lambda: b"<html>" + SCRIPT, "mismatched_signature"),
    ("svg as png", "a.png", "image/png", lambda: SVG, "mismatched_signature"),
    ("tiff as jpeg", "a.jpg", "image/jpeg", lambda: TIFF, "mismatched_signature"),
    ("gif with a script as jpeg", "a.jpg", None, lambda: b"GIF89a/*" + b"\0" * 20 + b"*/=1;alert(1)", "mismatched_signature"),
    ("webp as png", "a.png", None, lambda: _picture("WEBP"), "mismatched_signature"),
    ("jpeg as png", "a.png", None, lambda: image("JPEG"), "mismatched_signature"),
]  # fmt: skip

TEXTS: list[Case] = [
    ("nothing", "a.pdf", None, lambda: b"", "empty_file"),
    ("nothing", "a.txt", None, lambda: b"", "empty_file"),
    ("only blanks", "a.txt", None, lambda: b" \r\n\t\n", "empty_file"),
    ("only a mark", "a.txt", None, lambda: b"\xef\xbb\xbf", "empty_file"),
    ("zeros", "a.txt", None, lambda: b"\0" * 4096, "malformed_file"),
    ("zeros", "a.pdf", None, lambda: b"\0" * 4096, "mismatched_signature"),
    ("latin-1", "a.txt", None, lambda: "Förderung".encode("latin-1"), "malformed_file"),
    ("utf-16 without a mark", "a.txt", None, lambda: TEXT.encode("utf-16-le"), "malformed_file"),
    ("utf-16 cut short", "a.txt", None, lambda: TEXT.encode("utf-16")[:-1], "malformed_file"),
    ("utf-32", "a.txt", None, lambda: TEXT.encode("utf-32"), "malformed_file"),
    ("slash written too long", "a.txt", None, lambda: b"a\xc0\xafb", "malformed_file"),
    ("half a pair", "a.txt", None, lambda: b"a\xed\xa0\x80b", "malformed_file"),
    ("nul within", "a.txt", None, lambda: b"abc\0def", "malformed_file"),
    ("nul late", "a.txt", None, lambda: b"a" * (1 << 20) + b"\0", "malformed_file"),
    ("windows program", "a.txt", None, lambda: PE, "mismatched_signature"),
    ("linux program", "a.txt", None, lambda: ELF, "mismatched_signature"),
    ("shortcut", "a.txt", None, lambda: LNK, "mismatched_signature"),
    ("rich text", "a.txt", None, lambda: rb"{\rtf1\object}", "mismatched_signature"),
    ("pdf as text", "a.txt", "text/plain", lambda: raw(b""), "mismatched_signature"),
    ("archive as text", "a.txt", None, _zip, "mismatched_signature"),
    ("windows program as pdf", "a.pdf", "application/pdf", lambda: PE, "mismatched_signature"),
    ("linux program as docx", "a.docx", None, lambda: ELF, "mismatched_signature"),
    ("web page as pdf", "a.pdf", "application/pdf", lambda: SCRIPT, "mismatched_signature"),
    ("rich text as docx", "a.docx", None, lambda: rb"{\rtf1\object}", "mismatched_signature"),
    ("empty archive as docx", "a.docx", None, lambda: b"PK\x05\x06" + b"\0" * 18, "mismatched_signature"),
    ("pdf as docx", "a.docx", None, pdf, "mismatched_signature"),
    ("docx as pdf", "a.pdf", None, docx, "mismatched_signature"),
    ("pdf sent as a web page", "a.pdf", "text/html", pdf, "mismatched_content_type"),
    ("pdf sent as a picture", "a.pdf", "image/png", pdf, "mismatched_content_type"),
    ("picture sent as svg", "a.png", "image/svg+xml", lambda: image("PNG"), "mismatched_content_type"),
    ("text sent as a web page", "a.txt", "text/html; charset=utf-8", lambda: SCRIPT, "mismatched_content_type"),
    ("text sent as a script", "a.txt", "application/javascript", lambda: b"x", "mismatched_content_type"),
    ("docx sent as one with macros", "a.docx", "application/vnd.ms-word.document.macroEnabled.12", docx, "mismatched_content_type"),
    ("type that is no type", "a.pdf", "application/pdf\x00text/html", pdf, "mismatched_content_type"),
]  # fmt: skip

NAMES: list[Case] = [
    (name, name, None, lambda: TEXT.encode(), "extension_not_allowed")
    for name in (
        "run.exe", "a.svg", "a.html", "a.docm", "a.doc", "a.tiff", "a.gif", "a.zip", "notes", ".txt", "a.txt.exe", "a.txt.",
        "a.txt\0.exe", "a.exe\0", "a\u202etxt.exe", "a.txt::$DATA", "a.t\u0445t", "a.ｔｘｔ", "a.txt;.php", "a.txt/", "..", "",
        "C:\\a\\b.exe", "a.txt\n.exe", "txt", "a." + "x" * 300,
    )
]  # fmt: skip
