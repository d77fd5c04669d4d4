"""The fonts of a PDF: one for the Latin, Greek and Cyrillic text, and a face for each other script that occurs.

Only what a text needs is loaded, so that the fifty megabytes of Chinese, Japanese and Korean cost nobody else anything.
Which face sets a character depends on the text alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

BASE: Final = "base"
"""Noto Sans and what is inside the engine (a serif and a monospaced face); the first part of glyphs.txt."""


@dataclass(frozen=True, slots=True)
class Face:
    """A font for the characters that the base does not have."""

    family: str
    package: str
    file: str
    is_script: bool = False
    """Made for one script, which it sets better than a general font that has some of its letters."""

    @property
    def path(self) -> Path:
        """Where it lies."""
        return Path(str(files(self.package))) / self.file


def _script(name: str) -> Face:
    return Face(f"Noto Sans {name}", "manimgx_fonts", f"NotoSans{name}[wght].ttf", is_script=name != "Symbols")


def _east_asian(code: str) -> Face:
    file = f"fonts/ofl/notosans{code.lower()}/NotoSans{code}[wght].ttf"
    return Face(f"Noto Sans {code}", "justmytype_intl_cjk", file)


_SCRIPTS: Final = (
    "Arabic",
    "Hebrew",
    "Devanagari",
    "Bengali",
    "Gujarati",
    "Gurmukhi",
    "Kannada",
    "Malayalam",
    "Oriya",
    "Tamil",
    "Telugu",
    "Sinhala",
    "Thai",
    "Lao",
    "Khmer",
    "Myanmar",
    "Ethiopic",
    "Armenian",
    "Georgian",
    "Symbols",
)
_SIMPLIFIED, _TRADITIONAL, _JAPANESE, _KOREAN = (_east_asian(code) for code in ("SC", "TC", "JP", "KR"))

FACES: Final = (
    *(_script(name) for name in _SCRIPTS),
    _SIMPLIFIED,
    _TRADITIONAL,
    _JAPANESE,
    _KOREAN,
    Face("Noto Emoji", "manimgx_fonts", "NotoEmoji[wght].ttf"),
)
"""In order: the first that has a character sets it; the East Asian ones by `_order`."""

_TEXT: Final = {
    "sans": ("Noto Sans", "fontpkg_noto_sans", "files"),
    "arial": ("Arimo", "fontpkg_arimo", "files"),
    "serif": ("Libertinus Serif", None, None),
}
"""A layout's font: its family, and where it lies unless the engine brings it."""


def text_family(font: str) -> str:
    """The family that a layout's font means in a PDF."""
    return _TEXT[font][0]


@contextmanager
def font_folder(font: str, faces: Iterable[Face]) -> Iterator[str]:
    """A folder with just these fonts, and Noto Sans: it has what the others have not. The engine takes folders only,
    and packages hold more than we ask for."""
    places = {_TEXT["sans"][1:], _TEXT[font][1:]}
    found = [Path(str(files(package))) / folder for package, folder in places if package and folder]
    paths = [path for folder in found for path in folder.glob("*.ttf")] + [face.path for face in faces]
    with TemporaryDirectory(prefix="bidwright-fonts-") as folder:
        for path in paths:
            (Path(folder) / path.name).symlink_to(path)
        yield folder


@cache
def _coverage() -> dict[str, tuple[list[int], list[int]]]:
    """The code points of each face, as parallel lists of first and last (tools/write_glyph_ranges)."""
    out: dict[str, tuple[list[int], list[int]]] = {}
    first: list[int] = []
    last: list[int] = []
    for line in files(__package__).joinpath("template/glyphs.txt").read_text("ascii").splitlines():
        if line.startswith("# "):
            first, last = [], []
            out[line[2:]] = (first, last)
            continue
        for run in line.split():
            low, _, high = run.partition("-")
            first.append(int(low, 16))
            last.append(int(high or low, 16))
    return out


def ranges(face: str) -> tuple[list[int], list[int]]:
    """First and last code points of what a face (its family, or `BASE`) can set."""
    return _coverage()[face]


def has(face: str, character: str) -> bool:
    """True when the face can set the character."""
    first, last = _coverage()[face]
    at = bisect_right(first, ord(character)) - 1
    return at >= 0 and ord(character) <= last[at]


@cache
def covered(character: str) -> bool:
    """True when one of the bundled fonts has a glyph for it."""
    return any(has(face, character) for face in _coverage())


def needed(characters: Iterable[str]) -> list[Face]:
    """The faces, beside the base, that these characters need, in the order in which they are asked."""
    others = {one for one in characters if not one.isascii() and not has(BASE, one)}
    faces = []
    for face in _order(others):
        own = {one for one in others if has(face.family, one)}
        if own:
            faces.append(face)
            others -= own
    return faces


def _order(characters: set[str]) -> list[Face]:
    """A Chinese character looks different in Japan and Korea: the kana or hangul beside it tell where we are."""
    kana = any("\u3040" <= one <= "\u30ff" for one in characters)
    hangul = any("\uac00" <= one <= "\ud7a3" for one in characters)
    home = [_JAPANESE] if kana else [_KOREAN] if hangul else []
    return [*home, *(face for face in FACES if face not in home)]
