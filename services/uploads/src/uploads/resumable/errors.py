"""Refusals of the resumable path.

InvalidRequest
  +  MoreThanAnnounced      400
Conflict
  +  OffsetConflict         409, with where to go on
  +  Incomplete             409
UnsupportedMediaType
  +  NotAChunk              415
BidwrightError
  +  UnknownVersion         412
  +  ChecksumMismatch       460, the protocol's own
"""

from __future__ import annotations

from common.errors import BidwrightError, Conflict, InvalidRequest, UnsupportedMediaType
from uploads.resumable.domain import VERSION


class MoreThanAnnounced(InvalidRequest):
    """More bytes have come than the upload was announced with."""

    error = "more_than_announced"


class OffsetConflict(Conflict):
    """The upload goes on elsewhere; ask where by HEAD, and send from there."""

    error = "offset_conflict"
    title = "Other offset"

    def __init__(self, *, offset: int | None = None) -> None:
        if offset is None:
            super().__init__()
        else:
            super().__init__(offset=offset, headers={"Upload-Offset": str(offset)})


class Incomplete(Conflict):
    """Not all of the file has arrived; send the rest first."""

    error = "upload_incomplete"

    def __init__(self, *, offset: int, length: int) -> None:
        super().__init__(offset=offset, length=length)


class UnknownVersion(BidwrightError):
    """Send `Tus-Resumable: 1.0.0`."""

    status = 412
    error = "unsupported_version"
    title = "Unsupported version"

    def __init__(self) -> None:
        super().__init__(headers={"Tus-Version": VERSION})


class NotAChunk(UnsupportedMediaType):
    """Send the bytes alone, as application/offset+octet-stream."""


class ChecksumMismatch(BidwrightError):
    """The bytes are not those that the checksum was made of; they are dropped, send them again."""

    status = 460
    error = "checksum_mismatch"
    title = "Checksum mismatch"
