"""Which lines of a call are headings, and of what level."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

ANNEXED: Final = 1
SINGLE_NUMBER: Final = 2
LETTER: Final = 3
NUMBER_UNDER_LETTER: Final = 4
UNNUMBERED: Final = 8
LABELLED: Final = 9
"""Levels: roman numerals 1; `2` 2; `A` 3; `2.1` 4; `2.1.1` 6; a title alone 8; a title in the line of its text 9."""
MAX_TITLE_LENGTH: Final = 90
MAX_TITLE_WORDS: Final = 12
NUMBERED: Final = re.compile(
    r"^(?:(?:section|part|step)\s+)?(?P<number>(?:[IVXL]+|[A-Z])(?=[.)])|\d{1,2}(?:\.\d{1,2}){0,3})(?P<mark>[.):]?)\s+(?P<title>\S.*)$",
    re.IGNORECASE,
)
ANNEX: Final = re.compile(r"^(?:annex|appendix|attachment)\s+[A-Z0-9]{1,2}\s*[:.–-]\s+\S.{2,80}$", re.IGNORECASE)
ASIDE: Final = re.compile(r"^(?P<title>[^(]{3,}?)\s*\((?P<aside>[^()]{3,160})\)\s*:?$")
"""A title with a remark behind it: `5.2 Need and place (at most 2 pages)`."""
_TABLE_TAIL: Final = re.compile(r"\s(?:[A-Z]|\d+\s?%?)$")
MARKDOWN: Final = re.compile(r"^(?P<marks>#{1,6})\s+(?P<title>\S.*)$")
LABEL: Final = re.compile(r"^(?P<title>[A-Z][\w'’/&, -]{2,60}(?:\([^)]{2,40}\))?):\s+(?P<rest>\S.*)$")
_SMALL_WORDS: Final = frozenset(
    ("a", "an", "and", "as", "at", "by", "for", "from", "in", "of", "on", "or", "per", "the", "to", "with")
)
_CONTACT: Final = re.compile(r"telephone|e-?mail|\bfax\b|\btel\b", re.IGNORECASE)
_CAPTION: Final = re.compile(r"^(?:figure|table|fig\.)\s+\d", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Heading:
    title: str
    level: int
    rest: str = ""
    """For a label: the text that follows it in its line."""
    aside: str = ""
    number: int = 0
    """Of a plainly numbered section (`6 How proposals are judged`), else 0."""


def heading_of(text: str, previous: str, section_number: int) -> Heading | None:
    """The heading or label that a line is; None for body text."""
    if match := MARKDOWN.match(text):
        return _titled(match["title"], len(match["marks"]))
    if _CAPTION.match(text) or _CONTACT.search(text):
        return None
    if ANNEX.match(text) and text[-1] not in ".,;":
        return _titled(text, ANNEXED)
    if match := NUMBERED.match(text):
        return _numbered(match, section_number)
    if (match := LABEL.match(text)) and _is_title_case(match["title"]) and len(match["title"].split()) <= 8:
        if len(match["rest"].split()) <= 8 and _is_title_case(match["rest"]) and match["rest"][-1].isalnum():
            return _titled(text, UNNUMBERED)  # "Phase II: Establishment and Expansion Awards"
        return _labelled(match)
    begins_anew = previous == "" or previous[-1] in ".:;!?)" or len(previous) < 60
    if begins_anew and _looks_like_title(text, numbered=False):
        return _titled(text, SINGLE_NUMBER if text.isupper() else UNNUMBERED)
    return None


def _numbered(match: re.Match[str], section_number: int) -> Heading | None:
    number, title = match["number"], match["title"]
    plain = number.isdigit() and not match["mark"]
    if plain and int(number) != section_number + 1:
        return None  # a row of a table, or a sentence that begins with a figure
    if _looks_like_title(title, numbered=True) and not _TABLE_TAIL.search(title):
        return _titled(title, _level(number), number=int(number) if plain else 0)
    if (inner := LABEL.match(title)) and not plain and _is_title_case(inner["title"]):
        return _labelled(inner)
    return None


def _titled(title: str, level: int, *, number: int = 0) -> Heading:
    if match := ASIDE.match(title.strip()):
        return Heading(_tidy(match["title"]), level, aside=match["aside"].strip(), number=number)
    return Heading(_tidy(title), level, number=number)


def _labelled(match: re.Match[str]) -> Heading:
    title = ASIDE.match(match["title"])
    if title is None:
        return Heading(_tidy(match["title"]), LABELLED, match["rest"])
    return Heading(_tidy(title["title"]), LABELLED, match["rest"], aside=title["aside"])


def _looks_like_title(text: str, *, numbered: bool) -> bool:
    bare = text.rstrip(":").strip()
    if match := ASIDE.match(bare):
        bare = match["title"]
    words = bare.split()
    if not 3 <= len(bare) <= MAX_TITLE_LENGTH or len(words) > MAX_TITLE_WORDS:
        return False
    if re.search(r"[$€£]|\b(?:USD|EUR|GBP|CHF)\b", bare) or re.search(r"\d.*\s\d", bare):
        return False  # a row of a table
    if bare[-1] in ".,;!" or ";" in bare or "@" in bare or "://" in bare or not bare[0].isupper():
        return False
    if bare.isupper():
        return sum(character.isalpha() for character in bare) >= 5
    if numbered:
        return len(words) <= 8 or _is_title_case(bare)
    return _is_title_case(bare) and not re.search(r"\d", bare) and len(words) >= 2


def _is_title_case(text: str) -> bool:
    words = [word for word in re.findall(r"[A-Za-z][\w'’-]*", text) if word.lower() not in _SMALL_WORDS]
    return bool(words) and sum(word[0].isupper() for word in words) / len(words) > 0.8


def _level(number: str) -> int:
    bare = number.split()[-1]
    if re.fullmatch(r"[IVXL]+", bare):
        return 1
    if bare.isalpha():
        return LETTER
    return SINGLE_NUMBER + 2 * bare.count(".")


def _tidy(title: str) -> str:
    return title.strip().strip("#").rstrip(":").strip()
