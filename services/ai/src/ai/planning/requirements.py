"""What the call demands, one by one: in its words, with its place, kind, weight and limit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from ai.planning.components import plain
from ai.planning.demands import MIN_LENGTH, demands
from ai.planning.findings import Criterion, Finding
from ai.planning.places import Place, Places
from ai.planning.reading import BULLET, Block, Line, PageText
from ai.planning.segments import Segment, segments
from ai.planning.tables import DocumentRow
from ai.planning.wording import Kind as Kind

Unit = Literal["words", "characters", "pages"]

MAX_REQUIREMENTS: Final = 400
MAX_WORDS: Final = 1_000
"""Characters of one requirement; PDF text can lack full stops for a page."""

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
    """Every demand once, in the order of the call. `blocks` are all of them, also those that nothing stands under."""
    found: dict[str, Requirement] = {}
    for requirement in (
        *(_limited(Requirement("attachment", row.text, row.page), limit_of(f"at most {row.limit}")) for row in rows),
        *_demanded(list(segments(blocks)), [row.title for row in rows]),
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


def _demanded(found: Sequence[Segment], documents: Sequence[str]) -> Iterator[Requirement]:
    for demand in demands(found, lambda text: limit_of(text) is not None):
        text = demand.segment.text
        if sum(title in text for title in documents) > 1:
            continue  # a table that ran into one sentence; its rows are there already
        points = _POINTS.search(text)
        made = Requirement(
            demand.kind,
            text[:MAX_WORDS],
            demand.segment.page,
            weight=int(points["n"]) if points else None,
            headings=demand.segment.headings,
        )
        yield _limited(made, limit_of(text))


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
