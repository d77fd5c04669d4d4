"""Writes template/glyphs.txt: the characters that each font of the PDF engine can set. Run after an upgrade of any.

    python services/exports/tools/write_glyph_ranges.py

Reads the character maps of the bundled fonts and of those inside the typst library, leaves out what a tagged PDF may
not hold, and asks the engine about each character that is left. One part for each face, `# <family>` above it.
"""

from __future__ import annotations

import json
import re
import struct
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import typst

import exports.rendering
from exports.rendering.fonts import BASE, FACES, Face, font_folder

NOTO = Path(str(files("fontpkg_noto_sans"))) / "files"
OUTPUT = Path(exports.rendering.__file__).parent / "template" / "glyphs.txt"
NEVER = {0x2028, 0x2029, 0xFEFF}
DEVANAGARI = {*range(0x900, 0x980), *range(0xA8E0, 0xA900)}
"""Noto Sans has it too, but its marks count for the face of the script only."""
PROBE = b"""
#set document(title: "Probe", date: datetime(year: 2026, month: 1, day: 1))
#set text(font: json(bytes(sys.inputs.fonts)), lang: "en")
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


def base_candidates() -> list[int]:
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
    # a mark must fit the font of the letter before it: only the common ones do everywhere
    return allowed_points(point for point in found if not _is_mark(point) or 0x300 <= point <= 0x36F)


def allowed_points(points: Iterator[int]) -> list[int]:
    return sorted(point for point in set(points) - NEVER if point <= 0x10FFFF and _allowed(chr(point)))


def _is_mark(point: int) -> bool:
    return unicodedata.category(chr(point)).startswith("M") if point <= 0x10FFFF else False


def _allowed(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cs", "Co", "Cn")


def settable(points: Sequence[int], families: Sequence[str], fonts: typst.Fonts, letter: str = "a") -> list[int]:
    """Those that the engine can set after a letter; halves the list until it knows."""
    try:
        inputs = {
            "data": json.dumps([f"{letter}{chr(point)}b" for point in points]),
            "fonts": json.dumps(list(families)),
        }
        typst.compile(PROBE, font_paths=fonts, sys_inputs=inputs, pdf_standards=["a-2a", "ua-1"])
    except typst.TypstError:
        if len(points) == 1:
            return []
        half = len(points) // 2
        first, second = points[:half], points[half:]
        return settable(first, families, fonts, letter) + settable(second, families, fonts, letter)
    return list(points)


def of_face(face: Face, known: set[int]) -> list[int]:
    """What a face adds to the base."""
    with font_folder("sans", [face]) as folder:
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[folder])
        return _of_face(face, known, fonts)


def _of_face(face: Face, known: set[int], fonts: typst.Fonts) -> list[int]:
    if face.family not in fonts.families():
        raise SystemExit(f"{face.path} is not {face.family}: {fonts.families()}")
    points = allowed_points(iter(character_map(face.path.read_bytes()) - known))
    letters = [point for point in points if unicodedata.category(chr(point)) == "Lo"]
    families = ["Noto Sans", face.family]
    return [
        point
        for at in range(0, len(points), 500)
        for point in settable(points[at : at + 500], families, fonts, chr(letters[0]) if letters else "a")
    ]


def ranges(points: Sequence[int]) -> Iterator[str]:
    """`0020-007E`, one for each run of neighbours."""
    first = previous = points[0]
    for point in [*points[1:], -1]:
        if point != previous + 1:
            yield f"{first:04X}" if first == previous else f"{first:04X}-{previous:04X}"
            first = point
        previous = point


def main() -> None:
    """Writes the file. A script's own face goes before the odd letters that the engine's monospaced font has of it."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(NOTO)])
    text = {point for font in NOTO.iterdir() for point in character_map(font.read_bytes())} - DEVANAGARI
    scripts = {face: of_face(face, text) for face in FACES if face.is_script}
    owned = {point for points in scripts.values() for point in points}
    points = [point for point in base_candidates() if point not in owned]
    known = [p for at in range(0, len(points), 500) for p in settable(points[at : at + 500], ["Noto Sans"], fonts)]
    lines = [f"# {BASE}", *wrapped(known)]
    for face in FACES:
        lines += [f"# {face.family}", *wrapped(scripts.get(face) or of_face(face, owned.union(known)))]
    OUTPUT.write_text("\n".join(lines) + "\n", encoding="ascii")


def wrapped(points: Sequence[int]) -> list[str]:
    """The ranges in lines that fit a screen."""
    return textwrap.wrap(" ".join(ranges(points)), 118, break_on_hyphens=False)


if __name__ == "__main__":
    main()
