"""Which characters can be set, and what stands in for the others.

A tagged PDF must not hold a character without a glyph, and XML must not hold most control characters. Both would fail a
whole file over one character, so they are replaced here, before any engine sees the text, and counted.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import cache
from typing import Final

from exports.rendering.fonts import BASE, covered, has

REPLACEMENT: Final = "\u25a1"
_SPACE: Final = {"Zs", "Zl", "Zp"}
_DROPPED: Final = {"Cc", "Cf", "Cs"}
"""Controls, invisible formatting and lone surrogates: nothing is seen when they go."""
_SKIN_TONES: Final = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
"""Of the emoji before them, which is drawn without colour."""


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
    if category in _DROPPED or character in _SKIN_TONES or unicodedata.combining(character) or category in ("Mn", "Me"):
        return ""
    return REPLACEMENT


def settable(text: str) -> str:
    """The text, with a white square (or, if it is invisible, nothing) for each character that no bundled font has."""
    if text.isascii():
        return text
    return "".join(map(_substitute, text))


def missing(text: str) -> Counter[str]:
    """The characters of the text that a white square stands in for, and how often."""
    return Counter(one for one in text if not one.isascii() and _substitute(one) == REPLACEMENT != one)


def plain_letters(text: str) -> str:
    """As `settable`, and without combining marks: the second try for a text that the engine refuses."""
    return "".join(
        one for one in settable(text) if not unicodedata.combining(one) and unicodedata.category(one) != "Cf"
    )


def base_letters(text: str) -> str:
    """Only what the base font has by itself: the last resort."""
    return "".join(one if one.isascii() or has(BASE, one) else REPLACEMENT for one in plain_letters(text))


def is_right_to_left(text: str) -> bool:
    """Whether the text reads from the right: by its first letter that has a direction."""
    for one in text:
        direction = unicodedata.bidirectional(one)
        if direction in ("R", "AL"):
            return True
        if direction == "L":
            return False
    return False


def is_visible(text: str) -> bool:
    """Whether anything of the text is seen: not spaces, formatting and marks without a letter alone."""
    return any(unicodedata.category(one) not in ("Cf", "Cc", "Zs", "Zl", "Zp", "Mn", "Me") for one in text)
