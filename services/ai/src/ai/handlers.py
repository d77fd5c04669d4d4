"""What the service makes of other services' facts: one function for each, the registry at the bottom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ai import erasure, events
from ai.entitlements.domain import Entitlements
from ai.entitlements.repository import EntitlementsRepository
from ai.generation.ports import JobDeps
from ai.knowledge import indexing
from ai.knowledge.repository import KnowledgeRepository
from ai.planning.reading import PageText
from common.db import UnitOfWork
from contracts import Event, billing, gateway, uploads


async def on_entitlements_changed(uow: UnitOfWork, event: billing.EntitlementsChanged, _deps: JobDeps) -> None:
    """Keeps the copy that quota and caps are decided from."""
    entitlements = Entitlements(
        tier=event.tier,
        active_cap=event.limits.active_cap,
        monthly_cap=event.limits.monthly_cap,
        ai_daily=event.limits.ai_daily,
        ai_monthly_tokens=event.limits.ai_monthly_tokens,
        extras_granted=event.extras_granted,
        period_start=event.period_start,
        period_end=event.period_end,
    )
    await EntitlementsRepository(uow.session, event.org_id).store(entitlements, event.version)


async def on_file_accepted(uow: UnitOfWork, event: uploads.FileAccepted, deps: JobDeps) -> None:
    """Knows of the document, so that a request for its text can say that it is being read."""
    await KnowledgeRepository(uow.session, event.org_id).announce(
        event.upload_id, filename=event.filename, proposal_id=event.proposal_id, at=deps.clock.now()
    )


async def on_file_extracted(uow: UnitOfWork, event: uploads.FileExtracted, deps: JobDeps) -> None:
    """Indexes the text; a large one comes in parts and is ready with the last."""
    repository = KnowledgeRepository(uow.session, event.org_id)
    document = await repository.announce(
        event.upload_id, filename=event.filename, proposal_id=event.proposal_id, at=deps.clock.now()
    )
    if event.part == 1:
        await repository.clear_pages(event.upload_id)
        document.parts_missing = event.parts
    await repository.add_pages(event.upload_id, [PageText(page.number, page.text) for page in event.pages])
    document.parts_missing = (document.parts_missing or 1) - 1
    document.indexed_with = None
    document.proposal_id = event.proposal_id
    document.filename = event.filename
    if event.status == "unreadable":
        document.status = "unreadable"
    elif document.parts_missing <= 0:
        document.status = "ready"
        indexing.order(uow, event.org_id, event.upload_id)


async def on_file_deleted(uow: UnitOfWork, event: uploads.FileDeleted, _deps: JobDeps) -> None:
    """Forgets the text, so that nothing is drafted from it any more."""
    await KnowledgeRepository(uow.session, event.org_id).delete_document(event.upload_id)


async def on_org_deleted(uow: UnitOfWork, event: gateway.OrgDeleted, deps: JobDeps) -> None:
    """Erases everything of the org and says so."""
    await erasure.erase_org(uow, event.org_id)
    uow.publish(events.org_erased(event.org_id, deps.clock.now()))


async def on_user_erased(uow: UnitOfWork, event: gateway.UserErased, deps: JobDeps) -> None:
    """Takes the person's name off everything that stays with their orgs, and says so."""
    await erasure.erase_user(uow, event.user_id)
    uow.publish(events.user_erased(event.org_id, event.user_id, deps.clock.now()))


HANDLERS: Final[Mapping[type[Event], Any]] = {
    billing.EntitlementsChanged: on_entitlements_changed,
    uploads.FileAccepted: on_file_accepted,
    uploads.FileExtracted: on_file_extracted,
    uploads.FileDeleted: on_file_deleted,
    gateway.OrgDeleted: on_org_deleted,
    gateway.UserErased: on_user_erased,
}
