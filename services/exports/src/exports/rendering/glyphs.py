"""Which characters can be set, and what stands in for the others.

A tagged PDF must not hold a character without a glyph, and XML must not hold most control characters. Both would fail a
whole file over one character, so they are replaced here, before any engine sees the text, and counted.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from functools import cache
from importlib.resources import files
from typing import Final

REPLACEMENT: Final = "\u25a1"
_SPACE: Final = {"Zs", "Zl", "Zp"}
_DROPPED: Final = {"Cc", "Cf", "Cs"}
"""Controls, invisible formatting and lone surrogates: nothing is seen when they go."""


@cache
def _ranges() -> tuple[list[int], list[int]]:
    """The code points that the bundled fonts cover, as parallel lists of first and last (tools/write_glyph_ranges)."""
    first: list[int] = []
    last: list[int] = []
    for line in files(__package__).joinpath("template/glyphs.txt").read_text("ascii").split():
        low, _, high = line.partition("-")
        first.append(int(low, 16))
        last.append(int(high or low, 16))
    return first, last


def covered(character: str) -> bool:
    """True when one of the bundled fonts has a glyph for it."""
    first, last = _ranges()
    at = bisect_right(first, ord(character)) - 1
    return at >= 0 and ord(character) <= last[at]


def _storable(character: str) -> bool:
    if character in "\n\t":
        return True
    point = ord(character)
    noncharacter = point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF
    return not noncharacter and unicodedata.category(character) not in ("Cc", "Cs")


def clean(text: str) -> str:
    """Without what no format can hold: control characters other than newline and tab, surrogates, noncharacters.

    Composed (NFC), so that the same words typed on two systems are the same bytes.
    """
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(filter(_storable, composed))


@cache
def _substitute(character: str) -> str:
    if covered(character):
        return character
    category = unicodedata.category(character)
    if character in "\n\t":
        return character
    if category in _SPACE:
        return " "
    if category in _DROPPED or unicodedata.combining(character):
        return ""
    return REPLACEMENT


def settable(text: str) -> str:
    """The text, with a white square (or, if it is invisible, nothing) for each character that no bundled font has."""
    if text.isascii():
        return text
    return "".join(map(_substitute, text))


def plain_letters(text: str) -> str:
    """As `settable`, and without combining marks: the last resort for a text that the engine still refuses."""
    return "".join(
        one for one in settable(text) if not unicodedata.combining(one) and unicodedata.category(one) != "Cf"
    )
