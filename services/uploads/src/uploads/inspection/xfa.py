"""XFA forms: XML inside a PDF, which may carry scripts and addresses to send the form to."""

from __future__ import annotations

from typing import Any, Final

from uploads.inspection.refusal import Refused

_ACTS: Final = {
    "script": "a form with scripts (XFA)",
    "submit": "a form that sends itself to a server (XFA)",
    "execute": "a form that calls a server (XFA)",
    "wsdlConnection": "a form that calls a server (XFA)",
    "xmlConnection": "a form that calls a server (XFA)",
}


def acts(xml: bytes) -> str | None:
    """What in the form acts on its own; None for a form that only has fields.

    Read by an XML parser, not searched: encodings, prefixes and entities would hide a script from a search. A form that
    cannot be read is refused.
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise _unreadable() from error
    document: Any = root.getroottree().docinfo
    if document.doctype:
        raise _unreadable()
    for element in root.iter():
        if isinstance(element.tag, str) and (what := _ACTS.get(etree.QName(element).localname)):
            return what
    return None


def _unreadable() -> Refused:
    return Refused(
        "malformed_file",
        "The PDF has a form (XFA) that cannot be checked. Print it as a new PDF, which leaves that out, and upload it.",
    )
