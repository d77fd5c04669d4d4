"""What the call demands, one by one: in its words, with its place, kind, weight and limit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from ai.planning.components import plain
from ai.planning.findings import Criterion, Finding
from ai.planning.places import Place, Places
from ai.planning.reading import BULLET, Block, Line, PageText
from ai.planning.tables import DocumentRow
from ai.planning.topics import topic_of

Kind = Literal["eligibility", "content", "format", "attachment", "deadline"]
Unit = Literal["words", "characters", "pages"]

MAX_REQUIREMENTS: Final = 400
MAX_WORDS: Final = 1_000
"""Characters of one requirement; PDF text can lack full stops for a page."""
MIN_LENGTH: Final = 12

_OBLIGES: Final = re.compile(
    r"\b(?:must|shall|should|mandatory|may not|cannot|need(?:s)? to|ha(?:s|ve) to"
    r"|(?:is|are|be) (?:required|expected|limited|ineligible)|required to|will not be (?:accepted|considered|reviewed"
    r"|assessed|read|eligible)|(?:is|are) (?:not )?eligible|not exceed(?:ing)?|no more than|at most|at least)\b",
    re.IGNORECASE,
)
_BIDS: Final = re.compile(
    r"^(?:please\s+)?(?:describe|explain|provide|include|attach|submit|demonstrate|outline|identify|show|address"
    r"|justify|list|state|give|name|set out|say|tell us|summari[sz]e|discuss|detail|indicate|specify|upload|enclose"
    r"|append|complete|use)\b",
    re.IGNORECASE,
)
_UP_TO: Final = (
    r"(?:up to|at most|(?:no|not) (?:more|longer) than|maximum(?: length)?(?: of)?:?|max\.?|(?:word |page )?limit"
    r"(?:ed)?(?: of| to)?:?|(?:not|never) (?:to )?exceed(?:ing)?|within|in)"
)
_NUMBER: Final = r"(?P<n>\d{1,3}(?:[,.\u00a0 ]\d{3})+|\d{1,6})"
_UNIT: Final = r"[\s-]*(?:A4[\s-]+)?(?P<unit>words?|characters?|pages?)\b"
_LIMITS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_UP_TO}\s+(?:a maximum of\s+)?{_NUMBER}(?:\s*\(\w+\))?{_UNIT}",
        rf"\b{_NUMBER}{_UNIT}[\s,(-]*(?:maximum|max\b|at most|limit\b|or (?:less|fewer))",
        r"\b(?P<unit>word|character|page) limit\s*(?:is|of|:)?\s*(?P<n>\d{1,3}(?:,\d{3})+|\d{1,6})\b",
    )
)
_POINTS: Final = re.compile(r"\b(?P<n>\d{1,3})\s?(?:points|pts\.?|marks)\b", re.IGNORECASE)
_DATE: Final = re.compile(
    r"\b\d{1,2}\s+[A-Z][a-z]{2,8}\.?\s+\d{4}|[A-Z][a-z]{2,8}\.?\s+\d{1,2},?\s+\d{4}|\d{4}-\d\d-\d\d"
)
_DUE: Final = re.compile(
    r"\b(?:deadline|due|clos(?:es|ing)|no later than|received by|submit(?:ted)? by)\b", re.IGNORECASE
)
_ATTACHED: Final = re.compile(
    r"\b(?:attach(?:ed|ments?)?|annex(?:es|ed)?|append(?:ed|ix|ices)?|enclos(?:e|ed|ures?)|upload(?:ed)?"
    r"|letters? of (?:support|commitment|collaboration|intent)|certificates?|audited accounts"
    r"|curricul(?:um|a) vitae|CVs?|biographical sketch(?:es)?|supporting documents?)\b",
    re.IGNORECASE,
)
_CHOICE: Final = re.compile(r"\b(?:one of|either|any of|or more of)\b", re.IGNORECASE)
"""What is listed behind it are ways to meet one demand."""
_ANNOUNCES: Final = re.compile(r"\bfollowing (?:sections|parts|headings|documents|components)\b", re.IGNORECASE)
_FORM: Final = re.compile(
    r"\b(?:fonts?|typeface|margins?|line spacing|single[- ]spaced|double[- ]spaced|PDF|A4|portal|electronically"
    r"|file names?|page numbers?|numbered pages|(?:in|into) (?:English|French|German|Spanish)|\d{1,2}[- ]?point)\b"
)
_WHO_MAY: Final = re.compile(
    r"\b(?:in)?eligib(?:le|ility)\b|\b(?:applicants?|organi[sz]ations?|institutions?|consorti(?:um|a)|partners?)\s+"
    r"(?:must|shall|should|may not|cannot|need to|have to|has to)\s+(?:be|have|hold|come|include|not)\b"
    r"|\blegal (?:entity|form|personality)\b|\bregistered in\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One demand; `headings` are those that it stands under, the nearest last."""

    kind: Kind
    words: str
    page: int
    start: int | None = None
    end: int | None = None
    weight: int | None = None
    limit: int | None = None
    limit_unit: Unit | None = None
    headings: tuple[str, ...] = ()


