"""Which segments of a call are demands: by their words, or because a list, a table or a form says so of its items."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ai.planning import wording
from ai.planning.segments import Segment
from ai.planning.topics import topic_of
from ai.planning.wording import Kind

MIN_LENGTH: Final = 12
MAX_ROWS: Final = 40
"""Of one table; beyond that it is a list of something else."""
MAX_ITEM: Final = 240

_CHOICE: Final = re.compile(r"\b(?:one of|either|any of|or more of|eine der folgenden)\b", re.IGNORECASE)
"""What is listed behind it are ways to meet one demand."""
_LISTS: Final = re.compile(
    r"\bfollowing\b|\bfolgende|\b(?:include|contain|comprise|submit|provide|attach|return|consist of|need"
    r"|tasks?)\b|\bvorzulegen"
    r"|\b(?:can['’]t|cannot|can not|never|do not|don['’]t|will not|won['’]t) (?:fund|pay|support)"
    r"|\bnot (?:eligible|funded)|\bfördern nicht",
    re.IGNORECASE,
)
_EXCLUDES: Final = re.compile(
    r"\b(?:can['’]t|cannot|can not|never|do not|don['’]t|will not|won['’]t) (?:fund|pay|support)"
    r"|\bnot (?:eligible|funded)",
    re.IGNORECASE,
)
_CHECKLIST: Final = re.compile(
    r"\b(?:checklist|what to (?:send|submit|attach)|documents? to be (?:submitted|returned|attached)"
    r"|einzureichende|required documents)\b",
    re.IGNORECASE,
)
_HEADER_OF_DOCUMENTS: Final = re.compile(
    r"^(?:no\.? |nr\.? |#\s*)?(?:documents?|forms?|annex(?:es)?|attachments?|unterlagen?)\b", re.IGNORECASE
)
_HEADER_OF_CONTENT: Final = re.compile(
    r"^(?:no\.? |nr\.? |#\s*)?(?:deliverables?|outputs?|questions?|(?:award |evaluation |selection "
    r"|scoring )?criteri(?:a|on)|kriteri(?:um|en)|leistung)\b",
    re.IGNORECASE,
)
_COLUMN: Final = re.compile(
    r"\b(?:mandatory|required|format|due|date|weight(?:ing)?|points?|score|maximum|minimum|limit|pages?|words|yes"
    r"|pflicht|gewichtung|punkte)\b",
    re.IGNORECASE,
)
_SCORED: Final = re.compile(
    r"criteria|criterion|scoring|evaluation|zuschlagskriterien|wertung|bewertung|how (?:we|applications"
    r"|proposals).{0,30}(?:assess|score|evaluat)",
    re.IGNORECASE,
)
_SCORE: Final = re.compile(
    r"(?:\b\d{1,3} ?(?:%|points|pts|marks|punkte)\)?|\s\d{1,4})(?:\s+\d[\d,.]*\s*\w{0,10})*$", re.IGNORECASE
)
_TOTAL: Final = re.compile(r"^(?:all|total|sum|overall|threshold|summe|gesamt)\b", re.IGNORECASE)
_NEW_PART: Final = re.compile(
    r"^(?:(?:section|part|annex|teil|abschnitt)\s+\w+|[IVX]+\.|[A-Z]\.)\s*[:.–-]?\s", re.IGNORECASE
)
_STATES: Final = re.compile(r"^[A-ZÄÖÜ]\w*(?: \w+)? (?:is|are|was|were|will|has|have|can|ist|sind|wird)\b.*\.$")
"""A whole sentence in place of an item."""
_QUALIFIED: Final = re.compile(r"\b(?:degree|years?['’]? experience|years?['’] |jahre)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Demand:
    """A segment that demands something. `told`: it tells the reader to do something."""

    segment: Segment
    kind: Kind


Limited = Callable[[str], bool]


@dataclass(slots=True)
class _Opening:
    """A line that says of the items behind it that they are demanded."""

    segment: Segment
    demands: bool
    """Whether it is a demand itself when no item follows."""
    items: int = 0
    in_table: bool = False
    kind: Kind | None = None


def demands(found: Sequence[Segment], is_limited: Limited) -> Iterator[Demand]:
    """Every demand, in the order of the call. `is_limited` says whether a text sets a length."""
    opening: _Opening | None = None
    for segment, following in zip(found, (*found[1:], None), strict=False):
        if opening is not None:
            if _belongs(segment, opening):
                opening.items += 1
                if not _TOTAL.match(segment.text):
                    yield Demand(
                        segment, opening.kind or _kind(segment, is_limited, f"{opening.segment.text} {segment.text}")
                    )
                continue
            if opening.demands and not opening.items:
                yield Demand(opening.segment, _kind(opening.segment, is_limited))
            opening = None
        opening = _opens(segment, following, is_limited)
        if opening is None and _demands(segment, is_limited):
            yield Demand(segment, _kind(segment, is_limited))
    if opening is not None and opening.demands and not opening.items:
        yield Demand(opening.segment, _kind(opening.segment, is_limited))


def _opens(segment: Segment, following: Segment | None, is_limited: Limited) -> _Opening | None:
    text = segment.text
    if following is None:
        return None
    if segment.row and len(text.split()) <= 9 and not text.endswith((";", ",")) and following.row:
        if _CHECKLIST.search(text) and (following.marked or following.asked):
            return _Opening(segment, demands=False, in_table=True, kind="attachment")
        if _COLUMN.search(text) and (match := _HEADER_OF_DOCUMENTS.match(text) or _HEADER_OF_CONTENT.match(text)):
            kind: Kind = "attachment" if _HEADER_OF_DOCUMENTS.match(match[0]) else "content"
            return _Opening(segment, demands=False, in_table=True, kind=kind)
    if not text.endswith(":") or _CHOICE.search(text):
        return None
    demanding = _demands(segment, is_limited)
    if demanding or _LISTS.search(text) or text.rstrip(":").endswith((" shall", " must", " will", " should")):
        return _Opening(segment, demands=demanding, kind="eligibility" if _EXCLUDES.search(text) else None)
    return None


def _belongs(segment: Segment, opening: _Opening) -> bool:
    text = segment.text
    if opening.in_table:
        return (
            segment.row
            and opening.items < MAX_ROWS
            and not _NEW_PART.match(text)
            and not (segment.titled and text.isupper())
        )
    if len(text) > MAX_ITEM or (segment.titled and not segment.marked):
        return False
    if _STATES.search(text) and not (wording.obliges(text) or wording.bids(text)):
        return False
    begins_low = text[0].islower()
    if opening.segment.marked and segment.marked and not begins_low:
        return False  # the next item of the list that the opening is one of
    return segment.marked or begins_low or text.endswith((";", ","))


def _demands(segment: Segment, is_limited: Limited) -> bool:
    text = segment.text
    if len(text) < MIN_LENGTH:
        return False
    if segment.titled and segment.row and not segment.asked:
        return (
            wording.bids(text) and bool(re.search(r"\s[a-z]", text)) and len(text.split()) >= 4 and not text.istitle()
        )
    if segment.asked and not text.isupper():
        return True
    if text.endswith("?"):
        return wording.asks(text) and not segment.titled
    if any(_SCORED.search(title) for title in segment.headings[-2:]) and not _TOTAL.match(text):
        if segment.row and _SCORE.search(text) and re.match(r"[A-ZÄÖÜ]", text):
            return True
        if text[0].islower() and text.endswith(";"):
            return True
    if wording.obliges(text) or wording.bids(text) or is_limited(text) or wording.is_due(text):
        return True
    return _about_eligibility(segment) and _QUALIFIED.search(text) is not None


def _kind(segment: Segment, is_limited: Limited, whole: str = "") -> Kind:
    return wording.kind_of(
        whole or segment.text,
        told=wording.bids(segment.text) or segment.asked or segment.text.endswith("?"),
        limited=is_limited(segment.text),
        about_eligibility=_about_eligibility(segment),
    )


def _about_eligibility(segment: Segment) -> bool:
    return any(
        re.search(
            r"\b(?:eignung|teilnahmebedingungen|antragsberechtigt|who can apply|qualifications)\b", title, re.IGNORECASE
        )
        or ((topic := topic_of(title)) and topic.key == "eligibility")
        for title in segment.headings[-2:]
    )
