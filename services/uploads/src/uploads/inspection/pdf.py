"""PDF: whole, readable without a password, and free of scripts, launch actions and embedded files.

Forms (AcroForm) and ordinary links pass. The walk goes over every object in the file, also those in object streams and
those that nothing refers to, because a reader and we may disagree about what is reachable.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from uploads.inspection import polyglot
from uploads.inspection.refusal import Refused

if TYPE_CHECKING:
    import pikepdf

    from uploads.inspection.structure import Caps

_TAIL: Final = 64 * 1024
_HEAD: Final = 64 * 1024
_AFTER_EOF: Final = 1024
_BLANK: Final = b"\0\t\n\f\r \x1a"
_FIRST_OBJECT: Final = re.compile(rb"\d{1,10}\s{1,9}\d{1,5}\s{1,9}obj\b")
_TWICE: Final = re.compile(
    r"duplicated key /(?:S|Type|Subtype|JS|F|UF|EF|A|AA|OpenAction|Names|Next|URI|AcroForm|XFA);"
)
"""qpdf takes the last of two equal keys, some readers the first: for these keys that would hide what they do."""
_UNREAD: Final = re.compile(r"error decoding stream data|unfilterable stream")
"""An object stream that qpdf gave up on: what is in it was not seen. Pages' own streams are not decoded here."""
_BROKEN: Final = "The PDF is damaged or incomplete. Open it, save or print it as a new PDF, and upload that."


def check(path: Path, caps: Caps) -> None:
    """Refuses a PDF that is damaged, encrypted with a password, also something else, or active."""
    _check_edges(path.read_bytes())
    import pikepdf

    try:
        with pikepdf.open(path, suppress_warnings=True) as pdf:
            _check_open(pdf, caps)
    except pikepdf.PasswordError as error:
        raise _encrypted() from error
    except (pikepdf.PdfError, ValueError, TypeError, RuntimeError, RecursionError) as error:
        if "encryption" in str(error).lower():  # by a certificate, or by a newer method than we can open
            raise _encrypted() from error
        raise Refused("malformed_file", _BROKEN) from error


def _check_open(pdf: pikepdf.Pdf, caps: Caps) -> None:
    from uploads.inspection import pdf_objects

    if len(pdf.pages) == 0:
        raise Refused("malformed_file", "The PDF has no pages. Export it again and upload the new file.")
    if len(pdf.objects) > caps.pdf_objects:
        raise Refused("malformed_file", "The PDF has too many objects to check. Print it as a new PDF and upload that.")
    pdf_objects.check(pdf)
    for warning in map(str, pdf.get_warnings()):
        if _TWICE.search(warning):
            raise Refused("malformed_file", f"The PDF says two different things in one place. {_BROKEN}")
        if _UNREAD.search(warning):
            raise Refused("malformed_file", _BROKEN)


def _check_edges(data: bytes) -> None:
    """Before the first object there are only comments, after the end nothing, and no archive anywhere."""
    tail = data[-_TAIL:]
    marker = tail.rfind(b"%%EOF")
    if marker < 0:
        raise Refused("malformed_file", _BROKEN)
    rest = tail[marker + 5 :]
    if len(rest) > _AFTER_EOF or rest.strip(_BLANK):
        raise Refused(
            "malformed_file", "There is other data after the end of the PDF. Save it as a new PDF and upload that."
        )
    polyglot.check(data, "PDF")
    first = _FIRST_OBJECT.search(data, 0, _HEAD)
    if first is None or polyglot.has_markup(data[: first.start()]):
        raise Refused(
            "malformed_file", "There is other data before the start of the PDF. Save it as a new PDF and upload that."
        )


def _encrypted() -> Refused:
    return Refused("encrypted_file", "The PDF is protected by a password. Remove the password and upload it again.")
