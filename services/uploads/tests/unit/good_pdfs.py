"""Sound PDFs: (name, filename, how it is made)."""

# ruff: noqa: E501 -- one case, one line

from __future__ import annotations

import io

import pikepdf
import pypdfium2
import typst
from pikepdf import Array, Dictionary, Name, OutlineItem, Pdf, String
from PIL import Image

from .builders import pdf
from .checking import Good
from .hostile_pdfs import raw

MARKUP = b'= Work plan\nSee #link("https://example.org")[the call] for *details*.\n#table(columns: 2)[a][b][c][d]\n'


def _typst(source: bytes = MARKUP, **options: object) -> bytes:
    return bytes(typst.compile(source, format="pdf", **options))  # type: ignore[arg-type]  # typst's


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
]
