"""Erasing an org or a person."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import delete, text, update

from ai.answers.models import LibraryAnswer
from ai.entitlements.models import EntitlementRow, ProposalCharge
from ai.generation.models import Answer, Generation
from ai.knowledge.models import Document
from ai.proposals.models import Proposal
from ai.sections.models import SectionRevision
from common.db import UnitOfWork
from common.plumbing import Job, OutboxRow

_ORG_TABLES: Final = (Generation, LibraryAnswer, Proposal, Document, ProposalCharge, EntitlementRow)
"""What hangs on these (sections, revisions, answers, uses, chunks, pages, passages) goes with them."""


async def erase_org(uow: UnitOfWork, org_id: UUID) -> None:
    """Deletes every row of the org. The unit of work is the org's."""
    for table in _ORG_TABLES:
        await uow.session.execute(delete(table).where(table.org_id == org_id))
    await uow.session.execute(delete(Job).where(Job.org_id == org_id))
    # Events that were sent hold approved texts; one that still waits goes out first and is purged with the rest.
    await uow.session.execute(delete(OutboxRow).where(OutboxRow.org_id == org_id, OutboxRow.published_at.is_not(None)))


async def erase_user(uow: UnitOfWork, user_id: UUID) -> None:
    """Takes the person off what they wrote, in every org: the words stay with the org, the name does not.

    A policy of the worker role shows it these rows while `app.erase_user_id` is set, and no others.
    """
    await uow.session.execute(text("SELECT set_config('app.erase_user_id', :user, true)"), {"user": str(user_id)})
    await uow.session.execute(update(Proposal).where(Proposal.created_by == user_id).values(created_by=None))
    await uow.session.execute(
        update(SectionRevision).where(SectionRevision.author_id == user_id).values(author_id=None)
    )
    await uow.session.execute(update(Generation).where(Generation.user_id == user_id).values(user_id=None))
    await uow.session.execute(update(Answer).where(Answer.user_id == user_id).values(user_id=None))
    await uow.session.execute(update(LibraryAnswer).where(LibraryAnswer.owner_id == user_id).values(owner_id=None))
    await uow.session.execute(update(Job).where(Job.user_id == user_id).values(user_id=None))
    await uow.session.execute(text("SELECT set_config('app.erase_user_id', '', true)"))
