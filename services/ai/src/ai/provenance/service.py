"""Use cases of provenance: worked out when a text is saved, read back when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ai.generation.models import Generation
from ai.provenance import domain
from ai.provenance.domain import Change, Origin, Paragraph
from ai.provenance.repository import ProvenanceRepository
from ai.sections.models import Section, SectionRevision
from ai.sections.repository import SectionRepository
from common.db import Database, Tenant, UnitOfWork
from common.identity import Identity


@dataclass(frozen=True, slots=True)
class Traced:
    """A paragraph and who wrote it. `person_id` is None where only a model did, and for a person who was erased."""

    paragraph: Paragraph
    origin: Origin
    person_id: UUID | None
    at: datetime | None
    generation: Generation | None


async def of_change(
    uow: UnitOfWork, section: Section, text: str, *, generation_id: UUID | None, at: datetime
) -> list[dict[str, Any]]:
    """What to store with the revision that `text` becomes. The caller holds the section locked, as it was before."""
    repository = ProvenanceRepository(uow.session, section.org_id)
    revisions = await repository.latest(section.id, section.revision)
    proposed = [] if generation_id is not None else await repository.proposed(section.id, at)
    change = Change(section.revision + 1, generation_id, proposed)
    earlier = {origin.key: origin for one in reversed(revisions[1:]) for origin in origins_of(one)}
    known = origins_of(revisions[0]) if revisions else domain.all_by(section.text, "person", section.revision)
    return [origin.stored() for origin in domain.trace(section.text, known, text, change, earlier)]


def of_first(text: str, by: domain.By = "person") -> list[dict[str, Any]]:
    """What to store with a section's first revision."""
    return [origin.stored() for origin in domain.all_by(text, by, 1)]


def origins_of(revision: SectionRevision) -> list[Origin]:
    """The origins of a revision's paragraphs; for one from before they were kept, what the revision itself says."""
    if revision.provenance is None:
        return domain.all_by(revision.text, "model" if revision.origin == "write" else "person", revision.revision)
    return [domain.origin_of(stored) for stored in revision.provenance]


async def traced(uow: UnitOfWork, org_id: UUID, section_id: UUID, revision: int) -> list[Traced]:
    """Each paragraph of a revision with who wrote it; raises NotFound."""
    repository = ProvenanceRepository(uow.session, org_id)
    row = await repository.one(section_id, revision)
    paragraphs, origins = domain.paragraphs_of(row.text), origins_of(row)
    authors = await repository.authors(section_id, {origin.revision for origin in origins})
    generations = await repository.generations({one.generation_id for one in origins if one.generation_id})
    return [
        Traced(
            paragraph,
            origin,
            author if origin.by != "model" else None,
            at,
            generations.get(origin.generation_id) if origin.generation_id else None,
        )
        for paragraph, origin in zip(paragraphs, origins, strict=True)
        for author, at in [authors.get(origin.revision, (None, None))]
    ]


class ProvenanceService:
    """Answers who wrote what."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of_section(self, who: Identity, section_id: UUID, revision: int | None) -> tuple[int, Sequence[Traced]]:
        """A revision, by default the present one, and its paragraphs; raises NotFound."""
        async with self._db.unit_of_work(Tenant(org_id=who.org_id, user_id=who.user_id)) as uow:
            section = await SectionRepository(uow.session, who.org_id).get(section_id)
            wanted = section.revision if revision is None else revision
            return wanted, await traced(uow, who.org_id, section_id, wanted)
