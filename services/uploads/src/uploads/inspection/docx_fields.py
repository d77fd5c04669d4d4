"""Fields of a Word document: codes that Word carries out. Those that start programs or fetch files are not let in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from uploads.inspection import links
from uploads.inspection.refusal import Refused

_BEFORE: Final = ' \t\r\n\xa0"“”'
_PROGRAM: Final = re.compile(r"DDE(?:AUTO)?\b", re.I)
_OBJECT: Final = re.compile(r"(?:LINK|DATABASE)\s", re.I)
_FETCH: Final = re.compile(
    r"(INCLUDETEXT|INCLUDEPICTURE|INCLUDE|IMPORT|RD|HYPERLINK)\s+(?:\"([^\"]*)\"|(\S+))",
    re.I,
)
_STRAY: Final = re.compile(r"(?:^|\s)DDE(?:AUTO)?\s", re.I)
_DEPTH: Final = 64
"""Fields within fields; Word itself stops long before."""
_TOO_DEEP: Final = "The document has too many fields within fields. Save it as a new .docx and upload that."


@dataclass(slots=True)
class _Field:
    """A field that is open; what follows is its code, until the mark that parts the code from its result."""

    code: list[str] = field(default_factory=list)
    in_code: bool = True


def acts(root: Any) -> str | None:
    """What the fields of a part do on their own; None when they only show something."""
    for code in (code.lstrip(_BEFORE) for code in _codes(root)):
        if _PROGRAM.match(code):
            return "a field that starts a program (DDE)"
        if _OBJECT.match(code):
            return "a field that fetches from another file or a database"
        fetched = _FETCH.match(code)
        if fetched:
            what, target = fetched.group(1).upper(), fetched.group(2) or fetched.group(3)
            if links.runs_something(target):
                return "a link that runs a script or a program"
            if what != "HYPERLINK" and (
                links.on_a_share(target) or (what != "INCLUDEPICTURE" and links.elsewhere(target))
            ):
                return "a field that fetches from another computer"
    return None


def _codes(root: Any) -> Iterator[str]:
    """The code of every field, put together from its runs; the result of a field within a code is part of that code."""
    fields: list[_Field] = []
    stray: list[str] = []
    for element in root.iter():
        name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
        if name == "fldSimple":
            yield _attribute(element, "instr")
        elif name == "fldChar":
            kind = _attribute(element, "fldCharType")
            if kind == "begin":
                if len(fields) >= _DEPTH:
                    raise Refused("malformed_file", _TOO_DEEP)
                fields.append(_Field())
            elif kind in {"separate", "end"} and fields:
                if fields[-1].in_code:
                    yield "".join(fields[-1].code)
                fields[-1].in_code = False
                if kind == "end":
                    fields.pop()
        elif name in {"instrText", "delInstrText", "t", "delText"}:
            owner = next((one for one in reversed(fields) if one.in_code), None)
            if owner is not None:
                owner.code.append(element.text or "")
            elif name in {"instrText", "delInstrText"}:
                stray.append(element.text or "")
    yield from ("".join(one.code) for one in fields if one.in_code)
    if _STRAY.search("".join(stray) + " "):
        yield "DDE"


def _attribute(element: Any, name: str) -> str:
    return next((str(value) for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")
