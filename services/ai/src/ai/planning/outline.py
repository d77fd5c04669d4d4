"""The plan: which sections to write, what the call asks of each and where, its limit, its criteria, and what to ask."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ai.planning.components import ASKS, Component, find_components, plain
from ai.planning.findings import Criterion, Finding, budget_caps, deadlines
from ai.planning.reading import PageText, Sentence, read_all_blocks, read_lines
from ai.planning.requirements import Requirement, requirements
from ai.planning.tables import DocumentRow, criteria, document_rows

MAX_GUIDANCE_SENTENCES: Final = 6
MAX_SENTENCE_LENGTH: Final = 420
MAX_SECTIONS: Final = 30
MAX_QUESTIONS: Final = 5
MAX_BUDGET_QUOTES: Final = 4
MIN_SHARED: Final = 2
"""A criterion belongs to a section from this score; the words of its title count threefold."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask the user; `id` is stable within the section, so that answers survive a new plan."""

    id: str
    text: str


@dataclass(slots=True)
class PlannedSection:
    """A section to write, before it has an id."""

    title: str
    guidance: str = ""
    page_limit: int | None = None
    criteria: list[Criterion] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)
    """Pages of the call that speak of it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The sections in the order to write them, and the facts that bind the whole proposal."""

    sections: list[PlannedSection]
    findings: list[Finding]
    requirements: list[Requirement] = field(default_factory=list)
    """What the call demands one by one, for the compliance matrix."""


def make_plan(pages: Sequence[PageText]) -> Plan:
    """Reads a call and plans the answer. The same pages give the same plan; an empty call, the usual outline."""
    lines = read_lines(pages)
    titled = read_all_blocks(lines)
    blocks = [block for block in titled if block.lines]
    rows = document_rows(blocks)
    components = find_components(blocks, lines, rows)[:MAX_SECTIONS]
    dates = deadlines(lines)
    findings = _unique(
        [
            *dates,
            *budget_caps(sentence for block in blocks for sentence in block.sentences()),
            *(Finding("attachment", row.text, row.page) for row in rows),
        ]
    )
    sections = [_section(component, findings, rows) for component in components]
    scored = criteria(blocks)
    _assign(scored, sections, components)
    if sections and (due := next((finding for finding in findings if finding.kind == "deadline"), None)):
        sections[0].guidance += f"\n- {_quote(due.text, due.page)}"
    return Plan(sections, findings, requirements(pages, titled, lines, rows, scored, dates))


def _section(component: Component, findings: Sequence[Finding], rows: Sequence[DocumentRow]) -> PlannedSection:
    topic = component.topic
    key = topic.key if topic else ""
    quotes = [_quote(sentence.text, sentence.page) for sentence in (*component.remarks, *_telling(component.sentences))]
    if key == "budget":
        known = " ".join(quotes)
        caps = [finding for finding in findings if finding.kind == "budget" and finding.text[:60] not in known]
        quotes += [_quote(finding.text, finding.page) for finding in caps[:MAX_BUDGET_QUOTES]]
    if key == "annexes":
        quotes = [_quote(row.text, row.page) for row in rows] or quotes
    limits = list(dict.fromkeys(component.limits))
    questions = [Question(name, text) for name, text in topic.questions] if topic else []
    if not topic:
        questions = [
            Question("facts", f"What should a reader know under “{component.title}”?"),
            Question("evidence", "Which facts, figures or documents show it?"),
        ]
    if len(limits) > 1:
        lengths = " or ".join(str(limit) for limit in limits)
        text = f"Which limit applies to you: {lengths} pages? The shortest is set until you say."
        questions.insert(0, Question("which_limit", text))
    return PlannedSection(
        title=component.title,
        guidance="\n".join([*([topic.guidance] if topic else []), *(f"- {quote}" for quote in quotes)]),
        page_limit=min(limits, default=None),
        questions=questions[:MAX_QUESTIONS],
        sources=sorted(component.sources),
    )


def _assign(found: Sequence[Criterion], sections: Sequence[PlannedSection], components: Sequence[Component]) -> None:
    """Each criterion goes to the section that shares most words with it, or else to the main narrative."""
    if not sections:
        return
    profiles = []
    for section, component in zip(sections, components, strict=True):
        usual = frozenset(map(_stem, component.topic.keywords)) if component.topic else frozenset()
        profiles.append((_stems(section.title), usual))
    main = next(
        (index for index, item in enumerate(components) if item.topic and item.topic.key == "description"),
        next((index for index, item in enumerate(components) if item.is_narrative), 0),
    )
    for criterion in found:
        wanted = _stems(criterion.title)
        scores = [3 * len(wanted & title) + len(wanted & usual) for title, usual in profiles]
        best = max(range(len(scores)), key=lambda index: (scores[index], -index))
        sections[best if scores[best] >= MIN_SHARED else main].criteria.append(criterion)


def _telling(sentences: Sequence[Sentence]) -> list[Sentence]:
    """The sentences that ask for something, in the call's order; the first ones when few do."""
    asking = [sentence for sentence in sentences if ASKS.search(sentence.text)]
    chosen = asking if len(asking) >= 3 else list(sentences)
    return chosen[:MAX_GUIDANCE_SENTENCES]


def _quote(text: str, page: int) -> str:
    short = text if len(text) <= MAX_SENTENCE_LENGTH else text[:MAX_SENTENCE_LENGTH].rsplit(" ", 1)[0] + " …"
    return f"“{short}” [call, p. {page}]"


def _unique(findings: Sequence[Finding]) -> list[Finding]:
    found: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        found.setdefault((finding.kind, plain(finding.text)), finding)
    return list(found.values())


def _stem(word: str) -> str:
    return re.sub(r"(?:ations?|ities|ity|ments?|ings?|ies|es|s|al|ed)$", "", word.lower())


def _stems(text: str) -> frozenset[str]:
    return frozenset(_stem(word) for word in re.findall(r"[A-Za-z-]{4,}", text))
