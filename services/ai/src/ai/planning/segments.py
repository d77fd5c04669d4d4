"""A call's text as segments: sentences, items of lists, rows of tables, each with the lines that it stands in.

A PDF's text does not tell them apart. What does: marks at the beginning of a line (`•`, `(a)`, `Q1`, `[ ]`), full
stops, and lines that end well before the margin while the next one begins anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ai.planning.reading import Block, Line, sentence_ends

MARK: Final = re.compile(
    r"^(?:[•▪◦●*·–]|-(?=\s)|\[ ?[xX]? ?\]|☐|\(?[a-z]\)|\(?[ivx]{1,4}\)|\(?\d{1,2}[.)]|\(?\d{1,2}\)"
    r"|\d{1,2}(?:\.\d{1,2}){1,3}\.?"
    r"|[A-Z]\d{1,2}[.:)]?)\s+(?=\S)"
)
_FIELD: Final = re.compile(r"^(?:[A-Z]\d{1,2}[.:)]?|\[ ?[xX]? ?\]|☐)\s")
"""The number of a question or a box: what stands behind it is asked for, whatever its words are."""
SHORT: Final = 0.72
"""Of the usual width: a line that ends before it was not broken by the margin."""
MIN_WIDTH: Final = 60
"""Characters; a call of short lines alone is a form."""
_ENDS: Final = re.compile(r"(?<=\b(?:19|20)\d\d) (?=[A-Z][a-z]+ (?!\d))|(?<=;) +(?=[A-Z])")
"""`Earliest start 1 October 2027 Main applicant must ...`: a year in a row of cells, and another cell. Or an item of a
list that runs on in its line."""
_GOES_ON: Final = re.compile(
    r"(?:,|;|\b(?:and|or|of|the|a|an|to|for|in|with|und|oder|der|die|das|von|zu))$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Segment:
    """A sentence, an item or a row."""

    page: int
    text: str
    headings: tuple[str, ...] = ()
    marked: bool = False
    """Whether it is the first of an item of a list."""
    asked: bool = False
    """Whether it has the number of a question or a box before it."""
    row: bool = False
    """Whether it is a line by itself without a full stop: a heading, a row, an item."""
    titled: bool = False
    """Whether it was taken for a heading."""


def segments(blocks: Sequence[Block]) -> Iterator[Segment]:
    """The call in reading order."""
    width = _width([line.text for block in blocks for line in block.lines])
    for block in blocks:
        headings = (*block.parents, block.title)
        lines = list(block.lines)
        if block.heading is not None:
            if lines and lines[0].text != block.heading.text and block.heading.text.endswith(lines[0].text):
                lines[0] = block.heading  # a label and its text in one line
            else:
                yield from _split([block.heading], headings, titled=True)
        run: list[Line] = []
        for line in lines:
            if run and _begins_anew(run[-1], line, width):
                yield from _split(run, headings)
                run = []
            run.append(line)
        if run:
            yield from _split(run, headings)


def _width(texts: Sequence[str]) -> int:
    lengths = sorted(map(len, texts))
    return max(MIN_WIDTH, lengths[len(lengths) * 9 // 10] if lengths else 0)


def _begins_anew(before: Line, line: Line, width: int) -> bool:
    if MARK.match(line.text):
        return True
    if not (line.text[0].isupper() or line.text[0].isdigit() or line.text[0] in '“„"[('):
        return False
    return len(before.text) < SHORT * width and not _GOES_ON.search(before.text)


def _split(run: Sequence[Line], headings: tuple[str, ...], *, titled: bool = False) -> Iterator[Segment]:
    first = run[0].text
    marked = MARK.match(first) is not None
    asked = _FIELD.match(first) is not None
    pages, text = [], ""
    for number, line in enumerate(run):
        words = MARK.sub("", line.text, count=1) if number == 0 else line.text
        pages.append((len(text), line.page))
        text += f"{words} "
    begin = 0
    ends = sorted({*sentence_ends(text), *(match.end() for match in _ENDS.finditer(text)), len(text)})
    for end in ends:
        words = text[begin:end].strip()
        if len(words) > 2:
            page = [page for start, page in pages if start <= begin][-1]
            row = words[-1] not in ".!?:"
            yield Segment(page, words, headings, marked and begin == 0, asked and begin == 0, row, titled)
        begin = end
