"""What is left before a proposal is handed in: pure rules over the sections and the matrix."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from ai.citations.domain import Sourcing
from ai.compliance.domain import Limit, SectionFacts, is_over, length_in

FindingKind = Literal[
    "no_sections",
    "uncovered",
    "empty_section",
    "unapproved_section",
    "over_limit",
    "placeholder",
    "attachment",
    "citation",
    "uncited",
]
Severity = Literal["error", "warning", "info"]

MAX_PLACEHOLDERS: Final = 20
"""For each section; whoever left more of them knows."""
MAX_CLAIMS: Final = 20
"""For each section, of wrong citations and of claims without one."""
MAX_SHOWN: Final = 160
ORDER: Final[dict[Severity, int]] = {"error": 0, "warning": 1, "info": 2}
SEVERITY_OF_UNCOVERED: Final[dict[str, Severity]] = {"content": "error", "eligibility": "error"}
"""Any other kind binds the whole as often as a section, so a person has to look: a warning."""

PLACEHOLDER: Final = re.compile(
    r"\\?\[\s*to complete\b[^\]]*\\?\]"
    r"|\\?\[\s*(?:TBD|TBC|TBA|TODO|XXX*|\?+|\.{3}|…|your\b[^\]]*|name\b[^\]]*|date|amount|figure|number)\s*\\?\](?!\()"
    r"|[\[<{(]\s*(?:insert|add|fill in|enter|describe)\b[^\]>})]{0,200}[\]>})]"
    r"|\binsert\b[^.\n]{0,80}?\bhere\b"
    r"|\b(?:TBD|TBC|TODO|FIXME|X{3,})\b"
    r"|\blorem ipsum\b"
    r"|\?{3,}",
    re.IGNORECASE,
)
_SHOUTED: Final = re.compile(r"\b(?:TBD|TBC|TODO|FIXME|X{3,})\b")
_TELLING: Final = re.compile(r"[^\W\d_]{4,}")
_CITED: Final = re.compile(r"\[[^\[\]\n]{1,80},\s*p\.\s*\d+\]")
_COMMON: Final = frozenset({"page", "pages", "each", "must", "from", "with", "that", "proposal", "project", "document"})


@dataclass(frozen=True, slots=True)
class RequirementFacts:
    """What the check needs to know of a requirement and the sections that answer it."""

    id: UUID
    kind: str
    words: str
    limit: Limit | None
    sections: tuple[SectionFacts, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to put right, in words for the person who does it."""

    kind: FindingKind
    severity: Severity
    words: str
    what_to_do: str
    section_id: UUID | None = None
    requirement_id: UUID | None = None
    place: tuple[int, int] | None = None
    """Characters of the section's text that it is about."""


def check(
    sections: Sequence[SectionFacts],
    requirements: Sequence[RequirementFacts],
    filenames: Sequence[str],
    sourcing: Mapping[UUID, Sourcing] | None = None,
) -> list[Finding]:
    """Everything that is left, the gravest first. `filenames` are of the proposal's uploads, `sourcing` says what the
    sections' claims rest on."""
    found = [*_of_sections(sections), *_of_requirements(requirements, filenames), *_of_claims(sections, sourcing or {})]
    return sorted(found, key=lambda finding: ORDER[finding.severity])


def placeholders(text: str) -> list[str]:
    """What was left to be filled in, each wording once; citations and links are none."""
    found: dict[str, None] = {}
    for match in PLACEHOLDER.finditer(_CITED.sub("", text)):
        words = " ".join(match[0].replace("\\", "").split())
        bare = re.fullmatch(r"(?:TBD|TBC|TODO|FIXME|X{3,})", words, re.IGNORECASE)
        if bare and not _SHOUTED.fullmatch(words):
            continue  # "todo" and "xxx" in small letters may be words of somebody's language
        found.setdefault(words[:MAX_SHOWN])
    return list(found)


