"""What the parts of a DOCX say: it is a Word document, and nothing in it acts on its own."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from typing import Any, Final

from uploads.inspection.refusal import Refused

_MAIN: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_ACTIVE_NAMES: Final = (
    (re.compile(r"(^|/)vba(project|data)", re.I), "macros"),
    (re.compile(r"(^|/)activex/", re.I), "ActiveX controls"),
    (re.compile(r"(^|/)embeddings/(?!.*\.xlsx$)", re.I), "an embedded file"),
    (re.compile(r"\.(exe|dll|js|vbs|bat|cmd|ps1|scr|hta|jar|html?|mht|rtf|docm|xlsm|bin)$", re.I), "an embedded file"),
)
_PRINTER_SETTINGS: Final = re.compile(r"(^|/)printersettings/", re.I)
_ACTIVE_TYPES: Final = (("vbaproject", "macros"), ("macroenabled", "macros"), ("activex", "ActiveX controls"))
_ACTIVE_RELATIONS: Final = {
    "vbaProject": "macros",
    "control": "ActiveX controls",
    "activeXControlBinary": "ActiveX controls",
    "oleObject": "an embedded file",
    "aFChunk": "an embedded file",
    "subDocument": "another document",
    "attachedToolbars": "macros",
}
_EXTERNAL_ALLOWED: Final = frozenset({"hyperlink", "image", "video"})
_LOCAL_TEMPLATE: Final = re.compile(r"^(?:file:///)?[A-Za-z]:[\\/]|^file:///(?!/)[^/\\]", re.I)
"""Word writes where the author's own template lay; only a remote one is fetched and run."""
_DDE: Final = re.compile(r"^\s*DDE(AUTO)?\b", re.I)
_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_BROKEN: Final = "The document is damaged. Open it in Word or LibreOffice, save it as a new .docx, and upload that."


def check(names: Iterable[str], parts: dict[str, bytes]) -> None:
    """`names` are all the members, `parts` the XML ones by name."""
    for name in names:
        for pattern, what in _ACTIVE_NAMES:
            if pattern.search(name) and not _PRINTER_SETTINGS.search(name):
                raise _active(what)
    types = _parse(parts, "[Content_Types].xml")
    main = _main_part(parts)
    declared = _content_types(types)
    for content_type in declared.values():
        for needle, what in _ACTIVE_TYPES:
            if needle in content_type.lower():
                raise _active(what)
    if declared.get("/" + main.lower()) != _MAIN:
        raise Refused(
            "mismatched_signature", "The file is an Office file, but not a Word document (.docx). Save it as one."
        )
    for name in parts:
        root = _parse(parts, name)
        if name.lower().endswith(".rels"):
            _check_relations(root)
        elif name.lower().startswith("word/"):
            _check_fields(root)


def _parse(parts: dict[str, bytes], name: str) -> Any:
    from lxml import etree

    if name not in parts:
        raise Refused("malformed_file", _BROKEN)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(parts[name], parser)
    except etree.XMLSyntaxError as error:
        raise Refused("malformed_file", _BROKEN) from error
    document: Any = root.getroottree().docinfo
    if document.doctype:
        raise Refused("malformed_file", f"The document declares entities, which Word never does. {_BROKEN}")
    return root


def _main_part(parts: dict[str, bytes]) -> str:
    for relation in _parse(parts, "_rels/.rels"):
        if str(relation.get("Type", "")).endswith("/officeDocument"):
            name = posixpath.normpath(str(relation.get("Target", "")).lstrip("/"))
            if name in parts:
                return name
    raise Refused("malformed_file", _BROKEN)


def _content_types(root: Any) -> dict[str, str]:
    """By lower-case part name; defaults by extension under their extension alone."""
    return {
        str(item.get("PartName", item.get("Extension", ""))).lower(): str(item.get("ContentType", ""))
        for item in root
        if isinstance(item.tag, str)
    }


def _check_relations(root: Any) -> None:
    for relation in root:
        kind = str(relation.get("Type", "")).rpartition("/")[2]
        if kind in _ACTIVE_RELATIONS:
            raise _active(_ACTIVE_RELATIONS[kind])
        target = str(relation.get("Target", ""))
        if target.strip().lower().startswith(("javascript:", "vbscript:")):
            raise _active("a link that runs a script")
        if str(relation.get("TargetMode", "")).lower() != "external" or kind in _EXTERNAL_ALLOWED:
            continue
        if kind == "attachedTemplate" and _LOCAL_TEMPLATE.match(target):
            continue
        raise _active("a template or part that is fetched from elsewhere")


def _check_fields(root: Any) -> None:
    """DDE fields start programs; Word may split a field's code over several runs."""
    for simple in root.iter(f"{_W}fldSimple"):
        if _DDE.match(str(simple.get(f"{_W}instr", ""))):
            raise _active("a field that starts a program (DDE)")
    for paragraph in root.iter(f"{_W}p"):
        code = "".join(item.text or "" for item in paragraph.iter(f"{_W}instrText"))
        if _DDE.match(code):
            raise _active("a field that starts a program (DDE)")


def _active(what: str) -> Refused:
    return Refused(
        "active_content", f"The document contains {what}. Save a copy without that as .docx and upload the copy."
    )
