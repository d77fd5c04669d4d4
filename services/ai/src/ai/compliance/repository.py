"""All SQL about requirements of one org."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from ai.compliance.models import Requirement, RequirementSection
from common.errors import NotFound


class RequirementRepository:
    """One org's requirements within the caller's transaction."""

    def __init__(self, session: AsyncSession, org_id: UUID) -> None:
        self._session = session
        self._org_id = org_id

    async def of_proposal(self, proposal_id: UUID) -> Sequence[Requirement]:
        """In the order of the call."""
        found = await self._session.scalars(
            select(Requirement)
            .where(Requirement.org_id == self._org_id, Requirement.proposal_id == proposal_id)
            .order_by(Requirement.position)
        )
        return found.all()

    async def get(self, proposal_id: UUID, requirement_id: UUID) -> Requirement:
        """The proposal's requirement; raises NotFound."""
        found = await self._session.scalar(
            select(Requirement).where(
                Requirement.org_id == self._org_id,
                Requirement.proposal_id == proposal_id,
                Requirement.id == requirement_id,
            )
        )
        if found is None:
            raise NotFound
        return found

    async def answers(self, proposal_id: UUID) -> dict[UUID, set[UUID]]:
        """For each requirement that is answered, the ids of its sections."""
        rows = await self._session.execute(
            select(RequirementSection.requirement_id, RequirementSection.section_id).where(
                RequirementSection.org_id == self._org_id, RequirementSection.proposal_id == proposal_id
            )
        )
        found: dict[UUID, set[UUID]] = {}
        for requirement_id, section_id in rows:
            found.setdefault(requirement_id, set()).add(section_id)
        return found

    def add(self, requirement: Requirement) -> None:
        """Adds a requirement."""
        self._session.add(requirement)

    async def remove(self, requirement_ids: Iterable[UUID]) -> None:
        """Deletes requirements; their answers go with them."""
        await self._session.execute(
            delete(Requirement).where(Requirement.org_id == self._org_id, Requirement.id.in_(list(requirement_ids)))
        )

    async def clear_answers(self, requirement_ids: Iterable[UUID]) -> None:
        """Forgets which sections answer these."""
        await self._session.execute(
            delete(RequirementSection).where(
                RequirementSection.org_id == self._org_id,
                RequirementSection.requirement_id.in_(list(requirement_ids)),
            )
        )

    def answer(self, requirement: Requirement, section_ids: Iterable[UUID]) -> None:
        """Adds sections that answer it. Where some did before, the caller has cleared them."""
        for section_id in section_ids:
            self._session.add(
                RequirementSection(
                    requirement_id=requirement.id,
                    section_id=section_id,
                    org_id=self._org_id,
                    proposal_id=requirement.proposal_id,
                )
            )
