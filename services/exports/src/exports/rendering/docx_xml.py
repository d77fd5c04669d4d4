"""WordprocessingML elements by their prefixed names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from docx.oxml.ns import qn
from docx.oxml.parser import OxmlElement

_XML_SPACE: Final = "{http://www.w3.org/XML/1998/namespace}space"

Element = Any
"""An lxml element of python-docx's own classes; their type is not public."""


def el(tag: str, attributes: Mapping[str, str] | None = None, *children: Element | str) -> Element:
    """`el("w:r", {}, el("w:tab"))`; a string among the children is the element's text."""
    element: Element = OxmlElement(tag)
    for name, value in (attributes or {}).items():
        element.set(_XML_SPACE if name == "xml:space" else qn(name), value)
    for child in children:
        if isinstance(child, str):
            element.text = child
        else:
            element.append(child)
    return element


def text_run(text: str, *properties: Element) -> Element:
    """A run of text whose spaces are kept."""
    shown = el("w:t", {"xml:space": "preserve"}, text)
    return el("w:r", {}, el("w:rPr", {}, *properties), shown) if properties else el("w:r", {}, shown)
