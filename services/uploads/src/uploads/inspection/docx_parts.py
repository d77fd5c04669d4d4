"""What the parts of a DOCX say: it is a Word document, and nothing in it acts on its own."""

from __future__ import annotations

import posixpath
import re
from typing import Any, Final
from urllib.parse import unquote

from uploads.inspection import docx_fields, links
from uploads.inspection.docx_archive import BROKEN
from uploads.inspection.docx_names import active
from uploads.inspection.refusal import Refused

_MAIN: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_ACTIVE_TYPES: Final = (
    ("vbaproject", "macros"),
    ("vbadata", "macros"),
    ("macroenabled", "macros"),
    ("attachedtoolbars", "macros"),
    ("activex", "ActiveX controls"),
)
_ACTIVE_RELATIONS: Final = {
    "vbaproject": "macros",
    "wordvbadata": "macros",
    "attachedtoolbars": "macros",
    "extensibility": "macros",
    "control": "ActiveX controls",
    "activexcontrolbinary": "ActiveX controls",
    "oleobject": "an embedded file",
    "afchunk": "an embedded file",
    "subdocument": "another document",
}
_EXTERNAL_ALLOWED: Final = frozenset({"hyperlink", "image", "video"})
_LOCAL_TEMPLATE: Final = re.compile(r"(?:file:///)?[A-Za-z]:[\\/]|file:///(?![\\/])|[^\\/:]+$", re.I)
"""Word writes where the author's own template lay; only a remote one is fetched and run."""
_XML_NAME: Final = re.compile(r"\.(?:xml|rels|psmdcp|svg|vml|sigs)$", re.I)
_XML_TYPE: Final = re.compile(r"[+/]xml\s*(?:;|$)", re.I)
_SVG_ACTS: Final = frozenset({"script", "foreignObject", "handler", "iframe", "object", "embed"})


def check(parts: dict[str, bytes]) -> None:
    """`parts` are the XML members by name."""
    main = _main_part(parts)
    declared, defaults = _content_types(parts)
    for name, content_type in (declared | defaults).items():
        for needle, what in _ACTIVE_TYPES:
            if needle in content_type.lower():
                raise active(what)
        if _XML_TYPE.search(content_type) and not _XML_NAME.search(f".{name}"):  # a part that we would not have read
            raise Refused("malformed_file", BROKEN)
    if declared.get("/" + main.lower(), defaults.get(main.lower().rpartition(".")[2])) != _MAIN:
        raise Refused(
            "mismatched_signature", "The file is an Office file, but not a Word document (.docx). Save it as one."
        )
    for name in parts:
        root = _parse(parts, name)
        if name.lower().endswith(".rels"):
            _check_relations(root)
        elif name.lower().endswith(".svg"):
            _check_picture(root)
        elif acts := docx_fields.acts(root):
            raise active(acts)


def check_workbook(parts: dict[str, bytes]) -> None:
    """The same of a workbook: nothing in it may be fetched from elsewhere, or declare entities."""
    for name in parts:
        root = _parse(parts, name)
        if name.lower().endswith(".rels"):
            _check_relations(root)


def _parse(parts: dict[str, bytes], name: str) -> Any:
    from lxml import etree

    if name not in parts:
        raise Refused("malformed_file", BROKEN)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(parts[name], parser)
    except etree.XMLSyntaxError as error:
        raise Refused("malformed_file", BROKEN) from error
    document: Any = root.getroottree().docinfo
    if document.doctype and (not name.lower().endswith(".svg") or _declares(document)):
        raise Refused("malformed_file", f"The document declares entities, which Word never does. {BROKEN}")
    return root


def _declares(document: Any) -> bool:
    """Whether the DTD declares anything; many pictures name the public one of SVG, which declares nothing here."""
    return any(True for _ in document.internalDTD.iterentities())


def _main_part(parts: dict[str, bytes]) -> str:
    found = {
        posixpath.normpath(unquote(str(relation.get("Target", ""))).lstrip("/"))
        for relation in _parse(parts, "_rels/.rels")
        if str(relation.get("Type", "")).endswith("/officeDocument")
    }
    if len(found) != 1 or not found <= parts.keys():
        raise Refused("malformed_file", BROKEN)
    return found.pop()


def _content_types(parts: dict[str, bytes]) -> tuple[dict[str, str], dict[str, str]]:
    """By lower-case part name, and by lower-case extension; each may be said once."""
    by_name: dict[str, str] = {}
    by_extension: dict[str, str] = {}
    for item in _parse(parts, "[Content_Types].xml"):
        if not isinstance(item.tag, str):
            continue
        into, key = (by_name, "PartName") if item.get("PartName") is not None else (by_extension, "Extension")
        name, content_type = unquote(str(item.get(key, ""))).lower(), str(item.get("ContentType", ""))
        if into.setdefault(name, content_type) != content_type:
            raise Refused("malformed_file", BROKEN)
    return by_name, by_extension


def _check_relations(root: Any) -> None:
    for relation in root.iter():
        if isinstance(relation.tag, str) and relation.get("Target") is not None:
            _check_relation(relation)


def _check_relation(relation: Any) -> None:
    """What a part has as its own and must not: macros, objects, templates that are fetched from elsewhere."""
    kind = str(relation.get("Type", "")).strip().rpartition("/")[2].lower()
    if kind in _ACTIVE_RELATIONS:
        raise active(_ACTIVE_RELATIONS[kind])
    target = str(relation.get("Target", "")).strip()
    if links.runs_something(target):
        raise active("a link that runs a script or a program")
    external = str(relation.get("TargetMode", "")).strip().lower() == "external"
    if not external and not links.elsewhere(target):
        return
    if kind == "hyperlink":
        return
    if external and kind in _EXTERNAL_ALLOWED and not links.on_a_share(target):
        return
    if external and kind == "attachedtemplate" and _LOCAL_TEMPLATE.match(unquote(target)):
        return
    raise active("a template or part that is fetched from elsewhere")


def _check_picture(root: Any) -> None:
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        scripted = any(str(key).rpartition("}")[2].lower().startswith("on") for key in element.attrib)
        if scripted or element.tag.rpartition("}")[2] in _SVG_ACTS:
            raise active("a picture with a script")
