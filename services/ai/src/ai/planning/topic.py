"""What the parts of a proposal are about: how calls name them, and what to ask whoever writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """A usual part of a proposal.

    `rank` orders the plan (summary first, attachments last); `unique` topics become one section however often and by
    whatever name the call speaks of them; `standard` ones make up the outline for a call that names too few parts.
    """

    key: str
    title: str
    names: re.Pattern[str]
    rank: int
    guidance: str
    questions: tuple[tuple[str, str], ...]
    keywords: frozenset[str]
    unique: bool = False
    standard: bool = False


def make_topic(
    key: str,
    title: str,
    names: str,
    guidance: str,
    questions: tuple[tuple[str, str], ...],
    keywords: str,
    *,
    rank: int = 10,
    unique: bool = False,
    standard: bool = False,
) -> Topic:
    pattern = re.compile(rf"\b(?:{names})\b", re.IGNORECASE)
    return Topic(key, title, pattern, rank, guidance, questions, frozenset(keywords.split()), unique, standard)