def requirements(
    pages: Sequence[PageText],
    blocks: Sequence[Block],
    lines: Sequence[Line],
    rows: Sequence[DocumentRow],
    scored: Sequence[Criterion],
    dates: Sequence[Finding],
) -> list[Requirement]:
    """Every demand once, in the order of the call."""
    found: dict[str, Requirement] = {}
    for requirement in (
        *(_limited(Requirement("attachment", row.text, row.page), limit_of(f"at most {row.limit}")) for row in rows),
        *_demands(blocks, [row.title for row in rows]),
        *_limits_alone(lines),
        *(Requirement("deadline", date.text, date.page) for date in dates),
    ):
        _add(found, requirement)
        if len(found) >= 2 * MAX_REQUIREMENTS:
            break  # no call has so many, and each is compared with those before it
    for criterion in scored[:MAX_REQUIREMENTS]:
        if criterion.points is not None:
            _weigh(found, criterion)
    places = Places(pages)
    placed = [_placed(requirement, places) for requirement in found.values()]
    return sorted(placed, key=lambda one: (one.page, one.start if one.start is not None else 0))[:MAX_REQUIREMENTS]


def limit_of(text: str) -> tuple[int, Unit] | None:
    """The first length that the text allows at most."""
    matches = sorted((match for pattern in _LIMITS if (match := pattern.search(text))), key=lambda match: match.start())
    for match in matches:
        number = int(re.sub(r"\D", "", match["n"]))
        unit = match["unit"].lower().rstrip("s")
        if number > 0:
            return number, "words" if unit == "word" else "characters" if unit == "character" else "pages"
    return None


def key_of(words: str) -> str:
    """What makes two wordings the same demand."""
    return plain(words)


def _demands(blocks: Sequence[Block], documents: Sequence[str]) -> Iterator[Requirement]:
    for block in blocks:
        headings = (*block.parents, block.title)
        about_eligibility = any((topic := topic_of(title)) and topic.key == "eligibility" for title in headings[-2:])
        opening: Requirement | None = None  # of a list: "The applicant must have:"
        was_listed = False
        for sentence in block.sentences():
            text = sentence.text
            listed = opening is not None and (text[0].islower() or text.endswith((";", ",")))
            if opening is not None and not listed:
                if not was_listed and not _ANNOUNCES.search(opening.words):
                    yield opening
                opening = None
            was_listed = listed
            limit = limit_of(text)
            bids = _BIDS.search(text) is not None
            demands = bids or limit is not None or _OBLIGES.search(text) is not None
            if len(text) < MIN_LENGTH or text.endswith("?") or not (demands or listed):
                continue
            if sum(title in text for title in documents) > 1:
                continue  # a table that ran into one sentence; its rows are there already
            whole = f"{opening.words} {text}" if opening is not None else text
            kind = _kind(whole, bids=bids, limited=limit is not None, about_eligibility=about_eligibility)
            demand = _limited(Requirement(kind, text[:MAX_WORDS], sentence.page, headings=headings), limit)
            if text.endswith(":") and not _CHOICE.search(text):
                opening = demand  # each item is a demand, and the opening none, unless it has no item
                continue
            yield demand


def _kind(text: str, *, bids: bool, limited: bool, about_eligibility: bool) -> Kind:
    if _DUE.search(text) and _DATE.search(text):
        return "deadline"
    if about_eligibility or _WHO_MAY.search(text):
        return "eligibility"
    if _ATTACHED.search(text):
        return "attachment"
    if _FORM.search(text) or (limited and not bids):
        return "format"
    return "content"


def _limits_alone(lines: Sequence[Line]) -> Iterator[Requirement]:
    """Lines that are no sentence: `1. Need (30 points, at most 2 pages)`, a row of a table of limits."""
    for line in lines:
        text = BULLET.sub("", line.text)
        limit = limit_of(text)
        if limit and len(text) >= MIN_LENGTH and not text.rstrip().endswith((".", ":", ";", ",")):
            points = _POINTS.search(text)
            title = re.split(r"\s*[(:–|]", text, maxsplit=1)[0]
            headings = (title,) if title else ()
            weight = int(points["n"]) if points else None
            yield _limited(Requirement("format", text[:MAX_WORDS], line.page, weight=weight, headings=headings), limit)


def _limited(requirement: Requirement, limit: tuple[int, Unit] | None) -> Requirement:
    return replace(requirement, limit=limit[0], limit_unit=limit[1]) if limit else requirement


def _add(found: dict[str, Requirement], requirement: Requirement) -> None:
    """A line that is a piece of a sentence already taken is not one more."""
    key = key_of(requirement.words)
    if requirement.kind in ("format", "deadline") and any(
        known.page in (requirement.page, requirement.page - 1) and (key in other or other in key)
        for other, known in found.items()
        if other
    ):
        return
    if key:
        found.setdefault(key, requirement)


def _weigh(found: dict[str, Requirement], criterion: Criterion) -> None:
    """The points go to what the criterion names on its own line; elsewhere it is a demand of its own."""
    title = key_of(criterion.title)
    for key, known in found.items():
        if known.page == criterion.page and key.startswith(title) and known.kind in ("format", "content"):
            found[key] = replace(known, weight=criterion.points)
            return
    if title:
        found.setdefault(
            title,
            Requirement("content", criterion.title, criterion.page, weight=criterion.points, headings=("",)),
        )


def _placed(requirement: Requirement, places: Places) -> Requirement:
    place: Place | None = places.find(requirement.page, requirement.words)
    return replace(requirement, start=place.start, end=place.end) if place else requirement
