"""Images: walked to their end, measured before they are decoded, then decoded in full."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from uploads.inspection.refusal import Refused

if TYPE_CHECKING:
    from uploads.inspection.structure import Caps

_BROKEN: Final = "The image is damaged or incomplete. Export it again and upload the new file."
_TRAILING: Final = "There is other data after the end of the image. Export the image again and upload the new file."
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_PADDING: Final = b"\0\r\n"


def check_png(path: Path, caps: Caps) -> None:
    """Refuses a PNG that is damaged, too large to decode, or has something after its end."""
    data = path.read_bytes()
    if data[_png_end(data) :].strip(_PADDING):
        raise Refused("malformed_file", _TRAILING)
    _decode(path, "PNG", caps)


def check_jpeg(path: Path, caps: Caps) -> None:
    """Refuses a JPEG that is damaged, too large to decode, or has something after its end.

    Phones store further pictures (a preview, a gain map) behind the first and list them in an MPF segment: those pass
    when each of them is a whole JPEG.
    """
    data = path.read_bytes()
    end, multi_picture = _jpeg_end(data, 0)
    rest = data[end:].lstrip(_PADDING)
    while multi_picture and rest.startswith(b"\xff\xd8"):
        end, _ = _jpeg_end(rest, 0)
        rest = rest[end:].lstrip(_PADDING)
    if rest:
        raise Refused("malformed_file", _TRAILING)
    _decode(path, "JPEG", caps)


def _png_end(data: bytes) -> int:
    position = 8
    while position + 12 <= len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        kind: bytes = data[position + 4 : position + 8]
        body_end = position + 8 + length
        if body_end + 4 > len(data):
            break
        crc = int.from_bytes(data[body_end : body_end + 4], "big")
        if zlib.crc32(memoryview(data)[position + 4 : body_end]) != crc:
            break
        position = body_end + 4
        if kind == b"IEND":
            return position
    raise Refused("malformed_file", _BROKEN)


def _jpeg_end(data: bytes, position: int) -> tuple[int, bool]:
    """Where the JPEG that starts at `position` ends, and whether it announces further pictures."""
    multi_picture = False
    position += 2
    while position + 2 <= len(data) and data[position] == 0xFF:
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
        multi_picture = multi_picture or (marker == 0xE2 and data.startswith(b"MPF\0", position + 2))
        position += length
        if marker == 0xDA:
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

    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # our own cap, below, is the one that counts
    warnings.simplefilter("ignore")
    try:
        with Image.open(path, formats=[format_name]) as image:
            width, height = image.size
            if width * height > caps.image_pixels:
                raise Refused(
                    "malformed_file",
                    f"The image has {width} x {height} pixels, more than {caps.image_pixels // 1_000_000} megapixels. "
                    "Make it smaller and upload it again.",
                )
            image.load()
    except Refused:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error) as error:
        raise Refused("malformed_file", _BROKEN) from error
