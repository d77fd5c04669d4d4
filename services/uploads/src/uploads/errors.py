"""Refusals of the uploads service.

InvalidRequest
  x  FileRefused              400, `error` is the code of `uploads.inspection.refusal`
  +  MalformedMultipart       400
TooLarge
  +  FileTooLarge             413, decided before the body is read to its end
UnsupportedMediaType
  +  NotMultipart             415
QuotaExceeded
  +  StorageExhausted         402
Unavailable
  +  StorageUnavailable       503
"""

from __future__ import annotations

from common.errors import InvalidRequest, QuotaExceeded, TooLarge, Unavailable, UnsupportedMediaType
from uploads.inspection.refusal import CODES, Code, Refused


class FileRefused(InvalidRequest):
    """The file cannot be accepted."""

    title = "File refused"


def _refusal_class(code: Code) -> type[FileRefused]:
    name = "".join(word.capitalize() for word in code.split("_"))
    return type(name, (FileRefused,), {"error": code, "__doc__": FileRefused.__doc__})


_BY_CODE: dict[Code, type[FileRefused]] = {code: _refusal_class(code) for code in CODES}


def file_refused(refused: Refused) -> FileRefused:
    """The answer for what a check found."""
    return _BY_CODE[refused.code](refused.detail)


class MalformedMultipart(InvalidRequest):
    """The form could not be read; send multipart/form-data with one part named file."""


class NotMultipart(UnsupportedMediaType):
    """Send the file as multipart/form-data, in a part named file."""


class FileTooLarge(TooLarge):
    """The file is too large."""

    error = "file_too_large"
    title = "File too large"

    def __init__(self, *, limit: int) -> None:
        super().__init__(f"The file is larger than {_readable(limit)}; upload a smaller one.", limit=limit)


class StorageExhausted(QuotaExceeded):
    """Your organisation's storage is full; delete files or upgrade, then upload again."""

    def __init__(self, *, used: int, limit: int) -> None:
        super().__init__(reason="storage_exhausted", limits={"storage_bytes": limit}, usage={"storage_bytes": used})


class StorageUnavailable(Unavailable):
    """Files cannot be stored or read just now; try again in a moment."""


def _readable(size: int) -> str:
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= factor:
            return f"{size / factor:.4g} {unit}"
    return f"{size} bytes"
