"""The parts of a foreign Word template brought to the ids and styles that our writer uses."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

from docx.oxml.ns import qn as qn
from lxml import etree

DOCUMENT: Final = "word/document.xml"
STYLES: Final = "word/styles.xml"
NUMBERING: Final = "word/numbering.xml"
SETTINGS: Final = "word/settings.xml"
CORE: Final = "docProps/core.xml"
RELS: Final = "_rels/.rels"
TYPES: Final = "[Content_Types].xml"
DOCUMENT_RELS: Final = "word/_rels/document.xml.rels"

_SHIFT: Final = 100
"""What a template's own numberings are moved by, out of the way of ours."""
_STYLE_REFERENCES: Final = ("basedOn", "next", "link", "pStyle", "rStyle", "tblStyle", "styleLink", "numStyleLink")
_R: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_WORD_TYPE: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml"

Parts = dict[str, Any]


def adopt(parts: Parts, own: Mapping[str, bytes]) -> Parts:
    """The parts (their XML trees) that a file is written in: theirs, with whatever of ours they lack."""
    ours: Parts = {name: etree.fromstring(own[name]) for name in (DOCUMENT, STYLES, NUMBERING)}
    frames = {name: tree for name, tree in parts.items() if name.startswith(("word/header", "word/footer"))}
    numbering = parts.get(NUMBERING)
    if numbering is None:
        numbering = etree.Element(qn("w:numbering"), nsmap={"w": ours[NUMBERING].nsmap["w"]})
    styles = parts[STYLES]
    _shift_numberings([numbering, styles, *frames.values()])
    _rename_styles([styles, numbering, *frames.values()], styles, ours[STYLES])
    _add_styles(styles, ours[STYLES])
    _add_numberings(numbering, ours[NUMBERING])
    document, relations = _empty(parts, ours, frames)
    out: Parts = {DOCUMENT: document, STYLES: styles, NUMBERING: numbering, DOCUMENT_RELS: relations}
    out |= frames
    for name, tree in parts.items():
        if name.startswith("word/theme/"):
            out["word/theme/theme1.xml"] = tree
        elif name.startswith("word/_rels/") and name != DOCUMENT_RELS and _owner(name) in frames:
            out[name] = tree
    out[TYPES] = _types(out)
    return out


def _owner(rels: str) -> str:
    return rels.replace("_rels/", "").removesuffix(".rels")


def _shift_numberings(trees: list[Any]) -> None:
    for tree in trees:
        for tag, attribute in (("abstractNum", "abstractNumId"), ("num", "numId")):
            for one in tree.findall(qn(f"w:{tag}")):
                _add(one, attribute)
        for tag in ("numId", "abstractNumId"):
            for one in tree.iter(qn(f"w:{tag}")):
                if one.get(qn("w:val")) != "0":  # 0 takes a numbering away
                    _add(one, "val")
        for one in [*tree.iter(qn("w:numPicBullet")), *tree.iter(qn("w:lvlPicBulletId"))]:
            one.getparent().remove(one)


def _add(element: Any, attribute: str) -> None:
    value = element.get(qn(f"w:{attribute}")) or ""
    element.set(qn(f"w:{attribute}"), str((int(value) if value.isdigit() else 0) + _SHIFT))


def _name(style: Any) -> tuple[str, str]:
    named = style.find(qn("w:name"))
    return str(style.get(qn("w:type"))), "" if named is None else str(named.get(qn("w:val"), "")).casefold()


def _rename_styles(trees: list[Any], styles: Any, ours: Any) -> None:
    wanted = {_name(style): str(style.get(qn("w:styleId"))) for style in ours.findall(qn("w:style"))}
    renamed = {}
    for style in styles.findall(qn("w:style")):
        old = str(style.get(qn("w:styleId")))
        new = wanted.get(_name(style)) or (f"Own{old}" if old in wanted.values() else old)
        renamed[old] = new
        style.set(qn("w:styleId"), new)
    for tree in trees:
        for tag in _STYLE_REFERENCES:
            for one in tree.iter(qn(f"w:{tag}")):
                one.set(qn("w:val"), renamed.get(str(one.get(qn("w:val"))), str(one.get(qn("w:val")))))


def _add_styles(styles: Any, ours: Any) -> None:
    there = {str(style.get(qn("w:styleId"))) for style in styles.findall(qn("w:style"))}
    defaults = {str(one.get(qn("w:type"))) for one in styles.findall(qn("w:style")) if one.get(qn("w:default")) == "1"}
    for style in ours.findall(qn("w:style")):
        if style.get(qn("w:styleId")) in there:
            continue
        added = copy.deepcopy(style)
        if added.get(qn("w:type")) in defaults:
            added.attrib.pop(qn("w:default"), None)
        styles.append(added)


