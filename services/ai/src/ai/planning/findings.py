"""Facts of a call that bind whoever answers it: limits, money, dates, points. Each knows the page it stands on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ai.planning.reading import Line, Sentence

Kind = Literal["page_limit", "budget", "deadline", "eligibility", "attachment"]

MAX_DEADLINE_LINE: Final = 200

_NUMBERS: Final = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen"),
)
_WORDS: Final = {word: number for number, word in enumerate(_NUMBERS, start=1)}
_COUNT: Final = rf"(?P<n>\d{{1,3}}|{'|'.join(_WORDS)})"
_PAGE: Final = r"(?:\s*\(\d{1,3}\))?[\s-]*(?:A4[\s-]+)?(?:single[\s-]sided[\s-]+)?pages?\b"
_UP_TO: Final = (
    r"(?:up to|at most|no more than|not more than|no longer than|maximum(?: length)?(?: of)?:?|max\.?"
    r"|limit(?:ed)?(?: of| to)?:?|not (?:to )?exceed(?:ing)?|(?:may|must|should) not exceed|within)"
)
_PAGE_LIMITS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_UP_TO}\s+(?:a maximum of\s+)?{_COUNT}{_PAGE}",
        rf"\b{_COUNT}{_PAGE}[\s,(-]*(?:maximum|max\b|at most|limit|or (?:less|fewer))",
        rf"\b{_COUNT}-page limit",
    )
)
_MONEY: Final = re.compile(
    r"(?:(?:[$€£]|USD|EUR|GBP|CHF)\s?\d[\d.,' ]*\d(?:\s?(?:million|thousand|k|m)\b)?"
    r"|\b\d[\d.,']{3,}\s?(?:euros?|EUR|USD|GBP|pounds)\b)",
    re.IGNORECASE,
)
_CAP_WORDS: Final = re.compile(
    r"not exceed|limited to|maximum|up to|at most|ceiling|no more than|between|minimum|per (?:project|award|grant)"
    r"|co-?financ|funding rate",
    re.IGNORECASE,
)
_MONTHS: Final = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.?"
)
_DATE: Final = re.compile(
    rf"\b(?:{_MONTHS}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}|\d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTHS}\s+\d{{4}}"
    r"|\d{4}-\d{2}-\d{2})",
    re.IGNORECASE,
)
_DUE: Final = re.compile(
    r"\b(?:deadline|due|closing|closes|submit(?:ted)? by|no later than|received by)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What the call says, in its own words, and where."""

    kind: Kind
    text: str
    page: int


@dataclass(frozen=True, slots=True)
class Criterion:
    """What a reviewer scores; `points` is None where the call gives no weight."""

    title: str
    points: int | None
    page: int


def page_limits(text: str) -> list[int]:
    """Every page limit that the text sets, in order, each once."""
    spans: list[tuple[int, int]] = []
    for pattern in _PAGE_LIMITS:
        for match in pattern.finditer(text):
            word = match["n"].lower()
            spans.append((match.start("n"), _WORDS.get(word) or int(word)))
    # "up to 7 pages for Phase I and up to 15 pages for Phase II" sets two; "7 pages maximum" matches one pattern only.
    return list(dict.fromkeys(number for _, number in sorted(spans) if number > 0))


def budget_caps(sentences: Iterable[Sentence]) -> list[Finding]:
    """Sentences with money and a word that caps it, each once."""
    found: dict[str, Finding] = {}
    for sentence in sentences:
        if _MONEY.search(sentence.text) and _CAP_WORDS.search(sentence.text):
            text = _shorten(sentence.text, _MONEY)
            found.setdefault(_key(text), Finding("budget", text, sentence.page))
    return list(found.values())


def deadlines(lines: Sequence[Line]) -> list[Finding]:
    """Dates in the three lines from one that speaks of a deadline: calls set them apart, on lines of their own."""
    found: dict[str, Finding] = {}
    for index, line in enumerate(lines):
        if not _DUE.search(line.text) or len(line.text) > MAX_DEADLINE_LINE:
            continue
        for near in lines[index : index + 3]:
            if match := _DATE.search(near.text):
                words = line.text if near is line else f"{line.text} {near.text}"
                found.setdefault(match[0].lower(), Finding("deadline", words, near.page))
                break
    return list(found.values())


def _key(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().lower()[:120]


def _shorten(text: str, around: re.Pattern[str], limit: int = 320) -> str:
    """The part of a very long sentence that holds the fact; PDF text can lack full stops for half a page."""
    if len(text) <= limit:
        return text
    match = around.search(text)
    start = max(0, (match.start() if match else 0) - limit // 2)
    part = text[start : start + limit]
    return (
        ("… " if start else "") + part.split(" ", 1)[-1 if start else 0].strip()
        if start
        else part.rsplit(" ", 1)[0] + " …"
    )
