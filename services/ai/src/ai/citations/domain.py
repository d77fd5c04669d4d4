"""Rules of citations: where claims and their sources stand in a text, and whether a source's words contain a claim.

A source is cited behind its claim, as `[report.pdf, p. 4]`, `[call, p. 2]` or `[answer <id>]`. The rules judge by
figures and words: every figure of a claim must stand on the page, and so must enough of its telling words, close
together. They cannot tell whether a sentence is true; a person reads what they point to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal
from uuid import UUID

CITATION: Final = re.compile(
    r"\\?\[(?:(?P<label>[^\[\]\n]{1,120}?),\s*p\.\s*(?P<page>\d{1,6})"
    r"|answer (?P<answer>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}))\\?\]"
)
ENOUGH: Final = 0.4
"""Share of a claim's telling words that its source has within WINDOW sentences: claims say it in their own words."""
WINDOW: Final = 3
MIN_TELLING: Final = 3
"""A claim of fewer telling words and no figure is too short to be judged by its words."""
MAX_SHOWN: Final = 160

_HOLE: Final = "\x01"
_END: Final = re.compile(rf"[.!?…][\"”’'»)*_]*(?:[ \t]*{_HOLE}+[.;]?)*(?=\s|$)|\n+")
_SHORT_FORMS: Final = re.compile(
    r"(?:\b(?:Dr|Mr|Mrs|Ms|Prof|[Nn]o|[Nn]r|St|ca|approx|vs|cf|e\.g|i\.e|z\.B|d\.h|incl|est|Art|Abs|Fig|Tab|bzw)"
    r"|\b[A-Z]|(?:^|\n)[ \t]*\d{1,2})\.$"
)
_FIGURE: Final = re.compile(
    r"(?<![\w.,])(?:\d{1,3}(?:[ \u00a0\u202f]\d{3})+|\d)(?:[\d.,'’\u00a0\u202f]*\d)?(?:\s?%|(?!\w))"
)
_MONTHS: Final = (
    r"(?:Jan(?:uary|uar)?|Feb(?:ruary|ruar)?|Mar(?:ch)?|März|Apr(?:il)?|May|Mai|June?|Juni|July?|Juli|Aug(?:ust)?"
    r"|Sept?(?:ember)?|Oct(?:ober)?|Oktober|Nov(?:ember)?|De[cz](?:ember)?)"
)
_DATE: Final = re.compile(rf"\b(?:\d{{1,2}}\.?\s+)?{_MONTHS}\.?\s+(?:\d{{1,2}},\s+)?\d{{4}}\b")
_NAMED: Final = re.compile(
    r"(?<=[a-zäöüß,;:] )(?:[A-Z][\w&'’-]+(?: (?:of|for|the|and|de|für|der|des|du|la) )?(?: ?[A-Z][\w&'’-]+)+)"
)
_TELLING: Final = re.compile(r"[^\W\d_]{4,}")
_MARKS: Final = re.compile(r"[*_`#>|\\]+")
_NEXT_ITEM: Final = re.compile(r"\n[ \t]*(?:[-*+]|\d{1,2}[.)])[ \t]")
_ITEM: Final = re.compile(r"^\s*(?:[-*+]|\d{1,2}[.)])\s+")
_POINTS: Final = re.compile(r"\(\d{1,3} points?\)")
"""What a criterion weighs, as drafts say it before they say how it is met."""
_QUOTED: Final = re.compile(r"[“„»\"](?P<words>[^“”„»«\"]{15,})[”“«\"]")
_HEADING: Final = re.compile(r"^\s*#{1,6}\s|^\s*\|")
_STOP: Final = re.compile(
    r"(?:aber|about|after|also|auch|been|before|beim|between|both|could|dass|does|done|durch|during|each|eine"
    r"|einem|einen|einer|from|have|into|more|must|nach|nicht|oder|only|over|should|sich|sind|such|than|that"
    r"|their|them|there|these|they|this|those|through|under|unter|very|werden|were|what|when|where|which"
    r"|will|wird|with|would|über"
    r")"
)

Standing = Literal["supported", "unsupported", "unknown_source"]


