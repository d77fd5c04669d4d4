"""A call's pages as blocks: a heading (or label) and the lines under it, each with its page."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from ai.planning.headings import LABELLED, LETTER, NUMBER_UNDER_LETTER, SINGLE_NUMBER, heading_of

RUNNING_LINE_SHARE: Final = 0.5
"""A line that stands on at least this share of the pages is a running header or footer."""

BULLET: Final = re.compile(r"^(?:[•▪◦●*·–-]|\(?[a-z]\)|\(?[ivx]{1,4}\)|\d{1,2}[.)])\s+")
_TOC_LINE: Final = re.compile(r"(?:\.\s?){4,}\s*\d+$|\s{2,}\d{1,3}$")
_ABBREVIATED: Final = (
    "".join(
        rf"(?<!\b{short}\.)"
        for short in ("No", "Nos", "Nr", "Mio", "Mrd", "bzw", "ca", "Dr", "Mr", "Ms", "approx", "Art")
    )
    + r"(?<![ap]\.m\.)(?<!e\.g\.)(?<!i\.e\.)(?<!z\.B\.)(?<!z\. B\.)"
)
SENTENCE_END: Final = re.compile(rf"(?<=[.!?]){_ABBREVIATED}\s+(?=[A-ZÄÖÜ0-9\"“„(])")
"""A German date (`12. Mai`) has a stop as well; nobody begins a sentence with a figure and ends it there."""
_DAY: Final = re.compile(r"\b\d{1,2}\.\s+$")


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of one page; `number` counts from 1."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the call and the page it stands on."""

    page: int
    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the call and the page it begins on."""

    page: int
    text: str


@dataclass(slots=True)
class Block:
    """A title and what stands under it, up to the next title. `parents` are the headings above, outermost first."""

    title: str
    page: int
    level: int
    parents: tuple[str, ...] = ()
    listed: bool = False
    """Whether the call introduces it by "must include the following" or the like."""
    aside: str = ""
    """What stands in brackets behind the title: `at most 2 pages`, `required`."""
    heading: Line | None = None
    """The line that the title was read from."""
    lines: list[Line] = field(default_factory=list)

    def sentences(self) -> list[Sentence]:
        """The text under the title, by sentences; a bullet begins a new one."""
        return list(_sentences(self.lines))

    @property
    def text(self) -> str:
        """The text under the title as one line."""
        return " ".join(line.text for line in self.lines)


def read_lines(pages: Sequence[PageText]) -> list[Line]:
    """All lines, with running headers and footers, page numbers and tables of contents left out."""
    seen: Counter[str] = Counter()
    by_page: list[tuple[int, list[str]]] = []
    for page in pages:
        texts = [cleaned for raw in page.text.splitlines() if (cleaned := _clean(raw))]
        by_page.append((page.number, texts))
        seen.update({_without_numbers(text) for text in texts})
    running = {text for text, count in seen.items() if len(pages) >= 4 and count / len(pages) >= RUNNING_LINE_SHARE}
    return [
        Line(number, text)
        for number, texts in by_page
        for text in texts
        if _without_numbers(text) not in running
        and not text.isdigit()
        and not _TOC_LINE.search(text)
        and not _is_page_mark(text)
    ]


def read_blocks(lines: Iterable[Line]) -> list[Block]:
    """The call as blocks in reading order; what stands before the first title has the title ''."""
    return [block for block in read_all_blocks(lines) if block.lines]


def read_all_blocks(lines: Iterable[Line]) -> list[Block]:
    """The same with the titles that nothing stands under: rows of a table can look like titles."""
    blocks = [Block("", 1, 0)]
    stack: list[tuple[int, str]] = []
    announced, listed_kind, section_number = False, -1, 0
    previous = ""
    for line in lines:
        found = heading_of(line.text, previous, section_number)
        if found is None:
            announced = announced or _announces_list(f"{previous} {line.text}" if not blocks[-1].listed else line.text)
            previous = line.text
            blocks[-1].lines.append(line)
            continue
        previous = line.text
        level = found.level
        section_number = found.number or section_number
        if level == SINGLE_NUMBER and any(above == LETTER for above, _ in stack):
            level = NUMBER_UNDER_LETTER
        if announced:  # the first title after "must include the following" says what kind of title its list has
            listed_kind, announced = level, False
        elif level != listed_kind:
            listed_kind = -1
        if level != LABELLED:
            stack = [entry for entry in stack if entry[0] < level]
        parents = tuple(text for _, text in stack)
        listed = level == listed_kind
        block = Block(found.title, line.page, level, parents, listed=listed, aside=found.aside, heading=line)
        if level != LABELLED:
            stack.append((level, found.title))
        if found.rest:
            block.lines.append(Line(line.page, found.rest))
        blocks.append(block)
    return blocks


def _announces_list(text: str) -> bool:
    return bool(
        re.search(r"\b(?:address|include|describe|contain|cover|provide)\b.{0,60}\bfollowing\b", text, re.IGNORECASE)
        or re.search(r"\bfollowing (?:sections|parts|documents|components|headings|attachments)\b", text, re.IGNORECASE)
    )


def _sentences(lines: Sequence[Line]) -> Iterator[Sentence]:
    run: list[Line] = []
    for line in lines:
        if run and BULLET.match(line.text):
            yield from _split(run)
            run = []
        run.append(line if run else Line(line.page, BULLET.sub("", line.text)))
    if run:
        yield from _split(run)


def _split(run: Sequence[Line]) -> Iterator[Sentence]:
    """The sentences of lines that belong together, each with the page on which it begins."""
    text = "".join(f"{line.text} " for line in run)
    starts = [0, *accumulate(len(line.text) + 1 for line in run[:-1])]
    begin = 0
    for end in [*sentence_ends(text), len(text)]:
        sentence = text[begin:end].strip()
        if len(sentence) > 2:
            yield Sentence(run[bisect_right(starts, begin) - 1].page, sentence)
        begin = end


def sentence_ends(text: str) -> list[int]:
    """Where the text's sentences end, but the last."""
    ends = (match.end() for match in SENTENCE_END.finditer(text))
    return [end for end in ends if not _DAY.search(text[max(0, end - 5) : end])]


def _clean(raw: str) -> str:
    # U+FFFE is how PDFium marks a hyphen at which a word was broken.
    return re.sub(r"[ \t\u00a0]+", " ", raw.replace("\ufffe", "").replace("\x00", "")).strip()


def _without_numbers(text: str) -> str:
    """`Page 3 of 13` and `Page 4 of 13` are the same running line."""
    return re.sub(r"\d+", "#", text)


def _is_page_mark(text: str) -> bool:
    return bool(re.fullmatch(r"(?:page\s+)?\d{1,3}(?:\s*(?:/|of)\s*\d{1,3})?", text, re.IGNORECASE))
