"""Calls whose requirements are marked in their text, and how well a reading finds them.

`⟦c:Describe the need.⟧` marks one: c content, e eligibility, f format, a attachment, d deadline. A form feed ends a
page. The marks are taken out before anything reads the call. A call that is not ours to copy lies elsewhere as a PDF;
its labels are the first and the last words of each requirement on its page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ai.planning.reading import PageText
from ai.planning.requirements import Requirement

FOLDER = Path(__file__).parent / "data" / "requirements"
HELD_OUT = frozenset(
    {"german-tender", "research-council", "ngo-small-grant", "un-agency-rfp", "nsf-23-556-solicitation"}
)
"""Calls that nothing was changed for: what is found in them is what is found in a new call."""
KINDS = {"c": "content", "e": "eligibility", "f": "format", "a": "attachment", "d": "deadline"}
COVERED = 0.6
"""Of a requirement's letters a reading must hold so many, ..."""
OWN = 0.35
"""... and so many of its own must be the requirement's: a page is no answer to where a sentence stands."""
EXACT = 0.8
"""Letters in common, of those in either: then the place is right to a word or two."""


@dataclass(frozen=True)
class Label:
    page: int
    start: int
    end: int
    kind: str


@dataclass
class Call:
    name: str
    pages: list[PageText]
    labels: list[Label]
    read_in_full: frozenset[int] | None = None
    """The pages that were labelled; None: all."""

    @property
    def is_held_out(self) -> bool:
        return self.name in HELD_OUT


@dataclass
class Score:
    """Counts, which add up over calls."""

    labels: int = 0
    found: int = 0
    read: int = 0
    right: int = 0
    exact: int = 0
    kinds: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __add__(self, other: Score) -> Score:
        names = ("labels", "found", "read", "right", "exact", "kinds")
        return Score(*(getattr(self, name) + getattr(other, name) for name in names))

    @property
    def recall(self) -> float:
        return self.found / self.labels if self.labels else 1.0

    @property
    def precision(self) -> float:
        return self.right / self.read if self.read else 1.0

    @property
    def span_accuracy(self) -> float:
        """Of the requirements found, how many have their place to a word or two."""
        return self.exact / self.found if self.found else 0.0

    @property
    def kind_accuracy(self) -> float:
        return self.kinds / self.found if self.found else 0.0


def marked_calls() -> list[Call]:
    """Those that were written for this."""
    return [_unmark(path.stem, path.read_text("utf-8")) for path in sorted((FOLDER / "calls").glob("*.txt"))]


def pdf_call(path: Path, labels: Path) -> Call:
    """A call as a PDF, with its labels: page, kind, first words, last words (none: the first are all)."""
    import pypdfium2

    pages = [
        PageText(number, page.get_textpage().get_text_range())
        for number, page in enumerate(pypdfium2.PdfDocument(path), start=1)
    ]
    found = []
    for line in labels.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            page, kind, first, *last = line.split("\t")
            text = pages[int(page) - 1].text
            start = _place(text, first, 0)
            end = _place(text, last[0], start[0]) if last else start
            found.append(Label(int(page), start[0], end[1], KINDS[kind]))
    return Call(path.stem, pages, found, frozenset(label.page for label in found))


def _place(text: str, words: str, after: int) -> tuple[int, int]:
    match = re.compile(r"\W+".join(map(re.escape, re.findall(r"\w+", words)))).search(text, after)
    if match is None:
        raise LookupError(f"not on its page: {words}")
    return match.span()


def _unmark(name: str, text: str) -> Call:
    pages, labels = [], []
    for number, page in enumerate(text.split("\f"), start=1):
        plain, opened = "", (0, "")
        for part in re.split(r"(⟦[a-z]:|⟧)", page):
            if part == "⟧":
                labels.append(Label(number, opened[0], len(plain), KINDS[opened[1]]))
            elif part.startswith("⟦"):
                opened = (len(plain), part[1])
            else:
                plain += part
        pages.append(PageText(number, plain))
    return Call(name, pages, labels)


def score(call: Call, read: Sequence[Requirement]) -> Score:
    """What was found of the call's requirements, and what was taken for one that is none."""
    texts = {page.number: page.text for page in call.pages}
    read = [one for one in read if call.read_in_full is None or one.page in call.read_in_full]
    total = Score(labels=len(call.labels), read=len(read))
    spans = [_letters(texts, one.page, one.start, one.end) for one in read]
    wanted = [_letters(texts, label.page, label.start, label.end) for label in call.labels]
    for span, one in zip(spans, read, strict=True):
        if any(_matches(span, letters) or (span and len(span & letters) / len(span) >= COVERED) for letters in wanted):
            total.right += 1
        else:
            total.wrong.append(f"p. {one.page} {one.kind}: {one.words[:110]}")
    for letters, label in zip(wanted, call.labels, strict=True):
        fits = [
            (len(span & letters) / len(span | letters), one)
            for span, one in zip(spans, read, strict=True)
            if _matches(span, letters)
        ]
        if not fits:
            total.missed.append(
                f"p. {label.page} {label.kind}: {' '.join(texts[label.page][label.start : label.end].split())[:110]}"
            )
            continue
        total.found += 1
        likeness, best = max(fits, key=lambda fit: fit[0])
        total.exact += likeness >= EXACT
        total.kinds += best.kind == label.kind
    return total


def _matches(span: frozenset[tuple[int, int]], wanted: frozenset[tuple[int, int]]) -> bool:
    shared = len(span & wanted)
    return bool(span) and shared / len(wanted) >= COVERED and shared / len(span) >= OWN


def _letters(texts: dict[int, str], page: int, start: int | None, end: int | None) -> frozenset[tuple[int, int]]:
    """The letters and figures of a span; blanks and marks do not count."""
    if start is None or end is None:
        return frozenset()
    return frozenset((page, place) for place in range(start, end) if texts[page][place].isalnum())


def table(rows: Iterator[tuple[str, Score]] | Sequence[tuple[str, Score]]) -> str:
    """Figures by call."""
    lines = [f"{'':26}{'labels':>7}{'read':>6}{'recall':>8}{'precision':>11}{'span':>7}{'kind':>7}"]
    lines += [
        f"{name:26}{one.labels:7}{one.read:6}{one.recall:8.2f}{one.precision:11.2f}"
        f"{one.span_accuracy:7.2f}{one.kind_accuracy:7.2f}"
        for name, one in rows
    ]
    return "\n".join(lines)