@dataclass(frozen=True, slots=True)
class Source:
    """What a citation names: a page of a document (`call` or a file's name), or an approved answer."""

    label: str
    page: int | None = None
    answer_id: str | None = None

    def __str__(self) -> str:
        return f"[answer {self.answer_id}]" if self.answer_id else f"[{self.label}, p. {self.page}]"


@dataclass(frozen=True, slots=True)
class Citation:
    """A source behind a claim: `start` to `end` is the citation itself, `claim` what it stands for."""

    source: Source
    start: int
    end: int
    claim: str
    claim_start: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence or line of a text, with the citations behind it."""

    start: int
    end: int
    words: str
    citations: tuple[Citation, ...] = ()
    paragraph: int = 0
    facts: tuple[str, ...] = field(default=())
    """The figures, dates and named things that it claims."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a source has to say to a claim; `start` to `end` is the place in its text that fits best."""

    standing: Standing
    start: int | None = None
    end: int | None = None
    missing: tuple[str, ...] = ()
    """Figures of the claim that the source does not have."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A citation, the document that it names, and whether that contains the claim."""

    citation: Citation
    document_id: UUID | None
    judged: Judged


@dataclass(frozen=True, slots=True)
class Sourcing:
    """What a text rests on."""

    call_id: UUID | None
    """The call's document where it was pasted: that is no upload."""
    citations: tuple[Examined, ...]
    uncited: tuple[Sentence, ...]


def sentences_of(text: str) -> list[Sentence]:
    """The sentences of a Markdown text, without headings and tables."""
    holed = CITATION.sub(lambda match: _HOLE * len(match[0]), text)
    found: list[Sentence] = []
    paragraph, at = 0, 0
    for end in [*_ends(holed), len(text)]:
        piece = holed[at:end]
        if piece.strip(_HOLE + " \t\n.;*_") and not _HEADING.match(piece):
            lead = len(piece) - len(piece.lstrip())
            start, stop = at + lead, at + len(piece.rstrip())
            words = bare(holed[start:stop])
            found.append(Sentence(start, stop, words, tuple(_citations(text, start, stop)), paragraph, facts_in(words)))
        paragraph += piece.count("\n\n") or int(_NEXT_ITEM.search(holed[at : end + 8]) is not None)
        at = end
    return found


def citations_of(text: str) -> list[Citation]:
    """Each citation of a text with its claim, in order."""
    return [citation for sentence in sentences_of(text) for citation in sentence.citations]


def facts_in(words: str) -> tuple[str, ...]:
    """Figures, dates and named things, as they stand."""
    words = _ITEM.sub("", words)
    dates = [match[0] for match in _DATE.finditer(words)]
    figures = [match[0] for match in _FIGURE.finditer(_DATE.sub("", words))]
    return tuple(dict.fromkeys([*dates, *figures, *(match[0] for match in _NAMED.finditer(words))]))


def is_figure(fact: str) -> bool:
    """Whether it is a number or a date, not a name."""
    return any(char.isdigit() for char in fact)


def uncited(sentences: Sequence[Sentence], vouched: Sequence[str], pages: Sequence[str] = ()) -> Iterator[Sentence]:
    """The sentences that claim a fact and say no source for it.

    Args:
        vouched: what the org's people have answered; a claim of theirs needs no other source.
        pages: the pages that the texts cite. Named things are looked at only where a page has them: a name that no
            source knows is mostly the applicant's own.
    """
    cited_figures: dict[int, set[str]] = {}
    for sentence in sentences:
        if sentence.citations:
            cited_figures.setdefault(sentence.paragraph, set()).update(figures_in(sentence.words))
    answers = [figures_in(text) for text in vouched]
    on_pages = "\n".join(pages)
    for sentence in sentences:
        if sentence.citations or not sentence.facts or "to complete:" in sentence.words.lower():
            continue
        figures = figures_in(sentence.words)
        if figures:
            same_paragraph = cited_figures.get(sentence.paragraph, set())
            if figures <= same_paragraph or any(figures <= answer for answer in answers):
                continue
            yield sentence
        elif any(fact in on_pages for fact in sentence.facts) and not any(
            fact in text for text in vouched for fact in sentence.facts
        ):
            yield sentence


