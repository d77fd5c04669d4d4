"""Sound pictures: (name, filename, how it is made)."""

# ruff: noqa: E501 -- one case, one line

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from .checking import Good
from .hostile_others import PNG_HEAD, chunk


def _photo(mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((320, 240), 60).convert(mode).save(out, "JPEG", **options)  # type: ignore[arg-type]  # Pillow's
    return out.getvalue()


def _exif() -> bytes:
    """As a scanner or a phone writes it: turned, with the maker's name, a place and a note."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0112], exif[0x010E] = "Scanner & Co <sales@example.org>", 6, "page 1 of 3 < 5"
    exif.get_ifd(0x8825)[1] = "N"
    return _photo(exif=exif, dpi=(300, 300), comment=b"CREATOR: gd-jpeg v1.0, quality = 90", icc_profile=_profile())


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _phone() -> bytes:
    out = io.BytesIO()
    first, second = Image.new("RGB", (80, 60), "red"), Image.new("RGB", (40, 30), "blue")
    first.save(out, "MPO", save_all=True, append_images=[second])
    return out.getvalue()


def _described() -> bytes:
    """With the description that picture editors write."""
    xmp = b'http://ns.adobe.com/xap/1.0/\0<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF/></x:xmpmeta><?xpacket end="w"?>'
    plain = _photo(quality=95, subsampling=0)
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(xmp) + 2) + xmp + plain[2:]


def _png(mode: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((64, 48), 60).convert(mode).save(out, "PNG", **options)  # type: ignore[arg-type]  # Pillow's
    return out.getvalue()


def _deep() -> bytes:
    """Sixteen bits a colour."""
    rows = zlib.compress((b"\0" + b"\x12\x34" * 3 * 8) * 8)
    return (
        PNG_HEAD
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0))
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def _interlaced() -> bytes:
    """Adam7: seven passes over an 8 x 8 picture."""
    passes = ((1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4))
    rows = b"".join((b"\0" + b"\x80" * width) * height for width, height in passes)
    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 1)
    return PNG_HEAD + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _titled() -> bytes:
    notes = PngInfo()
    notes.add_text("Software", "Screenshot < 2.0 >")
    notes.add_itxt("XML:com.adobe.xmp", '<?xpacket?><x:xmpmeta xmlns:x="adobe:ns:meta/"/>', zip=True)
    return _png("RGB", pnginfo=notes, dpi=(144, 144), icc_profile=_profile())


def _animated() -> bytes:
    return _png("RGBA", save_all=True, append_images=[Image.new("RGBA", (64, 48))])


GOOD: list[Good] = [
    ("scanner, with exif", "a.jpg", _exif),
    ("progressive", "a.jpeg", lambda: _photo(progressive=True, optimize=True)),
    ("four inks", "a.jpg", lambda: _photo("CMYK")),
    ("grey", "a.JPG", lambda: _photo("L")),
    ("restart marks", "a.jpg", lambda: _photo(restart_marker_rows=1)),
    ("described", "a.jpg", _described),
    ("phone, two pictures", "a.jpg", _phone),
    ("palette", "a.png", lambda: _png("P", transparency=0)),
    ("black and white", "a.png", lambda: _png("1")),
    ("grey and alpha", "a.png", lambda: _png("LA")),
    ("alpha", "a.png", lambda: _png("RGBA", optimize=True)),
    ("16 bit", "a.png", _deep),
    ("interlaced", "a.png", _interlaced),
    ("screenshot with notes", "a.png", _titled),
    ("animated", "a.png", _animated),
]
