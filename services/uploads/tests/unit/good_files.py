"""Sound files as the programs that people use write them: (name, filename, how it is made in a folder).

Those of LibreOffice and Chromium are in `good_programs`, because they need the program.
"""

# ruff: noqa: E501 -- one case, one line

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime

import docx as python_docx
import pikepdf
import pypdfium2
import typst
from pikepdf import Array, Dictionary, Name, OutlineItem, Pdf, String
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from .builders import TEXT, W, docx, image, pdf
from .hostile_documents import code, line, packed, relation, settings
from .hostile_others import PNG_HEAD, chunk
from .hostile_pdfs import raw

Good = tuple[str, str, Callable[[], bytes]]
MARKUP = b'= Work plan\nSee #link("https://example.org")[the call] for *details*.\n#table(columns: 2)[a][b][c][d]\n'


def _typst(source: bytes = MARKUP, **options: object) -> bytes:
    return bytes(typst.compile(source, format="pdf", **options))  # type: ignore[arg-type]


def _accessible() -> bytes:
    head = b'#set document(title: "Call", date: datetime(year: 2026, month: 1, day: 1))\n#set text(lang: "en")\n'
    return _typst(head + MARKUP, pdf_standards=["a-2a", "ua-1"])


def _pdfium() -> bytes:
    """Written by the library that Chromium prints with."""
    document = pypdfium2.PdfDocument.new()
    document.new_page(595, 842)
    picture = pypdfium2.PdfDocument(_scan())
    document.import_pages(picture)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _form(document: Pdf) -> None:
    """Text, a box to tick, a list to choose from, and a button that empties the form."""
    fields = []
    for number, keys in enumerate(
        (
            Dictionary(FT=Name.Tx, T=String("name"), V=String("Ada")),
            Dictionary(FT=Name.Btn, T=String("agreed"), V=Name.Off, AS=Name.Off),
            Dictionary(FT=Name.Ch, T=String("country"), Opt=Array([String("CZ"), String("DE")])),
            Dictionary(FT=Name.Btn, Ff=65536, T=String("reset"), A=Dictionary(S=Name.ResetForm)),
            Dictionary(FT=Name.Btn, Ff=65536, T=String("next"), A=Dictionary(S=Name.Named, N=Name.NextPage)),
        )
    ):
        keys.Type, keys.Subtype, keys.Rect = Name.Annot, Name.Widget, Array([50, 50 * number, 90, 50 * number + 20])
        fields.append(document.make_indirect(keys))
    document.pages[0].Annots = Array(fields)
    document.Root.AcroForm = Dictionary(Fields=Array(fields), NeedAppearances=True)


def _fields_of_xfa(document: Pdf) -> None:
    """A form with the newer description too, which has fields and no scripts."""
    _form(document)
    xml = b'<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><template><subform><field name="a"/></subform></template></xdp:xdp>'
    document.Root.AcroForm.XFA = Array([String("template"), document.make_stream(xml)])


def _links(document: Pdf) -> None:
    targets = (
        "https://example.org/a?b=c#d",
        "mailto:ada@example.org",
        "http://example.com",
        "tel:+420123",
        "file:///C:/a.pdf",
    )
    document.pages[0].Annots = Array(
        Dictionary(
            Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=Dictionary(S=Name.URI, URI=String(target))
        )
        for target in targets
    )
    document.pages[0].Annots.append(
        Dictionary(
            Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]),
            A=Dictionary(S=Name.GoToR, F=String("annex.pdf"), D=Array([0, Name.Fit])),
        )
    )  # fmt: skip


def _bookmarks(document: Pdf) -> None:
    document.Root.OpenAction = Dictionary(S=Name.GoTo, D=Array([document.pages[0].obj, Name.Fit]))
    document.Root.PageMode = Name.UseOutlines
    with document.open_outline() as outline:
        outline.root.extend(OutlineItem(f"Page {number}", number - 1) for number in (1, 2, 3))


