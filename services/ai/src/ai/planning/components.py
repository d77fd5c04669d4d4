"""Which parts a proposal must have, as the call names them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ai.planning.findings import page_limits
from ai.planning.headings import LABELLED
from ai.planning.reading import Block, Line, Sentence
from ai.planning.tables import DocumentRow
from ai.planning.topic import Topic
from ai.planning.topics import TOPICS, topic_of

MIN_NARRATIVE_SECTIONS: Final = 3
LAST_NARRATIVE_RANK: Final = 29
FIRST_LINES: Final = 4

ASKS: Final = re.compile(
    r"\b(?:must|shall|should|required?|describe|explain|include|provide|demonstrate|outline|identify|show|address"
    r"|justify|list|say|name|not exceed|up to|at most|no more than|maximum|minimum|at least|will not|cannot)\b",
    re.IGNORECASE,
)
_REQUIRED: Final = re.compile(r"required|mandatory|compulsory", re.IGNORECASE)
_LIMITED: Final = re.compile(r"\b(?:pages?|words|characters|points?|%)", re.IGNORECASE)
_PREPARATION: Final = re.compile(
    r"prepar|must (?:contain|include)|application (?:form|package|content|document)"
    r"|proposal (?:content|structure|format)|what to (?:submit|include|send)|required|how to apply"
    r"|structure|narrative|format of|submission|supplementary",
    re.IGNORECASE,
)
_NOT_A_PART: Final = re.compile(
    r"^(?:phase|track|lot|stream|strand|stage|category|title|deadline|due date|contacts?|checklist|limit on"
    r"|cost sharing|awards?|anticipated|estimated|reporting|introduction|about|general|important|definitions?"
    r"|glossary|full proposals?|letters of intent|preliminary|review|merit|selection|scoring|how |what |who "
    r"|timetable|key dates|fees?\b|notification|special|synopsis|the call|purpose|annex|appendix|attachment"
    r"|evaluation (?:criteria|process))"
    r"|criteria|review process|checklist|conditions|instructions|requirements$|contact",
    re.IGNORECASE,
)
_QUOTED: Final = re.compile(
    r"section\s+(?:titled|labell?ed|called|named|headed)\s+[\"“](?P<title>[^\"”]{3,60})[\"”]", re.IGNORECASE
)
_LIMIT_ROW: Final = re.compile(
    r"^(?:[A-Z0-9]{1,3}[.)]\s+)?(?P<title>[A-Z][A-Za-z'’&,/ -]{3,60}?)[\s:,(|–-]+(?P<n>\d{1,2})\s+pages?\b"
    r"(?:\s*(?:max\w*|each))?[).]*$"
)
_FROM_ROWS: Final = frozenset({"letters", "data"})
"""Topics that a row of a table of documents makes a section of; the others are attachments, not text to write."""


@dataclass(slots=True)
class Component:
    """A part of the proposal and everything that the call says about it."""

    title: str
    topic: Topic | None
    order: int
    sentences: list[Sentence] = field(default_factory=list)
    limits: list[int] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)
    remarks: list[Sentence] = field(default_factory=list)
    """What stands in brackets behind its title."""
    named: bool = False
    """Whether the call itself says that this is a part, so that its own title is kept."""

    @property
    def rank(self) -> tuple[int, int]:
        """Where it goes in the plan."""
        return (self.topic.rank if self.topic else 10, self.order)

    @property
    def is_narrative(self) -> bool:
        """Whether it tells the story, unlike the summary, the budget and the attachments."""
        return 0 < self.rank[0] <= LAST_NARRATIVE_RANK

    def take(self, sentences: Sequence[Sentence], page: int) -> None:
        """Adds what the call says in one more place."""
        known = {sentence.text for sentence in self.sentences}
        self.sentences.extend(sentence for sentence in sentences if sentence.text not in known)
        if page not in self.sources:
            self.sources.append(page)


def find_components(blocks: Sequence[Block], lines: Sequence[Line], rows: Sequence[DocumentRow]) -> list[Component]:
    """The parts, each once, in the order of the plan; completed from the usual outline where the call names too few."""
    found: dict[str, Component] = {}
    for order, block in enumerate(blocks):
        _take_block(found, block, order)
    for order, line in enumerate(lines):
        row = _LIMIT_ROW.match(line.text)
        topic = topic_of(row["title"]) if row else None
        if row and topic and topic.key not in ("annexes", "description", "budget"):
            entry = _entry(found, row["title"].strip(), order, named=True)
            entry.take([Sentence(line.page, line.text)], line.page)
            entry.limits.append(int(row["n"]))
    for order, document in enumerate(rows):
        topic = topic_of(document.title)
        if topic and topic.key in _FROM_ROWS:
            entry = _entry(found, topic.title, order, named=False)
            entry.take([Sentence(document.page, document.text)], document.page)
            entry.limits.extend(page_limits(f"at most {document.limit}") if document.limit else [])
    components = _without_weak(_merge_alike(found))
    return sorted(_complete(components), key=lambda component: component.rank)


def _entry(found: dict[str, Component], title: str, order: int, *, named: bool) -> Component:
    topic = topic_of(title)
    key = topic.key if topic and topic.unique else plain(title)
    if key not in found:
        # Calls head some parts as instructions ("Who may apply", "Budgetary information"), not as a proposal would.
        found[key] = Component(title if named or topic is None else topic.title, topic, order)
    if named and not found[key].named:
        found[key].title, found[key].named, found[key].order = title, True, order
    return found[key]


def _take_block(found: dict[str, Component], block: Block, order: int) -> None:
    about_eligibility = next(
        (title for title in (block.title, *block.parents) if (t := topic_of(title)) and t.key == "eligibility"), None
    )
    sentences = block.sentences()
    if about_eligibility and block.level != LABELLED:
        _entry(found, about_eligibility, order, named=False).take(sentences, block.page)
    elif strength := _strength(block, sentences):
        entry = _entry(found, block.title, order, named=strength == "named")
        entry.take(sentences, block.page)
        opening = " ".join(sentence.text for sentence in sentences)
        entry.limits.extend(page_limits(block.aside) or page_limits(opening))
        if block.aside and _LIMITED.search(block.aside):
            entry.remarks.append(Sentence(block.page, block.aside))
    for sentence in sentences:
        for match in _QUOTED.finditer(sentence.text):
            _entry(found, match["title"].strip(), order, named=True).take([sentence], sentence.page)


def _strength(block: Block, sentences: Sequence[Sentence]) -> str:
    """`named` when the call says that this is a part, `weak` when it only reads like one, else empty."""
    title = block.title
    topic = topic_of(title)
    if _NOT_A_PART.search(title) or len(title) < 4 or re.search(r"\bLine [A-Z]\b", block.aside, re.IGNORECASE):
        return ""
    if _REQUIRED.search(block.aside) or page_limits(block.aside) or re.search(r"\bwords\b", block.aside):
        return "named"
    if block.listed:
        above = topic_of(block.parents[-1]) if block.parents else None
        return "" if above and above.unique else "named"  # the parts of a data plan are not parts of the proposal
    opening = " ".join(sentence.text for sentence in sentences[:FIRST_LINES])
    limited = bool(page_limits(opening))
    if any(_PREPARATION.search(parent) for parent in block.parents):
        return "named" if topic or limited else ""
    return "weak" if topic and (limited or len(ASKS.findall(opening)) >= 2) else ""


def _merge_alike(found: Mapping[str, Component]) -> list[Component]:
    """`Context of the Open-Source Ecosystem` and `Context of OSE`: one begins as the other does, so they are one."""
    merged: list[Component] = []
    for component in found.values():
        opening = " ".join(plain(component.title).split()[:2])
        twin = next((known for known in merged if " " in opening and plain(known.title).startswith(opening)), None)
        if twin is None:
            merged.append(component)
            continue
        for page in component.sources:
            twin.take(component.sentences, page)
        twin.limits.extend(component.limits)
        twin.named = twin.named or component.named
    return merged


def _without_weak(components: Sequence[Component]) -> list[Component]:
    """Where the call names its parts, what only reads like one is left out."""
    named = [component for component in components if component.named and component.is_narrative]
    if len(named) < MIN_NARRATIVE_SECTIONS:
        return list(components)
    return [item for item in components if item.named or (item.topic is not None and item.topic.unique)]


def _complete(components: list[Component]) -> list[Component]:
    narrative = [component for component in components if component.is_narrative]
    covered = {component.topic.key for component in components if component.topic}
    is_thin = len(narrative) < MIN_NARRATIVE_SECTIONS
    added = [
        Component(topic.title, topic, 10_000 + order)
        for order, topic in enumerate(TOPICS)
        if (topic.standard if is_thin else topic.key in ("summary", "budget")) and topic.key not in covered
    ]
    return components + added


def plain(text: str) -> str:
    """A title without articles, case and punctuation, to tell whether two name the same."""
    return " ".join(re.sub(r"\b(?:the|a|an)\b|\W+", " ", text.lower()).split())