def _add_numberings(numbering: Any, ours: Any) -> None:
    """Ours first; all that is abstract stands before all that is not."""
    abstract = [*ours.findall(qn("w:abstractNum")), *numbering.findall(qn("w:abstractNum"))]
    concrete = [*ours.findall(qn("w:num")), *numbering.findall(qn("w:num"))]
    for child in list(numbering):
        numbering.remove(child)
    for one in [*abstract, *concrete]:
        numbering.append(copy.deepcopy(one))


def _empty(parts: Parts, ours: Parts, frames: Mapping[str, Any]) -> tuple[Any, Any]:
    """Their document without its text, its page and the headers and footers that it has; and its relations."""
    document = copy.deepcopy(ours[DOCUMENT])
    body = document.find(qn("w:body"))
    their_body = parts[DOCUMENT].find(qn("w:body"))
    page = None if their_body is None else their_body.find(qn("w:sectPr"))
    own_page = body.find(qn("w:sectPr"))
    page = copy.deepcopy(own_page if page is None else page)
    body.remove(own_page)
    body.append(page)
    targets = {str(one.get("Id")): f"word/{one.get('Target')}" for one in parts.get(DOCUMENT_RELS, ())}
    relations = etree.Element(f"{{{_PACKAGE}/relationships}}Relationships", nsmap=_default(f"{_PACKAGE}/relationships"))
    fixed = [("styles", "styles.xml"), ("numbering", "numbering.xml"), ("settings", "settings.xml")]
    if any(name.startswith("word/theme/") for name in parts):
        fixed.append(("theme", "theme/theme1.xml"))
    for number, (kind, target) in enumerate(fixed, 1):
        _relate(relations, f"rId{number}", kind, target)
    for child in list(page):
        local = etree.QName(child).localname
        if local in ("headerReference", "footerReference"):
            target = targets.get(str(child.get(f"{{{_R}}}id")), "")
            if target not in frames:
                page.remove(child)
                continue
            number = len(relations) + 1
            _relate(relations, f"rId{number}", local.removesuffix("Reference"), target.removeprefix("word/"))
            child.set(f"{{{_R}}}id", f"rId{number}")
        elif local not in (
            "pgSz",
            "pgMar",
            "titlePg",
            "pgBorders",
            "pgNumType",
            "docGrid",
            "rtlGutter",
            "bidi",
            "cols",
        ):
            page.remove(child)
    frames_first = len(page.findall(qn("w:headerReference")) + page.findall(qn("w:footerReference")))
    for tag in ("pgMar", "pgSz"):
        if page.find(qn(f"w:{tag}")) is None:
            page.insert(frames_first, copy.deepcopy(own_page.find(qn(f"w:{tag}"))))
    return document, relations


def _default(namespace: str) -> Any:
    return {None: namespace}


def _relate(relations: Any, relation_id: str, kind: str, target: str) -> None:
    one = etree.SubElement(relations, f"{{{_PACKAGE}/relationships}}Relationship")
    one.set("Id", relation_id)
    one.set("Type", f"{_R}/{kind}")
    one.set("Target", target)


def _types(parts: Parts) -> Any:
    root = etree.Element(f"{{{_PACKAGE}/content-types}}Types", nsmap=_default(f"{_PACKAGE}/content-types"))
    defaults = {
        "rels": "application/vnd.openxmlformats-package.relationships+xml",
        "xml": "application/xml",
        "png": "image/png",
        "jpg": "image/jpeg",
        "jpeg": "image/jpeg",
    }
    for extension, media_type in defaults.items():
        etree.SubElement(root, f"{{{_PACKAGE}/content-types}}Default", Extension=extension, ContentType=media_type)
    overrides = {
        DOCUMENT: f"{_WORD_TYPE}.document.main+xml",
        CORE: "application/vnd.openxmlformats-package.core-properties+xml",
        SETTINGS: f"{_WORD_TYPE}.settings+xml",
    }
    for name in sorted(parts):
        if name in (STYLES, NUMBERING):
            overrides[name] = f"{_WORD_TYPE}.{name[5:-4]}+xml"
        elif name.startswith("word/theme/"):
            overrides[name] = "application/vnd.openxmlformats-officedocument.theme+xml"
        elif name.startswith(("word/header", "word/footer")):
            overrides[name] = f"{_WORD_TYPE}.{name[5:11]}+xml"
    for name, media_type in overrides.items():
        etree.SubElement(root, f"{{{_PACKAGE}/content-types}}Override", PartName=f"/{name}", ContentType=media_type)
    return root
