"""Where words stand in the call: the page and the characters, found again after the reading has tidied the lines."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from ai.planning.reading import PageText

OPENING_WORDS: Final = 6
"""So many words in a row say where a sentence begins that goes on over the page, or whose middle was tidied."""

_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Place:
    """Characters `start` to `end` of the page's text as it is stored; what goes on over the page ends with it."""

    page: int
    start: int
    end: int


class Places:
    """Finds words whatever the blanks, dashes and line ends between them. Asked in reading order, it finds the next
    occurrence of words that stand on a page twice."""

    def __init__(self, pages: Sequence[PageText]) -> None:
        self._pages = {page.number: _Words(page.text) for page in pages}

    def find(self, page: int, text: str) -> Place | None:
        """Where the text begins on this page; None where it cannot be told."""
        words = self._pages.get(page)
        wanted = _WORD.findall(text)
        span = words.find(wanted) if words is not None and wanted else None
        return Place(page, *span) if span else None


class _Words:
    def __init__(self, text: str) -> None:
        self._spans = [match.span() for match in _WORD.finditer(text)]
        self._words = [text[start:end] for start, end in self._spans]
        self._starts: list[int] = []
        length = 1
        for word in self._words:
            self._starts.append(length)
            length += len(word) + 1
        self._text = f" {' '.join(self._words)} "
        self._next = 0

    def find(self, wanted: Sequence[str]) -> tuple[int, int] | None:
        """The characters of all the words, or else of as many as follow each other from the first on."""
        at = self._search(wanted)
        if at < 0 and len(wanted) > OPENING_WORDS:
            at = self._search(wanted[:OPENING_WORDS])
        if at < 0:
            return None
        self._next = at + 1
        first = last = bisect_left(self._starts, at + 1)
        for word, here in zip(wanted, islice(self._words, first, None), strict=False):
            if word != here:
                break
            last += 1
        return self._spans[first][0], self._spans[last - 1][1]

    def _search(self, wanted: Sequence[str]) -> int:
        needle = f" {' '.join(wanted)} "
        at = self._text.find(needle, self._next)
        return at if at >= 0 else self._text.find(needle)
