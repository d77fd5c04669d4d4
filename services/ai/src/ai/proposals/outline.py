"""Telling the other services about a proposal: the whole outline as it is now, with the next version."""

from __future__ import annotations

from datetime import datetime

from ai import events
from ai.proposals.models import Proposal
from ai.sections.repository import SectionRepository
from common.db import UnitOfWork


async def publish_change(uow: UnitOfWork, proposal: Proposal, now: datetime, *, shown: bool = True) -> None:
    """Publishes proposal.changed. The caller holds the proposal's lock.

    Args:
        shown: whether an export would look different, so that `revision` grows.
    """
    await uow.flush()
    proposal.event_version += 1
    proposal.revision += 1 if shown else 0
    proposal.updated_at = now
    sections = await SectionRepository(uow.session, proposal.org_id).outline(proposal.id)
    uow.publish(events.proposal_changed(proposal, sections))
