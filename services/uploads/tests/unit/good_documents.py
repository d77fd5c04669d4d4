"""Sound Word documents: (name, filename, how it is made)."""

# ruff: noqa: E501 -- one case, one line

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import docx as python_docx

from .builders import TEXT, W, docx, image
from .checking import Good
from .hostile_documents import code, line, packed, relation, settings


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

    def write(self, data: Any) -> int:
        self.data += bytes(data)
        return len(bytes(data))


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


GOOD: list[Good] = [
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
]
