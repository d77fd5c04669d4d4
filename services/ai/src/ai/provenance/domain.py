"""Rules of provenance: how a text falls into paragraphs, and what a change makes of who wrote them.

A paragraph that stays keeps its origin, also where it moved or only its marks changed. A changed or new one gets that
of whoever changed it; what a person makes of a model's paragraph, or a model of a person's, is by both.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final, Literal
from uuid import UUID

By = Literal["person", "model", "both"]

ALIKE: Final = 0.5
"""Share of words that two paragraphs must have in common, for one to be a new wording of the other."""
MIN_WORDS: Final = 3
"""Of a paragraph that is compared by its words."""
NEIGHBOURS: Final = 12
"""Paragraphs at most that one is compared with: a rewritten long text must not hold up its saving."""
_BREAK: Final = re.compile(r"\n[ \t]*\n\s*")
_MARKS: Final = re.compile(r"[\s#*_`>|~\\+-]+")
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A run of lines without a blank one among them, from `start` to `end` of the text."""

    start: int
    end: int
    text: str

    @property
    def key(self) -> str:
        """The same for paragraphs that differ in blanks and marks alone."""
        return hashlib.sha256(_MARKS.sub(" ", self.text).strip().encode()).hexdigest()[:16]

    @property
    def words(self) -> int:
        """How many words it has."""
        return len(_WORD.findall(self.text))


@dataclass(frozen=True, slots=True)
class Origin:
    """Who wrote a paragraph: its last change came with `revision`; `generation_id` where a model had a part in it."""

    key: str
    by: By
    revision: int
    generation_id: UUID | None = None

    def stored(self) -> dict[str, Any]:
        """As it stands in the database. It names no person: the revision's row does, until that person is erased."""
        return {
            "key": self.key,
            "by": self.by,
            "revision": self.revision,
            "generation_id": str(self.generation_id) if self.generation_id else None,
        }


@dataclass(frozen=True, slots=True)
class Change:
    """A new text of a section.

    Args:
        revision: the one that it becomes.
        generation_id: the model's request that wrote it; None when a person saves it.
        proposed: texts that a model proposed and a person may have taken from: the request, and what it wrote.
    """

    revision: int
    generation_id: UUID | None = None
    proposed: Sequence[tuple[UUID, str]] = ()


def paragraphs_of(text: str) -> list[Paragraph]:
    """The paragraphs of a text, in order."""
    return list(_split(text))


def origin_of(stored: Mapping[str, Any]) -> Origin:
    """What was stored."""
    generation_id = stored.get("generation_id")
    return Origin(
        str(stored["key"]), stored["by"], int(stored["revision"]), UUID(generation_id) if generation_id else None
    )


def all_by(text: str, by: By, revision: int) -> list[Origin]:
    """The origins of a text of which nothing more is known."""
    return [Origin(one.key, by, revision) for one in paragraphs_of(text)]


def trace(
    before: str, origins: Sequence[Origin], after: str, change: Change, earlier: Mapping[str, Origin] | None = None
) -> list[Origin]:
    """The origins of the new text's paragraphs.

    Args:
        before, origins: the text as it was, and the origins of its paragraphs.
        earlier: origins of paragraphs of earlier revisions by key, for what is put back.
    """
    old, new = paragraphs_of(before), paragraphs_of(after)
    known: list[Origin | None] = [None] * len(new)
    matcher = SequenceMatcher(None, [one.key for one in old], [one.key for one in new], autojunk=False)
    left: dict[int, Paragraph] = dict(enumerate(old))
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            known[block.b + offset] = origins[block.a + offset]
            del left[block.a + offset]
    moved = {paragraph.key: place for place, paragraph in left.items()}
    for place, paragraph in enumerate(new):
        if known[place] is None and (came_from := moved.pop(paragraph.key, None)) is not None:
            known[place] = origins[came_from]
            del left[came_from]
    drafted = {one.key: (generation_id, one) for generation_id, text in change.proposed for one in paragraphs_of(text)}
    for place, paragraph in enumerate(new):
        if known[place] is not None:
            continue
        if change.generation_id is None and paragraph.key not in drafted and paragraph.key in (earlier or {}):
            known[place] = (earlier or {})[paragraph.key]
            continue
        near = sorted(left, key=lambda old_place: abs(old_place - place))[:NEIGHBOURS]
        source = _most_alike(paragraph, {old_place: left[old_place] for old_place in near})
        if source is not None:
            del left[source]
        known[place] = _written(paragraph, origins[source] if source is not None else None, change, drafted)
    return [origin for origin in known if origin is not None]


def shares(paragraphs: Sequence[Paragraph], origins: Sequence[Origin]) -> dict[By, int]:
    """How many words are by whom."""
    counts: Counter[By] = Counter()
    for paragraph, origin in zip(paragraphs, origins, strict=True):
        counts[origin.by] += paragraph.words
    return {"person": counts["person"], "model": counts["model"], "both": counts["both"]}


def _written(
    paragraph: Paragraph, source: Origin | None, change: Change, drafted: Mapping[str, tuple[UUID, Paragraph]]
) -> Origin:
    """The origin of a paragraph that is new, or a new wording of `source`."""
    model = change.generation_id
    if model is None and (found := drafted.get(paragraph.key)):
        model = found[0]
    if model is not None:
        by: By = "both" if source is not None and source.by != "model" else "model"
        return Origin(paragraph.key, by, change.revision, model)
    if source is not None and source.by != "person":
        return Origin(paragraph.key, "both", change.revision, source.generation_id)
    if source is None and drafted:
        choices = list(drafted.values())[: 2 * NEIGHBOURS]
        alike = _most_alike(paragraph, {place: one for place, (_, one) in enumerate(choices)})
        if alike is not None:
            return Origin(paragraph.key, "both", change.revision, choices[alike][0])
    return Origin(paragraph.key, "person", change.revision)


def _most_alike(paragraph: Paragraph, others: Mapping[int, Paragraph]) -> int | None:
    words = Counter(_WORD.findall(paragraph.text.casefold()))
    best, most = None, ALIKE
    if words.total() < MIN_WORDS:
        return None
    for place, other in others.items():
        theirs = Counter(_WORD.findall(other.text.casefold()))
        alike = 2 * (words & theirs).total() / (words.total() + theirs.total())
        if alike >= most and theirs.total() >= MIN_WORDS:
            best, most = place, alike
    return best


def _split(text: str) -> Iterator[Paragraph]:
    start = len(text) - len(text.lstrip())
    for match in _BREAK.finditer(text, start):
        if match.start() > start:
            yield Paragraph(start, match.start(), text[start : match.start()])
        start = match.end()
    if text[start:].strip():
        end = len(text.rstrip())
        yield Paragraph(start, end, text[start:end])
