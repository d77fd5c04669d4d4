"""Writes template/glyphs.txt: the characters that the fonts of the PDF engine have. Run after an upgrade of either.

    python services/exports/tools/write_glyph_ranges.py

Reads the character maps of the bundled Noto Sans and of the fonts inside the typst library, leaves out what a tagged
PDF may not hold, and asks the engine about each character that is left.
"""

from __future__ import annotations

import json
import re
import struct
import unicodedata
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import typst

import exports.rendering

NOTO = Path(str(files("fontpkg_noto_sans"))) / "files"
OUTPUT = Path(exports.rendering.__file__).parent / "template" / "glyphs.txt"
NEVER = {0x2028, 0x2029, 0xFEFF}
PROBE = b"""
#set document(title: "Probe", date: datetime(year: 2026, month: 1, day: 1))
#set text(font: "Noto Sans", lang: "en")
= Probe
#for one in json(bytes(sys.inputs.data)) [#strong(one) #emph(one) #raw(one)

]
"""


def character_map(data: bytes, start: int = 0) -> set[int]:
    """The code points of the sfnt font at `start`; empty when there is none."""
    (tables,) = struct.unpack_from(">H", data, start + 4)
    if not 5 <= tables <= 40:
        return set()
    for at in range(tables):
        tag, _, offset, _ = struct.unpack_from(">4sIII", data, start + 12 + 16 * at)
        if tag == b"cmap":
            return set(_cmap(data, start + offset))
    return set()


def _cmap(data: bytes, table: int) -> Iterator[int]:
    for at in range(struct.unpack_from(">H", data, table + 2)[0]):
        subtable = table + struct.unpack_from(">HHI", data, table + 4 + 8 * at)[2]
        kind = struct.unpack_from(">H", data, subtable)[0]
        if kind == 4:
            count = struct.unpack_from(">H", data, subtable + 6)[0] // 2
            last = struct.unpack_from(f">{count}H", data, subtable + 14)
            first = struct.unpack_from(f">{count}H", data, subtable + 16 + 2 * count)
            yield from (point for low, high in zip(first, last, strict=True) for point in range(low, high + 1))
        elif kind == 12:
            for group in range(struct.unpack_from(">I", data, subtable + 12)[0]):
                low, high, _ = struct.unpack_from(">III", data, subtable + 16 + 12 * group)
                yield from range(low, high + 1)


def candidates() -> list[int]:
    """What any of the fonts claims to have, and a tagged PDF may hold."""
    library = next(Path(typst.__file__).parent.glob("*.so")).read_bytes()
    found: set[int] = set()
    for font in NOTO.iterdir():
        found |= character_map(font.read_bytes())
    for match in re.finditer(rb"OTTO|\x00\x01\x00\x00", library):
        try:
            found |= character_map(library, match.start())
        except struct.error:
            continue
    return sorted(point for point in found - NEVER if point <= 0x10FFFF and _allowed(chr(point)))


def _allowed(character: str) -> bool:
    category = unicodedata.category(character)
    if category.startswith("M"):  # a mark must fit the font of the letter before it: only the common ones do everywhere
        return "\u0300" <= character <= "\u036f"
    return category not in ("Cc", "Cs", "Co", "Cn")


def settable(points: Sequence[int], fonts: typst.Fonts) -> list[int]:
    """Those that the engine can set; halves the list until it knows."""
    try:
        data = json.dumps([f"a{chr(point)}b" for point in points])
        typst.compile(PROBE, font_paths=fonts, sys_inputs={"data": data}, pdf_standards=["a-2a", "ua-1"])
    except typst.TypstError:
        if len(points) == 1:
            return []
        half = len(points) // 2
        return settable(points[:half], fonts) + settable(points[half:], fonts)
    return list(points)


def ranges(points: Sequence[int]) -> Iterator[str]:
    """`0020-007E`, one for each run of neighbours."""
    first = previous = points[0]
    for point in [*points[1:], -1]:
        if point != previous + 1:
            yield f"{first:04X}" if first == previous else f"{first:04X}-{previous:04X}"
            first = point
        previous = point


def main() -> None:
    """Writes the file."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(NOTO)])
    points = candidates()
    known = [point for at in range(0, len(points), 500) for point in settable(points[at : at + 500], fonts)]
    OUTPUT.write_text("\n".join(ranges(known)) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