def _notes(document: Pdf) -> None:
    """A reviewer's marks: a note, a highlight, a stamp."""
    rect = Array([9, 9, 99, 99])
    document.pages[0].Annots = Array(
        Dictionary(
            Type=Name.Annot, Subtype=kind, Rect=rect, Contents=String("JS? /JS /Launch"), QuadPoints=Array([0] * 8)
        )
        for kind in (Name.Text, Name.Highlight, Name.Stamp, Name.FreeText)
    )


def _revised() -> bytes:
    """Saved, then changed by appending, twice."""
    data = pdf(_form, compress_streams=False)
    for number in (1, 2):
        previous = int(data.rsplit(b"startxref\n", 1)[1].split()[0])
        size = int(data.rsplit(b"/Size ", 1)[1].split()[0])
        added = b"%d 0 obj\n<< /Note (revision %d) >>\nendobj\n" % (size, number)
        table = b"xref\n0 1\n0000000000 65535 f \n%d 1\n%010d 00000 n \n" % (size, len(data))
        root = data.rsplit(b"/Root ", 1)[1].split(b" R", 1)[0]
        trailer = b"trailer\n<< /Size %d /Root %b R /Prev %d >>\n" % (size + 1, root, previous)
        data += added + table + trailer + b"startxref\n%d\n%%%%EOF\n" % (len(data) + len(added))
    return data


def _scan(mode: str = "L") -> bytes:
    out = io.BytesIO()
    sheet = Image.effect_noise((800, 1100), 40).convert(mode)
    sheet.save(out, "PDF", resolution=100, save_all=True, append_images=[sheet.rotate(180)])
    return out.getvalue()


def _word(*, rich: bool) -> bytes:
    document = python_docx.Document()
    document.core_properties.created = datetime(2026, 1, 1, tzinfo=UTC)
    document.add_heading("Work plan", 1)
    paragraph = document.add_paragraph(TEXT, style="List Bullet")
    if rich:
        table = document.add_table(rows=3, cols=2, style="Table Grid")
        table.cell(0, 0).text = "Budget"
        document.add_picture(io.BytesIO(image("PNG")))
        document.add_picture(io.BytesIO(image("JPEG")))
        document.sections[0].header.paragraphs[0].text = "DDE Ltd - confidential"
        document.add_comment(paragraph.runs, text="Is this right?", author="Ada")
        document.add_section()
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _footnotes() -> bytes:
    notes = f'<w:footnotes xmlns:w="{W}"><w:footnote w:id="1"><w:p><w:r><w:t>DDE is a law.</w:t></w:r></w:p></w:footnote></w:footnotes>'
    body = line('<w:r><w:t>See</w:t></w:r><w:r><w:footnoteReference w:id="1"/></w:r>')
    return docx(
        {"word/footnotes.xml": notes.encode()}, body, relations=relation("footnotes", "footnotes.xml", external=False)
    )


def _fields() -> bytes:
    """A table of contents, page numbers, links, a picture pasted from the web, places to click and fill in."""
    codes = (
        'TOC \\o "1-3" \\h',
        " PAGE ",
        'HYPERLINK "https://example.org/" \\l "a"',
        'HYPERLINK \\l "_Toc1"',
        "DATE \\@ d",
    )
    pasted = (
        'INCLUDEPICTURE "https://example.org/a.png" \\* MERGEFORMATINET',
        "MACROBUTTON NoMacro [Click here]",
        "SEQ Figure",
    )
    return docx(body=line(*(code(text) for text in (*codes, *pasted))))


def _chart() -> bytes:
    """With its numbers in a workbook, as Word keeps them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        book.writestr("xl/workbook.xml", "<workbook/>")
        book.writestr(
            "xl/_rels/workbook.xml.rels", f"<R>{relation('worksheet', 'worksheets/sheet1.xml', external=False)}</R>"
        )
        book.writestr("xl/printerSettings/printerSettings1.bin", b"\0" * 20)
    link = relation("package", "../embeddings/Microsoft_Excel_Sheet1.xlsx", external=False)
    return docx(
        {
            "word/charts/chart1.xml": b"<c:chart xmlns:c='urn:c'/>",
            "word/charts/_rels/chart1.xml.rels": f"<R>{link}</R>".encode(),
            "word/embeddings/Microsoft_Excel_Sheet1.xlsx": out.getvalue(),
        }
    )


class _Pipe(io.RawIOBase):
    """Where a packer cannot go back, so that sizes follow each member."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.data += bytes(data)  # type: ignore[call-overload]
        return len(bytes(data))  # type: ignore[call-overload]