def judge(claim: str, source: str) -> Judged:
    """Whether a source's text contains a claim, and where."""
    quotes = [" ".join(match["words"].split()).rstrip(" …") for match in _QUOTED.finditer(claim)]
    if quotes and (place := _place_of(quotes[0], source)) and all(_place_of(quote, source) for quote in quotes[1:]):
        return Judged("supported", *place)
    figures, telling = figures_in(claim), telling_in(claim)
    missing = tuple(sorted(figures - figures_in(source)))
    best, place = _best_window(telling | figures, source)
    start, end = place or (None, None)
    if missing:
        return Judged("unsupported", start, end, missing)
    if len(telling) < MIN_TELLING and not figures:
        return Judged("supported", start, end)
    share = best / max(1, len(telling | figures))
    return Judged("supported" if share >= ENOUGH else "unsupported", start, end)


def figures_in(text: str) -> set[str]:
    """The figures of a text in one spelling: `12,400`, `12 400` and `12.400` are the same."""
    found = set()
    for match in _FIGURE.finditer(text):
        value = re.sub(r"[\s'’]", "", match[0])
        value = re.sub(r"[.,](?=\d{3}(?:\D|$))", "", value).replace(",", ".")
        found.add(value.removesuffix("%"))
    return found


def telling_in(text: str) -> set[str]:
    """The stems of the words that say what a text is about."""
    return {_stem(word.lower()) for word in _TELLING.findall(text) if not _STOP.fullmatch(word.lower())}


def bare(text: str) -> str:
    """The words without marks and citations."""
    return " ".join(_MARKS.sub("", _POINTS.sub("", _ITEM.sub("", text.replace(_HOLE, "")))).split())


def short(words: str) -> str:
    """The words, or their beginning where they are many."""
    return words if len(words) <= MAX_SHOWN else words[:MAX_SHOWN].rsplit(" ", 1)[0] + " …"


def _ends(holed: str) -> Iterator[int]:
    for match in _END.finditer(holed):
        if match[0][0] != "\n" and _SHORT_FORMS.search(holed[max(0, match.start() - 8) : match.start() + 1]):
            continue
        yield match.end()


def _citations(text: str, start: int, stop: int) -> Iterator[Citation]:
    """A claim goes from the citation before it, or the sentence's beginning, to its own citation."""
    at, claim, claim_start = start, "", start
    for match in CITATION.finditer(text, start, stop):
        between = bare(text[at : match.start()]).strip(" ;,.")
        if between:
            claim, claim_start = between, at
        source = (
            Source("answer", answer_id=match["answer"].lower())
            if match["answer"]
            else Source(match["label"].replace("\\", "").strip(), int(match["page"]))
        )
        yield Citation(source, match.start(), match.end(), claim, claim_start)
        at = match.end()


def _place_of(words: str, source: str) -> tuple[int, int] | None:
    """Where words stand, however they are broken into lines."""
    match = re.search(r"\s+".join(map(re.escape, words.split())), source, re.IGNORECASE)
    return match.span() if match else None


def _best_window(wanted: set[str], source: str) -> tuple[int, tuple[int, int] | None]:
    pieces: list[tuple[int, int, set[str]]] = []
    at = 0
    for end in [*(match.end() for match in re.finditer(r"[.!?;:](?=\s)|\n\s*\n", source)), len(source)]:
        if words := source[at:end].strip():
            pieces.append((at + source[at:end].index(words[0]), end, telling_in(words) | figures_in(words)))
        at = end
    best, place = 0, None
    for first in range(len(pieces)):
        together = set().union(*(words for _, _, words in pieces[first : first + WINDOW]))
        if (score := len(wanted & together)) > best:
            best, place = score, (pieces[first][0], pieces[min(first + WINDOW, len(pieces)) - 1][1])
    return best, place


def _stem(word: str) -> str:
    return re.sub(r"(?:ations?|ings?|ments?|ities|ity|ies|ern|est|en|er|es|ed|e|s|y)$", "", word) or word
