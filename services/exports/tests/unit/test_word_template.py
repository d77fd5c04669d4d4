"""An organisation's own Word template: what it looks like is kept, what it does is refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import docx
import pytest
from PIL import Image

from exports.rendering import docx as docx_writer
from exports.rendering.word_template import TemplateRefused, prepare

from .examples import DOCUMENT

Parts = dict[str, bytes]
WORD = "word/document.xml"


def template() -> bytes:
    """As a person makes it in Word: a font, a header with a logo, a numbered list in use."""
    word: Any = docx.Document()
    word.styles["Normal"].font.name = "Georgia"
    word.styles["heading 1"].font.size = docx.shared.Pt(30)
    header = word.sections[0].header.paragraphs[0]
    logo = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(logo, "PNG")
    header.add_run("LETTERHEAD").add_picture(logo)
    word.add_paragraph("Old text", style="List Number")
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


def parts_of(data: bytes) -> Parts:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(parts: Parts) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return buffer.getvalue()


class TestAGoodOne:
    def test_gives_its_fonts_headers_and_logo_and_takes_every_style_of_ours(self) -> None:
        word: Any = docx.Document(io.BytesIO(docx_writer.render(DOCUMENT, prepare(template()))))
        styles = {paragraph.text: paragraph.style.name for paragraph in word.paragraphs if paragraph.text}

        assert word.styles["Normal"].font.name == "Georgia"
        assert word.styles["Heading 1"].font.size.pt == 30
        assert word.sections[0].header.paragraphs[0].text == "LETTERHEAD"
        assert any(
            name.startswith("word/media/") for name in parts_of(docx_writer.render(DOCUMENT, prepare(template())))
        )
        assert "Old text" not in styles
        assert styles["Evidence"] == "Heading 2"
        assert styles["Pumps break."] == "List Number"
        assert styles["Head teacher"] == "Quote"
        assert word.tables[0].style.name == "Proposal Table"

    def test_is_the_same_bytes_every_time_and_may_be_prepared_again(self) -> None:
        once = prepare(template())

        assert prepare(zipped(parts_of(template()))) == once
        assert prepare(once).startswith(b"PK")
        assert docx_writer.render(DOCUMENT, once) == docx_writer.render(DOCUMENT, once)

    def test_leaves_properties_settings_and_text_behind(self) -> None:
        parts = parts_of(template())
        parts["docProps/custom.xml"] = b"<secret/>"
        parts["customXml/item1.xml"] = b"<secret/>"

        names = parts_of(prepare(zipped(parts))).keys()

        assert not {"docProps/custom.xml", "docProps/app.xml", "customXml/item1.xml", "word/fontTable.xml"} & names


def with_part(name: str, body: bytes) -> Callable[[Parts], None]:
    return lambda parts: parts.update({name: body})


def replaced(name: str, old: bytes, new: bytes) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        assert old in parts[name], (name, old)
        parts[name] = parts[name].replace(old, new)

    return change


def without(name: str) -> Callable[[Parts], None]:
    return lambda parts: parts.pop(name) and None


DOCTYPE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
FIELD = b'<w:r><w:instrText>INCLUDETEXT "c:\\secret"</w:instrText></w:r></w:p>'
SIMPLE = b'<w:fldSimple w:instr=" DDEAUTO c:\\\\calc.exe "/></w:p>'
OUTSIDE = b'TargetMode="External" Target="https://evil.example/x.png" Old="'
HEADER, HEADER_RELS = "word/header1.xml", "word/_rels/header1.xml.rels"
MAIN = b"wordprocessingml.document.main+xml"

HOSTILE: dict[str, tuple[Callable[[Parts], None], str]] = {
    "macros": (with_part("word/vbaProject.bin", b"x"), "active_content"),
    "activex": (with_part("word/activeX/activeX1.xml", b"<x/>"), "active_content"),
    "embedded": (with_part("word/embeddings/a.docx", b"x"), "active_content"),
    "macro type": (replaced("[Content_Types].xml", MAIN, b"macroEnabled.main+xml"), "active_content"),
    "entity": (with_part(WORD, DOCTYPE), "active_content"),
    "doctype in styles": (with_part("word/styles.xml", DOCTYPE), "active_content"),
    "field in a header": (replaced(HEADER, b"</w:p>", FIELD), "active_content"),
    "simple field": (replaced(HEADER, b"</w:p>", SIMPLE), "active_content"),
    "object in a header": (replaced(HEADER, b"</w:p>", b"<w:object/></w:p>"), "active_content"),
    "alt chunk": (replaced(WORD, b"<w:body>", b"<w:body><w:altChunk/>"), "active_content"),
    "picture from outside": (replaced(HEADER_RELS, b'Target="', OUTSIDE), "active_content"),
    "picture of another kind": (replaced(HEADER_RELS, b".png", b".svg"), "malformed_file"),
    "picture that is none": (with_part("word/media/image9.png", b"<svg/>"), "malformed_file"),
    "unsafe name": (with_part("../../etc/cron.d/x", b"x"), "malformed_file"),
    "bomb": (with_part("word/media/b.png", b"\0" * 40 * 1024**2), "malformed_file"),
    "many parts": (lambda parts: parts.update({f"a{n}": b"" for n in range(300)}), "malformed_file"),
    "no styles": (without("word/styles.xml"), "malformed_file"),
    "no document": (without(WORD), "malformed_file"),
    "no types": (without("[Content_Types].xml"), "malformed_file"),
    "broken xml": (with_part("word/styles.xml", b"<w:styles"), "malformed_file"),
}


class TestAHostileOne:
    @pytest.mark.parametrize(("change", "reason"), HOSTILE.values(), ids=HOSTILE.keys())
    def test_is_refused_with_the_reason(self, change: Callable[[Parts], None], reason: str) -> None:
        parts = parts_of(template())
        change(parts)

        with pytest.raises(TemplateRefused) as refused:
            prepare(zipped(parts))

        assert refused.value.reason == reason

    @pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"%PDF-1.7", template()[:-200], template()[:500]])
    def test_no_archive_is_refused(self, data: bytes) -> None:
        with pytest.raises(TemplateRefused):
            prepare(data)

    def test_one_flipped_byte_is_refused_or_harmless(self) -> None:
        data = template()
        for at in range(0, len(data), 97):
            flipped = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
            try:
                prepared = prepare(flipped)
            except TemplateRefused:
                continue
            docx_writer.render(DOCUMENT, prepared)
