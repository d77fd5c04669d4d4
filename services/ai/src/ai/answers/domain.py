"""Rules of the answer library: how alike two questions are, in which order answers are suggested, when one is due."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Generic, TypeVar

from ai.knowledge.domain import query_words

T = TypeVar("T")

SUGGESTED_FROM: Final = 0.3
"""Two questions about the same matter in other words reach 0.6 to 0.9, strangers stay below 0.2."""
WRITTEN_FROM: Final = 0.8
"""A draft takes an answer without asking, so the questions must be nearly the same."""
BONUS_PER_DOUBLING: Final = 0.03
MAX_BONUS: Final = 0.15
"""Many uses decide between answers that fit about equally well; they never lift one that does not fit."""

_ENDING: Final = re.compile(r"(?:ing|ed|es|s|e)$")


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a question is compared by: its telling words without their endings, and its runs of three letters."""

    words: frozenset[str]
    runs: frozenset[str]

    @classmethod
    def of(cls, question: str) -> Likeness:
        """Of a question in any script; a text without spaces has runs alone to go by."""
        telling = query_words([question])
        words = frozenset(_ENDING.sub("", word) for word in telling)
        # What, is, your: every question has them. They are looked at only where there is nothing else.
        padded = [f"  {word} " for word in telling or re.findall(r"\w+", question.casefold())]
        return cls(words, frozenset(word[at : at + 3] for word in padded for at in range(len(word) - 2)))

    def to(self, other: Likeness) -> float:
        """0 for nothing in common, 1 for the same."""
        runs = _shared(self.runs, other.runs)
        return max(runs, (runs + _shared(self.words, other.words)) / 2)


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """An answer as far as ranking looks at it."""

    item: T
    question: Likeness
    uses: int


@dataclass(frozen=True, slots=True)
class Ranked(Generic[T]):
    """An answer that fits, and how alike its question is (0 to 1)."""

    item: T
    score: float


def rank(question: str, known: Sequence[Known[T]], *, least: float = SUGGESTED_FROM) -> list[Ranked[T]]:
    """Those whose question is at least so alike; by likeness, and by use where that is close. Ties keep their order."""
    asked = Likeness.of(question)
    scored = [(asked.to(one.question), one) for one in known]
    fitting = [(score, one) for score, one in scored if score >= least]
    fitting.sort(key=lambda pair: -(pair[0] + use_bonus(pair[1].uses)))
    return [Ranked(one.item, round(score, 3)) for score, one in fitting]


def use_bonus(uses: int) -> float:
    """What an answer gains by having been used."""
    return min(MAX_BONUS, BONUS_PER_DOUBLING * math.log2(1 + uses))


def is_due(review_on: date | None, today: date) -> bool:
    """Whether somebody should look at it again, from the day itself on."""
    return review_on is not None and review_on <= today


def tidy_tags(tags: Iterable[str]) -> list[str]:
    """Each once, however it is capitalised, as it was first written."""
    first: dict[str, str] = {}
    for tag in tags:
        first.setdefault(tag.casefold(), tag)
    return list(first.values())


def _shared(mine: frozenset[str], theirs: frozenset[str]) -> float:
    """Twice what is common, by the size of both."""
    return 2 * len(mine & theirs) / (len(mine) + len(theirs)) if mine and theirs else 0.0
