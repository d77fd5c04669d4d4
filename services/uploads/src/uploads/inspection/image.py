"""Images: walked to their end, measured before they are decoded, then decoded in full."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from uploads.inspection import polyglot
from uploads.inspection.refusal import Refused

if TYPE_CHECKING:
    from uploads.inspection.structure import Caps

_BROKEN: Final = "The image is damaged or incomplete. Export it again and upload the new file."
_TRAILING: Final = "There is other data after the end of the image. Export the image again and upload the new file."
_MARKUP: Final = "The image has a web page or a script in its notes. Export it again without them and upload that."
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_NOTES: Final = frozenset({0xFE, *range(0xE0, 0xF0)})
"""Comments and application data: no part of the picture."""
_PADDING: Final = b"\0\r\n"
_PICTURES: Final = 16
"""In one file: phones store a preview or two, a depth map and a gain map."""
_PARTS: Final = 50_000
"""Segments or chunks: a large picture has some thousands; each of millions would cost time."""
_SCANS: Final = 100
"""Passes over a progressive picture: ten are usual, and each costs as much time as a whole plain picture."""
_TEXT_BYTES: Final = 1 << 20
"""How far a compressed note is unpacked."""


def check_png(path: Path, caps: Caps) -> None:
    """Refuses a PNG that is damaged, too large to decode, or has something after its end or hidden in its notes."""
    data = path.read_bytes()
    position = 8
    for kind, start, end in _png_chunks(data):
        if kind in {b"tEXt", b"zTXt", b"iTXt", b"eXIf"} and polyglot.has_markup(_note(kind, data[start:end])):
            raise Refused("active_content", _MARKUP)
        position = end + 4
    if data[position:].strip(_PADDING):
        raise Refused("malformed_file", _TRAILING)
    polyglot.check(data, "image")
    _decode(path, "PNG", caps)


def check_jpeg(path: Path, caps: Caps) -> None:
    """Refuses a JPEG that is damaged, too large to decode, or has something after its end or hidden in its notes.

    Phones store further pictures (a preview, a gain map) behind the first and list them in an MPF segment: those pass
    when each of them is a whole JPEG.
    """
    data = path.read_bytes()
    end, more = _jpeg_end(data, 0)
    for _ in range(_PICTURES if more else 0):
        start = _skip_padding(data, end)
        if not data.startswith(b"\xff\xd8", start):
            break
        end, _more = _jpeg_end(data, start)
    if _skip_padding(data, end) < len(data):
        raise Refused("malformed_file", _TRAILING)
    polyglot.check(data, "image")
    _decode(path, "JPEG", caps)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each chunk's data, up to the one that ends the image."""
    position = 8
    for _ in range(_PARTS):
        if position + 12 > len(data):
            break
        length = int.from_bytes(data[position : position + 4], "big")
        kind: bytes = data[position + 4 : position + 8]
        body_end = position + 8 + length
        if body_end + 4 > len(data):
            break
        crc = int.from_bytes(data[body_end : body_end + 4], "big")
        if zlib.crc32(memoryview(data)[position + 4 : body_end]) != crc:
            break
        yield kind, position + 8, body_end
        position = body_end + 4
        if kind == b"IEND":
            return
    raise Refused("malformed_file", _BROKEN)


def _note(kind: bytes, body: bytes) -> bytes:
    """The text of a note, unpacked as far as `_TEXT_BYTES` when it is packed."""
    keyword, _, rest = body.partition(b"\0")
    packed = rest[1:] if kind == b"zTXt" else b""
    if kind == b"iTXt" and rest[:1] == b"\1":
        packed = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    if not packed:
        return body
    try:
        return keyword + b"\0" + zlib.decompressobj().decompress(packed, _TEXT_BYTES)
    except zlib.error as error:
        raise Refused("malformed_file", _BROKEN) from error


def _skip_padding(data: bytes, position: int) -> int:
    while position < len(data) and data[position] in _PADDING:
        position += 1
    return position


def _jpeg_end(data: bytes, position: int) -> tuple[int, bool]:
    """Where the JPEG that starts at `position` ends, and whether it announces further pictures."""
    multi_picture = False
    position += 2
    scans = 0
    for _ in range(_PARTS):
        if position + 2 > len(data) or data[position] != 0xFF:
            break
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        position += 2
        if marker == 0xD9:
            return position, multi_picture
        if marker in _STANDALONE:
            continue
        if position + 2 > len(data):
            break
        length = int.from_bytes(data[position : position + 2], "big")
        if length < 2:
            break
        if marker in _NOTES and polyglot.has_markup(data[position + 2 : position + length]):
            raise Refused("active_content", _MARKUP)
        multi_picture = multi_picture or (marker == 0xE2 and data.startswith(b"MPF\0", position + 2))
        position += length
        if marker == 0xDA:
            scans += 1
            if scans > _SCANS:
                break
            position = _scan_end(data, position)
    raise Refused("malformed_file", _BROKEN)


def _scan_end(data: bytes, position: int) -> int:
    """The next marker after entropy-coded data: an FF that is neither stuffed nor a restart."""
    while True:
        position = data.find(b"\xff", position)
        if position < 0 or position + 1 >= len(data):
            return len(data)
        following = data[position + 1]
        if following != 0 and following != 0xFF and not 0xD0 <= following <= 0xD7:
            return position
        position += 1 if following == 0xFF else 2


def _decode(path: Path, format_name: Literal["PNG", "JPEG"], caps: Caps) -> None:
    import warnings

    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # our own cap, below, is the one that counts
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=[format_name]) as image:
                _check_pixels(image.size, caps)
                image.load()
    except Refused:
        raise
    except Exception as error:
        if isinstance(error, MemoryError):
            raise
        raise Refused("malformed_file", _BROKEN) from error


def _check_pixels(size: tuple[int, int], caps: Caps) -> None:
    width, height = size
    if width * height > caps.image_pixels:
        raise Refused(
            "malformed_file",
            f"The image has {width} x {height} pixels, more than {caps.image_pixels // 1_000_000} megapixels. "
            "Make it smaller and upload it again.",
        )
