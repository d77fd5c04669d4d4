"""Makes PDF, DOCX and PNG files from their parts, for the corpora and the tests."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Mapping

import pikepdf
from pikepdf import Dictionary, Name, Pdf
from PIL import Image

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
MAIN_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
TEXT = "The applicant shall describe the work plan, the budget and the expected outcome."
PARAGRAPH = f"<w:p><w:r><w:t>{TEXT}</w:t></w:r></w:p>"


def pdf(change: Callable[[Pdf], None] | None = None, text: str = TEXT, pages: int = 1, **save: object) -> bytes:
    document = pikepdf.new()
    font = document.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
    for number in range(1, pages + 1):
        page = document.add_blank_page(page_size=(595, 842))
        page.Resources = Dictionary(Font=Dictionary(F1=font))
        page.Contents = document.make_stream(f"BT /F1 12 Tf 50 780 Td ({text} Page {number}.) Tj ET".encode())
    if change:
        change(document)
    out = io.BytesIO()
    document.save(out, **save)  # type: ignore[arg-type]
    return out.getvalue()


def flate_bomb(mebibytes: int = 1500, pages: int = 1) -> bytes:
    """A PDF whose middle page unpacks to so much."""

    def change(document: Pdf) -> None:
        packer = zlib.compressobj(9)
        chunks = [packer.compress(b" " * (1 << 20)) for _ in range(mebibytes)]
        bomb = document.make_stream(b"".join(chunks) + packer.flush())
        bomb.Filter = Name.FlateDecode
        document.pages[pages // 2].Contents = bomb

    return pdf(change, pages=pages, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)


def docx(
    extra: Mapping[str, bytes] | None = None,
    body: str | None = None,
    main_type: str = MAIN_TYPE,
    relations: str = "",
    before: bytes = b"",
) -> bytes:
    parts = {
        "[Content_Types].xml": (
            f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" '
            'ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-'
            f'package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="{main_type}"/></Types>'
        ).encode(),
        "_rels/.rels": (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
            f'Type="{REL}/officeDocument" Target="word/document.xml"/></Relationships>'
        ).encode(),
        "word/document.xml": (f'<w:document xmlns:w="{W}"><w:body>{body or PARAGRAPH}</w:body></w:document>').encode(),
        "word/_rels/document.xml.rels": (
            f'<Relationships xmlns="{PACKAGE}/relationships">{relations}</Relationships>'
        ).encode(),
    } | dict(extra or {})
    out = io.BytesIO(before)
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a" if before else "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def image(format_name: str, size: tuple[int, int] = (60, 40)) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(out, format_name)
    return out.getvalue()
