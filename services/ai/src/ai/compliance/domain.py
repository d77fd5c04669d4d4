"""Rules of compliance: in which state a requirement is, and which planned section answers it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from ai.planning.components import plain
from ai.planning.requirements import Requirement, key_of
from ai.planning.topics import topic_of
from ai.sections.domain import Status

State = Literal["uncovered", "open", "drafted", "approved", "over_limit"]

WORDS_PER_PAGE: Final = 450
"""An estimate; what a page holds is known only when it is set. The editor counts with the same figure."""
QUOTED: Final = 120
"""As many characters of a requirement are looked for in a section's guidance, which shortens what it quotes."""
MIN_SHARED: Final = 3
"""A section answers a demand that nothing else places from this score; the words of its title count threefold."""

_WORD: Final = re.compile(r"[^\W_][\w'’-]*")
_MARKS: Final = re.compile(r"[#*_`>|~\\]+")


@dataclass(frozen=True, slots=True)
class SectionFacts:
    """What these rules need to know of a section."""

    id: UUID
    title: str
    status: Status
    text: str
    guidance: str = ""
    criteria: tuple[str, ...] = ()
    page_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so much of a unit."""

    value: int
    unit: str


def state_of(limit: Limit | None, sections: Sequence[SectionFacts]) -> State:
    """The least advanced of its sections decides; too long a text comes before all, even an approved one."""
    if not sections:
        return "uncovered"
    if limit is not None and is_over(limit, [section.text for section in sections]):
        return "over_limit"
    if all(section.status == "approved" for section in sections):
        return "approved"
    return "open" if any(section.status == "empty" for section in sections) else "drafted"


def is_over(limit: Limit, texts: Sequence[str]) -> bool:
    """Whether the texts together are too long. Pages are not judged here: their number is an estimate."""
    if limit.unit == "pages":
        return False
    return length_in(limit.unit, texts) > limit.value


def length_in(unit: str, texts: Sequence[str]) -> int:
    """How long the texts are together: in words or characters without the marks of Markdown, in pages as estimated."""
    if unit == "characters":
        return sum(len(_MARKS.sub("", text).strip()) for text in texts)
    words = sum(len(_WORD.findall(text)) for text in texts)
    return math.ceil(words / WORDS_PER_PAGE) if unit == "pages" else words


def answering(requirement: Requirement, sections: Sequence[SectionFacts]) -> list[UUID]:
    """The sections of a plan that answer a requirement; none where the call does not tell.

    A section that quotes it in its guidance or is scored by it; else the one that it stands under; else, by its kind
    and words, the one that is about the same. A form for the whole is answered by no section, and a date never is.
    """
    if requirement.kind == "deadline":
        return []
    key = key_of(requirement.words)
    if requirement.weight is not None and (scored := [one.id for one in sections if key in map(key_of, one.criteria)]):
        return scored
    if quoting := [one.id for one in sections if key[:QUOTED] in plain(one.guidance)]:
        return quoting
    for heading in reversed(requirement.headings):
        if under := _under(heading, sections):
            return [under]
    if requirement.kind == "format":
        return []
    if requirement.kind == "eligibility":
        return _about("eligibility", sections)
    if requirement.kind == "attachment":
        topic = topic_of(requirement.words)
        return (_about(topic.key, sections) if topic else []) or _about("annexes", sections)
    return _alike(requirement.words, sections)


def _under(heading: str, sections: Sequence[SectionFacts]) -> UUID | None:
    title = plain(re.sub(r"^\s*[\dA-Z]{1,3}(?:\.\d+)*[.)]?\s+", "", heading))
    if not title:
        return None
    for section in sections:
        if plain(section.title) in (title, plain(heading)):
            return section.id
    topic = topic_of(heading)
    if topic is None or not topic.unique:
        return None
    return next(iter(_about(topic.key, sections)), None)


def _about(key: str, sections: Sequence[SectionFacts]) -> list[UUID]:
    return [one.id for one in sections if (topic := topic_of(one.title)) and topic.key == key][:1]


def _alike(words: str, sections: Sequence[SectionFacts]) -> list[UUID]:
    wanted = _stems(words)
    best, best_score = None, MIN_SHARED - 1
    for section in sections:
        topic = topic_of(section.title)
        usual = frozenset(map(_stem, topic.keywords)) if topic else frozenset()
        score = 3 * len(wanted & _stems(section.title)) + len(wanted & usual)
        if score > best_score:
            best, best_score = section.id, score
    return [best] if best is not None else []


def _stem(word: str) -> str:
    return re.sub(r"(?:ations?|ities|ity|ments?|ings?|ies|es|s|al|ed)$", "", word.lower())


def _stems(text: str) -> frozenset[str]:
    return frozenset(_stem(word) for word in re.findall(r"[^\W\d_-]{4,}", text))
