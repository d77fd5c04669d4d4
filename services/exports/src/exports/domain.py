"""The rules of an export: which text goes in, when the copy is new enough, what the file is called."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from contracts.exports import Format
from exports.rendering.document import Disclosure, Document, Section
from exports.rendering.layout import Layout
from exports.rendering.versions import TEMPLATE_VERSION, engine_version

MAX_FILENAME: Final = 100

TextKey = tuple[UUID, int]
"""A section and the revision of its text."""


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A section's place in a proposal; `approved_revision` is None while it is not approved."""

    section_id: UUID
    title: str
    approved_revision: int | None


@dataclass(frozen=True, slots=True)
class Outline:
    """A proposal as the service's copy knows it, its sections in order."""

    proposal_id: UUID
    title: str
    revision: int
    sections: tuple[OutlineEntry, ...]

    @property
    def approved(self) -> list[OutlineEntry]:
        """The sections that an export shows."""
        return [section for section in self.sections if section.approved_revision is not None]

    @property
    def text_keys(self) -> list[TextKey]:
        """The texts that an export needs."""
        return [
            (section.section_id, section.approved_revision)
            for section in self.sections
            if section.approved_revision is not None
        ]


@dataclass(frozen=True, slots=True)
class Wish:
    """What kind of file someone asks for."""

    format: Format
    layout: Layout = field(default_factory=Layout)
    page_limit: int | None = None
    ai_disclosure: bool = False
    own_template: bool = True
    """Take the org's Word template where it has one."""

    def as_data(self) -> dict[str, Any]:
        """For the manifest, and to ask once more."""
        return {
            "layout": self.layout.as_data(),
            "page_limit": self.page_limit,
            "ai_disclosure": self.ai_disclosure,
            "own_template": self.own_template,
        }

    @classmethod
    def of(cls, file_format: Format, data: Mapping[str, Any]) -> Wish:
        """From the options of a manifest; one from before there were any has none."""
        return cls(
            file_format,
            Layout(**data.get("layout", {})),
            data.get("page_limit"),
            bool(data.get("ai_disclosure", False)),
            bool(data.get("own_template", True)),
        )


@dataclass(frozen=True, slots=True)
class ApprovedText:
    """An approved text as the service's copy has it."""

    text: str
    origins: Sequence[Mapping[str, Any]] | None = None
    """Who wrote each paragraph; None when it was not told."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that one export is made from, fixed at the time of the request."""

    outline: Outline
    document: Document
    texts: tuple[TextKey, ...]
    wish: Wish

    def manifest(self) -> dict[str, Any]:
        """What the file was made from and with: kept beside the file, never inside it."""
        return {
            "options": self.wish.as_data(),
            "template_sha256": self.document.template_sha256,
            "title": self.document.title,
            "org_name": self.document.org_name,
            "proposal_revision": self.outline.revision,
            "sections": [
                {
                    "section_id": str(section_id),
                    "revision": revision,
                    "title": section.title,
                    "sha256": hashlib.sha256(section.text.encode(errors="surrogatepass")).hexdigest(),
                }
                for (section_id, revision), section in zip(self.texts, self.document.sections, strict=True)
            ],
            "template_version": TEMPLATE_VERSION,
            "engine_version": engine_version(self.wish.format),
        }


def is_current(outline: Outline, texts: Mapping[TextKey, ApprovedText], revision: int | None) -> bool:
    """Whether the copy has reached the revision that the caller has seen, and holds every text that it shows."""
    return (revision is None or outline.revision >= revision) and all(key in texts for key in outline.text_keys)


def snapshot(
    outline: Outline,
    texts: Mapping[TextKey, ApprovedText],
    org_name: str,
    wish: Wish,
    template_sha256: str | None = None,
) -> Snapshot:
    """The approved sections in their order. The copy must be current. `template_sha256`: of the org's own, if it has
    one."""
    keys = outline.text_keys
    sections = tuple(
        Section(title=section.title, text=texts[key].text) for section, key in zip(outline.approved, keys, strict=True)
    )
    document = Document(
        title=outline.title,
        org_name=org_name,
        sections=sections,
        layout=wish.layout if wish.format != "md" else Layout(),
        disclosure=tuple(disclosure(texts[key].origins) for key in keys) if wish.ai_disclosure else None,
        template_sha256=template_sha256 if wish.format == "docx" and wish.own_template else None,
    )
    return Snapshot(outline, document, tuple(keys), wish)


def disclosure(origins: Sequence[Mapping[str, Any]] | None) -> Disclosure:
    """What an export says of the AI's part in a section, from who wrote each of its paragraphs."""
    if origins is None:
        return Disclosure("unknown")
    drafted = [one for one in origins if one["by"] != "person"]
    models = tuple(sorted({str(one["model"]) for one in drafted if one.get("model")}))
    if not drafted:
        return Disclosure("human")
    untouched = all(one["by"] == "model" for one in origins)
    return Disclosure("ai" if untouched else "mixed", models, (len(drafted), len(origins)))


def within(pages: int | None, limit: int | None) -> bool | None:
    """Whether a file keeps to its page limit; None when it has none, or no pages that anyone could count."""
    return None if pages is None or limit is None else pages <= limit


_UNSAFE = re.compile(r"[^\w\s.,()&+-]|_", re.UNICODE)


def filename(title: str, file_format: Format) -> str:
    """The title as a file name that every file system takes: no separators, no leading dot, not too long."""
    words = _UNSAFE.sub(" ", unicodedata.normalize("NFC", title))
    stem = " ".join(words.split())[:MAX_FILENAME].strip(" .-")
    return f"{stem or 'proposal'}.{file_format}"


def fits(size: int, *, used: int, cap: int | None) -> bool:
    """Whether a file of this size may still be stored; with no size yet, whether anything may. No cap: always."""
    return cap is None or (used + size <= cap if size else used < cap)


def outdated(before: Sequence[OutlineEntry], now: Sequence[OutlineEntry], held: Sequence[TextKey]) -> list[TextKey]:
    """The held texts that no export will need again: older than the approved one, or of a section that was taken out.

    A text that the outline does not know yet stays: the outline that names it is still on its way.
    """
    known = {entry.section_id: entry.approved_revision for entry in now}
    gone = {entry.section_id for entry in before} - known.keys()
    return [
        (section_id, revision)
        for section_id, revision in held
        if section_id in gone or ((approved := known.get(section_id)) is not None and revision < approved)
    ]
