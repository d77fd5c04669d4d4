"""An organisation's own Word template, made safe and made to fit: what it looks like is kept, what it does is not.

Kept are its styles, theme, numbering, page, headers and footers with their pictures. Its text, settings, properties and
everything that is not in this list stay behind. The result has every style that the writer uses, under the ids that it
uses, so that a file is written in it as in ours; the same template always gives the same bytes.
"""

from __future__ import annotations

import copy
import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, Final

from lxml import etree

from common.canonical_zip import pack
from exports.rendering.docx import own_template
from exports.rendering.word_parts import CORE, DOCUMENT, RELS, SETTINGS, STYLES, adopt, qn

MAX_PARTS: Final = 200
MAX_UNPACKED_BYTES: Final = 32 * 1024**2
"""A letterhead with its logos has a megabyte or two; a bomb has more."""

_MAIN_TYPES: Final = tuple(
    f"application/vnd.openxmlformats-officedocument.wordprocessingml.{kind}.main+xml"
    for kind in ("document", "template")
)
_ACTIVE: Final = re.compile(r"vba|activex|embeddings|oleobject|ctrlprops|\.bin$|macro", re.IGNORECASE)
_KEPT: Final = re.compile(
    r"word/(document|styles|numbering|theme/theme\d*|header\d*|footer\d*)\.xml"
    r"|word/_rels/(document|header\d*|footer\d*)\.xml\.rels"
    r"|word/media/[\w .-]+\.(png|jpg|jpeg)",
    re.IGNORECASE,
)
_FRAME: Final = re.compile(r"word/(header|footer)\d*\.xml")
_FIELDS: Final = {"PAGE", "NUMPAGES", "SECTION", "SECTIONPAGES", "STYLEREF", "TITLE"}
_FORBIDDEN: Final = {"object", "altChunk", "control", "OLEObject", "subDoc", "attachedTemplate", "movie", "dde"}
_PICTURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


class TemplateRefused(Exception):
    """This file cannot be a template; `reason` is stable, the message is for the person who sent it."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def prepare(data: bytes) -> bytes:
    """The template as the writer takes it. Raises TemplateRefused."""
    parts = _read(data)
    _check_types(parts)
    kept = {name: body for name, body in parts.items() if _KEPT.fullmatch(name)}
    trees = {name: _parse(name, body) for name, body in kept.items() if not name.startswith("word/media/")}
    for name, tree in trees.items():
        _check(name, tree)
    for name, body in kept.items():
        if name.startswith("word/media/") and not body.startswith(_PICTURES):
            raise TemplateRefused("malformed_file", f"{name} is not the PNG or JPEG that its name says.")
    if DOCUMENT not in trees or STYLES not in trees:
        raise TemplateRefused("malformed_file", "The file has no document or no styles: it is no Word document.")
    _check_frames(trees, kept)
    own = own_template()
    adopted = adopt({name: copy.deepcopy(tree) for name, tree in trees.items()}, own)
    out = {name: _write(tree) for name, tree in adopted.items()}
    out |= {name: body for name, body in kept.items() if name.startswith("word/media/")}
    out |= {name: own[name] for name in (CORE, SETTINGS, RELS)}
    return pack(out)


def _read(data: bytes) -> dict[str, bytes]:
    """The parts of the archive, once its listing makes sense."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check_listing(entries)
            return {entry.filename: archive.read(entry) for entry in entries if not entry.is_dir()}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError, OSError, ValueError) as error:
        raise TemplateRefused("malformed_file", "This is not a Word document (.docx), or it is damaged.") from error


def _check_listing(entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.filename.casefold() for entry in entries]
    if len(entries) > MAX_PARTS or sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        raise TemplateRefused("malformed_file", "The file unpacks to more than a template has.")
    if len(set(names)) != len(names):
        raise TemplateRefused("malformed_file", "The file holds two parts of the same name.")
    for entry in entries:
        name = entry.filename
        if entry.flag_bits & 0x1:
            raise TemplateRefused("encrypted_file", "The file is encrypted; save it without a password.")
        if "\\" in name or name.startswith("/") or ".." in name.split("/"):
            raise TemplateRefused("malformed_file", "The file holds a part with an unsafe name.")
        if _ACTIVE.search(name):
            raise TemplateRefused("active_content", f"The file holds {name}; macros and embedded objects are refused.")


def _check_types(parts: Mapping[str, bytes]) -> None:
    types = _parse("[Content_Types].xml", parts.get("[Content_Types].xml", b""))
    for override in types:
        if override.get("PartName") == f"/{DOCUMENT}":
            if override.get("ContentType") in _MAIN_TYPES:
                return
            raise TemplateRefused("active_content", "Only .docx and .dotx without macros are taken.")
    raise TemplateRefused("malformed_file", "This is not a Word document (.docx).")


def _parse(name: str, body: bytes) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        tree = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise TemplateRefused("malformed_file", f"{name} is not well-formed XML.") from error
    info: Any = tree.getroottree().docinfo
    if info.doctype:
        raise TemplateRefused("active_content", f"{name} declares a document type.")
    return tree


def _write(tree: Any) -> bytes:
    written: bytes = etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True)
    return written


def _check(name: str, tree: Any) -> None:
    """Nothing in a part may fetch, run or compute."""
    if name.endswith(".rels"):
        for one in tree:
            if one.get("TargetMode") == "External" and not name.endswith("document.xml.rels"):
                raise TemplateRefused("active_content", f"{name} leads outside the file, to {one.get('Target')!r:.80}.")
        return
    for element in tree.iter(etree.Element):
        local = etree.QName(element).localname
        if local in _FORBIDDEN:
            raise TemplateRefused("active_content", f"{name} holds an embedded object ({local}).")
        if not _FRAME.fullmatch(name):
            continue
        code = element.get(qn("w:instr")) if local == "fldSimple" else element.text if local == "instrText" else None
        if code and (words := code.split()) and words[0].upper() not in _FIELDS:
            raise TemplateRefused(
                "active_content", f"{name} holds the field {words[0][:20]}; only page numbers are taken."
            )


def _check_frames(trees: Mapping[str, Any], kept: Mapping[str, bytes]) -> None:
    """Headers and footers may refer to pictures of the file only."""
    for name, tree in trees.items():
        if not name.startswith("word/_rels/") or name.endswith("/document.xml.rels"):
            continue
        for one in tree:
            target = str(one.get("Target", ""))
            if f"word/{target}" not in kept or not target.startswith("media/"):
                raise TemplateRefused(
                    "malformed_file",
                    f"A header or footer refers to {target[:80]!r}; only PNG and JPEG pictures are taken.",
                )