def _of_sections(sections: Sequence[SectionFacts]) -> Iterator[Finding]:
    if not sections:
        yield Finding("no_sections", "error", "There is nothing to hand in yet.", "Plan the sections, or add one.")
    for section in sections:
        title = f"“{section.title}”"
        if section.status == "empty":
            yield Finding(
                "empty_section", "error", f"{title} has no text.", "Draft or write it, or delete it.", section.id
            )
            continue
        if section.status == "draft":
            words = f"{title} is not approved, so no export has it."
            yield Finding("unapproved_section", "error", words, "Read it and approve it.", section.id)
        for left in placeholders(section.text)[:MAX_PLACEHOLDERS]:
            words = f"{title} still says “{left}”."
            yield Finding("placeholder", "error", words, "Put the fact there, or take the gap out.", section.id)
        if section.page_limit is not None and (pages := length_in("pages", [section.text])) > section.page_limit:
            words = f"{title} is about {pages} pages long; the call allows {_count(section.page_limit, 'pages')}."
            yield Finding(
                "over_limit", "warning", words, "Shorten it, or see how long it is in the export.", section.id
            )


def _of_claims(sections: Sequence[SectionFacts], sourcing: Mapping[UUID, Sourcing]) -> Iterator[Finding]:
    for section in sections:
        if (found := sourcing.get(section.id)) is None:
            continue
        title = f"“{section.title}”"
        wrong = [one for one in found.citations if one.judged.standing != "supported"]
        for one in wrong[:MAX_CLAIMS]:
            claim, source = _short(one.citation.claim), one.citation.source
            if one.judged.standing == "unknown_source":
                words, todo = (
                    f"{title} cites {source}, which is not there.",
                    "Name a document that you have, and its page.",
                )
            elif one.judged.missing:
                figures = ", ".join(one.judged.missing)
                words = f"{title} says “{claim}”, and {source} does not have {figures}."
                todo = "Correct the figure, or cite where it stands."
            else:
                words = f"{title} says “{claim}”, and {source} does not seem to say so."
                todo = "Read the page, and correct the claim or its source."
            place = (one.citation.claim_start, one.citation.end)
            yield Finding("citation", "warning", words, todo, section.id, place=place)
        for sentence in found.uncited[:MAX_CLAIMS]:
            words = f"{title} gives no source for “{_short(sentence.words)}”."
            todo = "Cite where it stands, or leave it as your own word."
            yield Finding("uncited", "warning", words, todo, section.id, place=(sentence.start, sentence.end))


def _of_requirements(requirements: Sequence[RequirementFacts], filenames: Sequence[str]) -> Iterator[Finding]:
    for one in requirements:
        shown = _short(one.words)
        if one.kind == "attachment":
            yield _attachment(one, filenames)
        elif one.kind == "deadline":
            continue  # a date is not answered by a text; the call's panel shows it
        elif not one.sections:
            severity = SEVERITY_OF_UNCOVERED.get(one.kind, "warning")
            todo = "Say which section answers it, or see to it outside the sections."
            yield Finding("uncovered", severity, f"No section answers “{shown}”.", todo, requirement_id=one.id)
        elif one.limit is not None and is_over(one.limit, [section.text for section in one.sections]):
            length = length_in(one.limit.unit, [section.text for section in one.sections])
            unit = _count(one.limit.value, one.limit.unit)
            yield Finding(
                "over_limit",
                "error",
                f"“{shown}” allows {unit}; there are {length:,}.",
                f"Shorten it by {length - one.limit.value:,}.",
                one.sections[0].id,
                one.id,
            )


def _attachment(one: RequirementFacts, filenames: Sequence[str]) -> Finding:
    telling = {word.lower() for word in _TELLING.findall(one.words)} - _COMMON
    alike = next(
        (name for name in filenames if telling & {word.lower() for word in _TELLING.findall(name)}),
        None,
    )
    words = f"To attach: “{_short(one.words)}”."
    section_id = one.sections[0].id if one.sections else None
    if alike is not None:
        return Finding("attachment", "info", words, f"“{alike}” may be it; check it.", section_id, one.id)
    return Finding(
        "attachment", "warning", words, "Have it ready, and hand it in with the proposal.", section_id, one.id
    )


def _short(words: str) -> str:
    words = words.rstrip(" .;:,")  # it stands within a sentence
    return words if len(words) <= MAX_SHOWN else words[:MAX_SHOWN].rsplit(" ", 1)[0] + " …"


def _count(number: int, unit: str) -> str:
    return f"{number:,} {unit if number != 1 else unit.removesuffix('s')}"
