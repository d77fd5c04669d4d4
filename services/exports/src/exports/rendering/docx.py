"""The tree as a Word document: real styles, outline numbering, lists, tables, links and contents in a template.

The template is ours (the folder `template/word`, an unpacked .docx) or the organisation's own, which `word_template`
has made to have our styles. python-docx opens it and keeps its parts and relationships in order; the body is written as
the elements that Word itself would write. What a person wrote only ever becomes the text of a `w:t`: no field code, no
markup.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

from common.canonical_zip import pack, unpack
from exports.rendering.chapters import chapters
from exports.rendering.document import Document
from exports.rendering.docx_body import Body
from exports.rendering.docx_layout import apply_layout
from exports.rendering.docx_xml import el, text_run
from exports.rendering.glyphs import clean, is_right_to_left
from exports.rendering.inlines import plain
from exports.rendering.tree import Block
from exports.rendering.versions import TEMPLATE_VERSION

_NUMBERED_LEVELS: Final = 3
_CONTENTS_LEVELS: Final = 2


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the contents: its number, its words and the bookmark it leads to."""

    level: int
    number: str
    title: str
    bookmark: str


def render(document: Document, template: bytes | None = None) -> bytes:
    """The whole document: cover, contents, numbered sections; no author and no date among its properties.

    Args:
        template: the organisation's own, as `word_template.prepare` gave it; its headers and footers stay as they are.
    """
    import docx

    title, org_name = _line(document.title), _line(document.org_name)
    word = docx.Document(io.BytesIO(template or pack(own_template())))
    word.core_properties.title = title[:255]
    word.core_properties.keywords = f"template {TEMPLATE_VERSION}, content {document.content_key('docx')}"
    if template is None:
        header: Any = word.sections[0].header.paragraphs[0]
        header._p.append(text_run(_short(title, 80)))
        header._p.append(el("w:r", {}, el("w:tab")))
        header._p.append(text_run(_short(org_name, 40)))
    apply_layout(word, document.layout)

    body = Body(word)
    if document.layout.cover:
        body.paragraph("CoverOrganisation", [{"v": org_name}])
        body.paragraph("Title", [{"v": title}])
        body.paragraph("Subtitle", [{"v": "Proposal"}])
    else:
        body.paragraph("Title", [{"v": title}], el("w:spacing", {"w:before": "0"}))
    trees = [(_line(heading), blocks) for heading, blocks in chapters(document)]
    entries = list(_entries(trees, numbered=_is_numbered(word)))
    if document.layout.contents:
        _contents(body, entries, new_page=document.layout.cover)
    new_page = document.layout.cover or document.layout.contents
    bookmarks = iter(entries)
    for at, (heading, blocks) in enumerate(trees):
        body.heading(1, [{"v": heading}], next(bookmarks).bookmark, new_page=new_page and at == 0)
        for block in blocks:
            listed = block["t"] == "heading" and block["level"] <= _CONTENTS_LEVELS
            body.block(block, bookmark=next(bookmarks).bookmark if listed else None)

    buffer = io.BytesIO()
    word.save(buffer)
    return pack(unpack(buffer.getvalue()))


def own_template() -> dict[str, bytes]:
    """The parts of our template, by name."""
    return dict(_parts(files(__package__).joinpath("template/word"), ""))


def _parts(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _parts(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_bytes()


def _line(text: str) -> str:
    return " ".join(clean(text).split()) or "Untitled"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _is_numbered(word: Any) -> bool:
    """Whether the template numbers its headings; ours does."""
    properties = word.styles["Heading 1"].element.pPr
    return properties is not None and properties.numPr is not None


def _entries(trees: Sequence[tuple[str, Sequence[Block]]], *, numbered: bool) -> Iterator[_Entry]:
    """The lines of the contents, numbered as Word will number the headings."""
    bookmark = 0
    for section, (heading, blocks) in enumerate(trees, start=1):
        bookmark += 1
        yield _Entry(1, f"{section}" if numbered else "", heading, f"_Toc{bookmark:06}")
        child = 0
        for block in blocks:
            if block["t"] == "heading" and block["level"] == _CONTENTS_LEVELS:
                bookmark, child = bookmark + 1, child + 1
                yield _Entry(2, f"{section}.{child}" if numbered else "", plain(block["k"]), f"_Toc{bookmark:06}")


def _contents(body: Body, entries: Sequence[_Entry], *, new_page: bool) -> None:
    """A contents field with its result already in it.

    Only a layout knows page numbers, so the field asks for none (`\\n`): what a reader sees on opening is complete, and
    Word has nothing to ask permission to update.
    """
    stay = [] if new_page else [el("w:pageBreakBefore", {"w:val": "0"})]
    body.paragraph("ContentsTitle", [{"v": "Contents"}], *stay)
    for at, entry in enumerate(entries):
        turned = [el("w:bidi")] if is_right_to_left(entry.title) else []
        paragraph = body.paragraph(f"TOC{entry.level}", [], *turned)
        if at == 0:
            paragraph.append(el("w:r", {}, el("w:fldChar", {"w:fldCharType": "begin"})))
            paragraph.append(el("w:r", {}, el("w:instrText", {"xml:space": "preserve"}, ' TOC \\o "1-2" \\n \\h \\z ')))
            paragraph.append(el("w:r", {}, el("w:fldChar", {"w:fldCharType": "separate"})))
        paragraph.append(
            el(
                "w:hyperlink",
                {"w:anchor": entry.bookmark, "w:history": "1"},
                *([text_run(entry.number), el("w:r", {}, el("w:tab"))] if entry.number else []),
                text_run(entry.title),
            )
        )
        if at == len(entries) - 1:
            paragraph.append(el("w:r", {}, el("w:fldChar", {"w:fldCharType": "end"})))
