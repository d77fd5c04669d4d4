"""A plan by a language model: it reads the call, and nothing that it says of the call is taken unless it stands there.

Deadlines, money and attachments are read by rules in any case; so is the whole plan where there is no model, no call,
or a call too long for one.
"""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from ai.generation.ports import JobDeps
from ai.planning.findings import Criterion
from ai.planning.outline import MAX_QUESTIONS, MAX_SECTIONS, Plan, PlannedSection, Question, make_plan
from ai.planning.reading import PageText
from ai.providers import prompts
from ai.providers.port import Passage, StructureRequest, Written

CALL_LABEL: Final = "call"
MAX_ASKS: Final = 8
MAX_WORDS: Final = 600
RULES: Final = ("ai.planning.outline", "ai.planning.components", "ai.planning.findings", "ai.planning.tables")
"""What stands for a prompt when the rules make the plan."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Ask(_Answer):
    """Something that the call asks, in its words."""

    page: int
    words: Annotated[str, Field(min_length=1, max_length=2_000)]


class Scored(_Answer):
    """What reviewers score."""

    title: Annotated[str, Field(min_length=1, max_length=300)]
    points: Annotated[int, Field(ge=0, le=10_000)] | None


class Part(_Answer):
    """A section to write."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    asks: list[Ask]
    page_limit: Annotated[int, Field(ge=1, le=1_000)] | None
    criteria: list[Scored]
    questions: list[Annotated[str, Field(min_length=1, max_length=500)]]


class Outline(_Answer):
    """The model's answer."""

    sections: Annotated[list[Part], Field(min_length=1)]


async def plan(deps: JobDeps, pages: Sequence[PageText]) -> tuple[Plan, Written]:
    """The plan, and who made it. Raises ProviderFailed."""
    by_rules = await asyncio.to_thread(make_plan, pages)
    local = Written("local", prompts.rules_of(*RULES))
    length = sum(len(page.text) for page in pages)
    if not any(page.text.strip() for page in pages) or length > deps.max_call_characters:
        return by_rules, local
    known = {page.number: _plain(page.text) for page in pages}
    found = await deps.provider.structure(
        StructureRequest(
            prompt="plan",
            passages=[Passage(CALL_LABEL, page.number, page.text) for page in pages if page.text.strip()],
            into=Outline,
            problems=lambda outline: _problems(outline, known),
        )
    )
    if found is None:
        return by_rules, local
    sections = [_section(part, known) for part in _distinct(found.answer.sections)]
    return Plan(sections, by_rules.findings, by_rules.requirements), found.written


def _problems(outline: Outline, known: Mapping[int, str]) -> list[str]:
    """An answer is sent back when most of what it quotes cannot be found where it says."""
    asks = [ask for part in outline.sections for ask in part.asks]
    invented = [ask for ask in asks if not _stands(ask, known)]
    if not asks:
        return ["`asks` is empty in every section; quote what the call asks"]
    if len(invented) * 2 > len(asks):
        return [f"page {ask.page} does not hold these words: {ask.words[:200]}" for ask in invented]
    return []


def _section(part: Part, known: Mapping[int, str]) -> PlannedSection:
    asks = [ask for ask in part.asks if _stands(ask, known)][:MAX_ASKS]
    call = " ".join(known.values())
    limit = part.page_limit if part.page_limit and _says_limit(part.page_limit, asks, call) else None
    return PlannedSection(
        title=_line(part.title),
        guidance="\n".join(f"- “{_line(ask.words)[:MAX_WORDS]}” [{CALL_LABEL}, p. {ask.page}]" for ask in asks),
        page_limit=limit,
        criteria=[
            Criterion(_line(item.title), item.points, asks[0].page if asks else 1)
            for item in part.criteria
            if _plain(item.title) in call
        ],
        questions=[
            Question(f"q{number}", _line(text)) for number, text in enumerate(part.questions[:MAX_QUESTIONS], start=1)
        ],
        sources=sorted({ask.page for ask in asks}),
    )


def _stands(ask: Ask, known: Mapping[int, str]) -> bool:
    """Whether the page holds the words; a sentence may run over to the next page."""
    here = f"{known.get(ask.page, '')} {known.get(ask.page + 1, '')}"
    return bool(_plain(ask.words)) and _plain(ask.words) in here


def _says_limit(limit: int, asks: Sequence[Ask], call: str) -> bool:
    """Whether the call names this number of pages, beside what it asks here or anywhere."""
    pattern = rf"\b{limit}\b\W+(?:\w+\W+){{0,3}}pages?\b|\bpages?\b\W+(?:\w+\W+){{0,3}}{limit}\b"
    return any(re.search(pattern, text) for text in (*(_plain(ask.words) for ask in asks), call))


def _distinct(parts: Sequence[Part]) -> list[Part]:
    """One part for each title: two sections of one name could not be told apart."""
    kept: dict[str, Part] = {}
    for part in parts:
        kept.setdefault(_plain(part.title), part)
    return list(kept.values())[:MAX_SECTIONS]


def _plain(text: str) -> str:
    """The words alone: case, quotation marks, dashes, hyphens at a line's end and blanks do not count."""
    joined = re.sub(r"(?<=\w)-\s*\n\s*(?=\w)", "", unicodedata.normalize("NFKC", text))
    return " ".join(re.findall(r"\w+", joined.casefold()))


def _line(text: str) -> str:
    return " ".join(text.split())
