"""What the objects of a PDF do: none of them may run a script, start or fetch something, or hold a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import pikepdf

from uploads.inspection import links, xfa
from uploads.inspection.refusal import Refused

_SUSPECT: Final = re.compile(
    rb"/(?:JS|JavaScript|Launch|E?F|UF|EmbeddedFile|RichMedia\w*|FileAttachment|GoToE|GoToR|ImportData|SubmitForm"
    rb"|Rendition|Movie|Sound|3D|OnInstantiate|XFA|URI|Ref)\b|/(?:S|Type|Subtype)\s+\d+\s+\d+\s+R\b"
)
"""Objects without any of these need no closer look; qpdf writes names out plainly, however they were escaped."""

_ACTIONS: Final = {
    "/JavaScript": "JavaScript",
    "/Launch": "an action that starts a program",
    "/GoToE": "a link into an embedded file",
    "/ImportData": "an action that imports a file",
    "/SubmitForm": "a button that sends its form to a server",
    "/Rendition": "embedded media",
    "/RichMediaExecute": "embedded media",
}
_ANNOTATIONS: Final = {
    "/RichMedia": "embedded media",
    "/FileAttachment": "an attached file",
    "/Movie": "embedded media",
    "/Sound": "embedded media",
    "/3D": "embedded media",
}
_ITEMS: Final = 300_000
"""How many entries of dictionaries and lists get the closer look: some seconds' worth. A link has some ten."""


def check(pdf: pikepdf.Pdf) -> None:
    """Looks at every object, also in object streams and those that nothing refers to."""
    left = _ITEMS
    for container in _suspects(pdf):
        left -= _check_container(container, left)


def _suspects(pdf: pikepdf.Pdf) -> Iterator[Any]:
    yield pdf.trailer
    for item in pdf.objects:
        body: Any = item.stream_dict if isinstance(item, pikepdf.Stream) else item
        if isinstance(body, (pikepdf.Dictionary, pikepdf.Array)) and _SUSPECT.search(body.unparse(resolved=True)):
            yield body
            if isinstance(item, pikepdf.Stream) and isinstance(body.get("/F"), (pikepdf.String, pikepdf.Dictionary)):
                raise _active("content that is fetched from another file")


def _check_container(root: Any, left: int) -> int:
    """Looks at `root` and the direct objects inside it; what it only refers to is visited on its own.

    Returns how many entries that were; refuses when they are more than `left`.
    """
    stack = [root]
    seen = 0
    while stack:
        item = stack.pop()
        seen += 1 + len(item)
        if seen > left:
            raise Refused(
                "malformed_file", "The PDF has too many objects to check. Print it as a new PDF and upload that."
            )
        if isinstance(item, pikepdf.Dictionary):
            _check_dictionary(item)
            children = [value for _, value in item.items()]
        else:
            children = list(item)
        stack += [
            child
            for child in children
            if isinstance(child, (pikepdf.Dictionary, pikepdf.Array)) and not getattr(child, "is_indirect", False)
        ]
    return seen


def _check_dictionary(item: pikepdf.Dictionary) -> None:
    action = str(item.get("/S", ""))
    if action in _ACTIONS:
        raise _active(_ACTIONS[action])
    script = item.get("/JS")
    if (
        isinstance(script, pikepdf.String)
        or (isinstance(script, pikepdf.Stream) and action)
        or "/OnInstantiate" in item
    ):
        raise _active("JavaScript")
    if str(item.get("/Subtype", "")) in _ANNOTATIONS:
        raise _active(_ANNOTATIONS[str(item.get("/Subtype"))])
    if str(item.get("/Type", "")) == "/EmbeddedFile" or isinstance(item.get("/EF"), pikepdf.Dictionary):
        raise _active("an embedded file")
    link = item.get("/URI")
    if isinstance(link, pikepdf.String) and links.runs_something(str(link)):
        raise _active("a link that runs a script or a program")
    if action == "/GoToR" and any(links.elsewhere(name) for name in _file_names(item.get("/F"))):
        raise _active("a link that opens a file on another computer")
    reference = item.get("/Ref")
    if isinstance(reference, pikepdf.Dictionary) and "/F" in reference and "/Page" in reference:
        raise _active("a page that is fetched from another file")
    if "/XFA" in item:
        _check_form(item["/XFA"])


def _file_names(specification: Any) -> list[str]:
    if isinstance(specification, pikepdf.Dictionary):
        named = [specification.get(key) for key in ("/F", "/UF", "/Unix", "/DOS", "/Mac")]
        return [str(name) for name in named if isinstance(name, pikepdf.String)]
    return [str(specification)] if isinstance(specification, pikepdf.String) else []


def _check_form(form: Any) -> None:
    """The packets of an XFA form are one XML document in pieces."""
    packets = list(form) if isinstance(form, pikepdf.Array) else [form]
    xml = b"".join(packet.read_bytes() for packet in packets if isinstance(packet, pikepdf.Stream))
    what = xfa.acts(xml) if xml.strip() else None
    if what is not None:
        raise _active(what)


def _active(what: str) -> Refused:
    return Refused(
        "active_content", f"The PDF contains {what}. Print it as a new PDF, which leaves that out, and upload it."
    )