def _streamed() -> bytes:
    pipe = _Pipe()
    with zipfile.ZipFile(io.BytesIO(docx())) as source, zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            with target.open(name, "w", force_zip64=True) as file:
                file.write(source.read(name))
    return pipe.data


def _stored() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx())) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    return out.getvalue()


def _strict() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx())) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name).replace(W.encode(), b"http://purl.oclc.org/ooxml/wordprocessingml/main")
            old = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
            target.writestr(
                name, data.replace(old, b"http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument")
            )
    return out.getvalue()


def _drawing() -> bytes:
    svg = b'<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"><svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9"/></svg>'
    return docx(
        {"word/media/image1.svg": svg, "word/media/image1.png": image("PNG"), "docProps/thumbnail.jpeg": image("JPEG")}
    )


def _photo(mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((320, 240), 60).convert(mode).save(out, "JPEG", **options)  # type: ignore[arg-type]
    return out.getvalue()


def _exif() -> bytes:
    """As a scanner or a phone writes it: turned, with the maker's name, a place and a note."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0112], exif[0x010E] = "Scanner & Co <sales@example.org>", 6, "page 1 of 3 < 5"
    exif.get_ifd(0x8825)[1] = "N"
    return _photo(exif=exif, dpi=(300, 300), comment=b"CREATOR: gd-jpeg v1.0, quality = 90", icc_profile=_profile())


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _phone() -> bytes:
    out = io.BytesIO()
    first, second = Image.new("RGB", (80, 60), "red"), Image.new("RGB", (40, 30), "blue")
    first.save(out, "MPO", save_all=True, append_images=[second])
    return out.getvalue()


def _described() -> bytes:
    """With the description that picture editors write."""
    xmp = b'http://ns.adobe.com/xap/1.0/\0<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF/></x:xmpmeta><?xpacket end="w"?>'
    plain = _photo(quality=95, subsampling=0)
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(xmp) + 2) + xmp + plain[2:]


def _png(mode: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((64, 48), 60).convert(mode).save(out, "PNG", **options)  # type: ignore[arg-type]
    return out.getvalue()


def _deep() -> bytes:
    """Sixteen bits a colour."""
    rows = zlib.compress((b"\0" + b"\x12\x34" * 3 * 8) * 8)
    return (
        PNG_HEAD
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0))
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def _interlaced() -> bytes:
    """Adam7: seven passes over an 8 x 8 picture."""
    passes = ((1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4))
    rows = b"".join((b"\0" + b"\x80" * width) * height for width, height in passes)
    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 1)
    return PNG_HEAD + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _titled() -> bytes:
    notes = PngInfo()
    notes.add_text("Software", "Screenshot < 2.0 >")
    notes.add_itxt("XML:com.adobe.xmp", '<?xpacket?><x:xmpmeta xmlns:x="adobe:ns:meta/"/>', zip=True)
    return _png("RGB", pnginfo=notes, dpi=(144, 144), icc_profile=_profile())


def _animated() -> bytes:
    return _png("RGBA", save_all=True, append_images=[Image.new("RGBA", (64, 48))])


_STREAMS = pikepdf.ObjectStreamMode
GOOD: list[Good] = [
    ("typst", "a.pdf", _typst),
    ("typst, PDF/A and PDF/UA", "a.pdf", _accessible),
    ("pdfium", "a.pdf", _pdfium),
    ("scanner, grey", "a.pdf", _scan),
    ("scanner, colour", "a.pdf", lambda: _scan("RGB")),
    ("with a form", "a.pdf", lambda: pdf(_form)),
    ("with a form of two kinds", "a.pdf", lambda: pdf(_fields_of_xfa)),
    ("with links", "a.pdf", lambda: pdf(_links)),
    ("with bookmarks", "a.pdf", lambda: pdf(_bookmarks, pages=3)),
    ("with a reviewer's notes", "a.pdf", lambda: pdf(_notes)),
    ("appended to", "a.pdf", _revised),
    ("object streams", "a.pdf", lambda: pdf(_form, pages=9, object_stream_mode=_STREAMS.generate)),
    ("linearised", "a.pdf", lambda: pdf(_links, pages=9, linearize=True)),
    ("unpacked", "a.pdf", lambda: pdf(qdf=True, compress_streams=False)),
    ("owner's password only", "a.pdf", lambda: pdf(encryption=pikepdf.Encryption(owner="o", user=""))),
    ("written by hand", "CALL.PDF", lambda: raw(b"/Lang (en)")),
    ("with blank lines after its end", "a.pdf", lambda: pdf() + b"\r\n\r\n\0"),
    (
        "about web pages",
        "a.pdf",
        lambda: pdf(text="<html><script> and /JavaScript, /Launch, PK", compress_streams=False),
    ),
    ("python-docx", "a.docx", lambda: _word(rich=False)),
    ("python-docx, with everything", "a.docx", lambda: _word(rich=True)),
    ("with footnotes", "a.docx", _footnotes),
    ("with fields", "a.docx", _fields),
    ("with a chart", "a.docx", _chart),
    ("with a drawing", "a.docx", _drawing),
    ("streamed", "a.docx", _streamed),
    ("stored", "a.docx", _stored),
    ("strict", "a.docx", _strict),
    (
        "from a template of the author's",
        "a.docx",
        lambda: docx(settings("attachedTemplate", "file:///C:/Users/a/Call%20one.dotx")),
    ),
    ("from the common template", "a.docx", lambda: docx(settings("attachedTemplate", "Normal.dotm"))),
    (
        "with links",
        "a.docx",
        lambda: docx(
            relations=relation("hyperlink", "https://example.org/")
            + relation("image", "https://example.org/a.png").replace("r9", "r8")
            + relation("hyperlink", r"\\files\calls\a.docx").replace("r9", "r7")
        ),
    ),
    ("with folders", "a.docx", lambda: packed([("word/media/", b""), ("customXml/item1.xml", b"<a/>")])),
    ("scanner, with exif", "a.jpg", _exif),
    ("progressive", "a.jpeg", lambda: _photo(progressive=True, optimize=True)),
    ("four inks", "a.jpg", lambda: _photo("CMYK")),
    ("grey", "a.JPG", lambda: _photo("L")),
    ("restart marks", "a.jpg", lambda: _photo(restart_marker_rows=1)),
    ("described", "a.jpg", _described),
    ("phone, two pictures", "a.jpg", _phone),
    ("palette", "a.png", lambda: _png("P", transparency=0)),
    ("black and white", "a.png", lambda: _png("1")),
    ("grey and alpha", "a.png", lambda: _png("LA")),
    ("alpha", "a.png", lambda: _png("RGBA", optimize=True)),
    ("16 bit", "a.png", _deep),
    ("interlaced", "a.png", _interlaced),
    ("screenshot with notes", "a.png", _titled),
    ("animated", "a.png", _animated),
    ("utf-8", "a.txt", lambda: "Förderung, 申请, طلب, 🙂\r\n\tx\f".encode()),
    ("utf-8 with a mark", "a.txt", lambda: TEXT.encode("utf-8-sig")),
    ("utf-16", "a.txt", lambda: "Förderung 🙂".encode("utf-16")),
    ("utf-16, other order", "a.txt", lambda: b"\xfe\xff" + TEXT.encode("utf-16-be")),
    ("markup", "Notes v2.1 (final).txt", lambda: b"<script>alert(1)</script> MZ is two letters, BM too"),
    ("begins as a program", "a.txt", lambda: b"MZ is short for Mark Zbikowski; #! for a script"),
    ("one line of two megabytes", "a.txt", lambda: "ä".encode() * (1 << 20)),
]
