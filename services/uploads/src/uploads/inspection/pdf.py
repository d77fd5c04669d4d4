"""PDF: whole, readable without a password, and free of scripts, launch actions and embedded files.

Forms (AcroForm) and ordinary links pass. The walk goes over every object in the file, also those in object streams and
those that nothing refers to, because a reader and we may disagree about what is reachable.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from uploads.inspection.refusal import Refused

if TYPE_CHECKING:
    import pikepdf

    from uploads.inspection.structure import Caps

_TAIL: Final = 64 * 1024
_AFTER_EOF: Final = 1024
_BLANK: Final = b"\0\t\n\f\r \x1a"

_SUSPECT: Final = re.compile(
    rb"/(?:JS|JavaScript|Launch|EF|EmbeddedFile|RichMedia|FileAttachment|GoToE|ImportData|OnInstantiate|XFA|URI)\b"
)
"""Objects without any of these need no closer look; qpdf writes names out plainly, however they were escaped."""

_ACTIONS: Final = {
    "/JavaScript": "JavaScript",
    "/Launch": "an action that starts a program",
    "/GoToE": "a link into an embedded file",
    "/ImportData": "an action that imports a file",
}
_ANNOTATIONS: Final = {"/RichMedia": "embedded media", "/FileAttachment": "an attached file"}
_BROKEN: Final = "The PDF is damaged or incomplete. Open it, save or print it as a new PDF, and upload that."


def check(path: Path, caps: Caps) -> None:
    """Refuses a PDF that is damaged, encrypted with a password, also something else, or active."""
    _check_end(path)
    import pikepdf

    try:
        with pikepdf.open(path, suppress_warnings=True) as pdf:
            if len(pdf.pages) == 0:
                raise Refused("malformed_file", "The PDF has no pages. Export it again and upload the new file.")
            if len(pdf.objects) > caps.pdf_objects:
                raise Refused(
                    "malformed_file", "The PDF has too many objects to check. Print it as a new PDF and upload that."
                )
            for container in _suspects(pdf):
                _check_container(container)
    except pikepdf.PasswordError as error:
        raise Refused(
            "encrypted_file", "The PDF is protected by a password. Remove the password and upload it again."
        ) from error
    except (pikepdf.PdfError, ValueError, TypeError, RuntimeError, RecursionError) as error:
        raise Refused("malformed_file", _BROKEN) from error


def _check_end(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    marker = tail.rfind(b"%%EOF")
    if marker < 0:
        raise Refused("malformed_file", _BROKEN)
    rest = tail[marker + 5 :]
    if len(rest) > _AFTER_EOF or rest.strip(_BLANK):
        raise Refused(
            "malformed_file", "There is other data after the end of the PDF. Save it as a new PDF and upload that."
        )
    if _is_archive(path):
        raise Refused(
            "malformed_file", "The PDF is a ZIP archive at the same time. Save it as a new PDF and upload that."
        )


def _is_archive(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return bool(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def _suspects(pdf: pikepdf.Pdf) -> Iterator[Any]:
    import pikepdf

    yield pdf.trailer
    for item in pdf.objects:
        body: Any = item.stream_dict if isinstance(item, pikepdf.Stream) else item
        if isinstance(body, (pikepdf.Dictionary, pikepdf.Array)) and _SUSPECT.search(body.unparse(resolved=True)):
            yield body


def _check_container(root: Any) -> None:
    """Looks at `root` and the direct objects inside it; what it only refers to is visited on its own."""
    import pikepdf

    stack = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, pikepdf.Dictionary):
            _check_dictionary(item)
            children = [value for _, value in item.items()]
        elif isinstance(item, pikepdf.Array):
            children = list(item)
        else:
            continue
        stack += [
            child
            for child in children
            if isinstance(child, (pikepdf.Dictionary, pikepdf.Array)) and not getattr(child, "is_indirect", False)
        ]


def _check_dictionary(item: pikepdf.Dictionary) -> None:
    import pikepdf

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
    if isinstance(link, pikepdf.String) and str(link).strip().lower().startswith("javascript:"):
        raise _active("a link that runs JavaScript")
    if "/XFA" in item:
        _check_xfa(item["/XFA"])


def _check_xfa(form: Any) -> None:
    import pikepdf

    packets = list(form) if isinstance(form, pikepdf.Array) else [form]
    for packet in packets:
        if isinstance(packet, pikepdf.Stream) and re.search(rb"<(?:\w+:)?script\b", packet.read_bytes(), re.I):
            raise _active("a form with scripts (XFA)")


def _active(what: str) -> Refused:
    return Refused(
        "active_content", f"The PDF contains {what}. Print it as a new PDF, which leaves that out, and upload it."
    )
