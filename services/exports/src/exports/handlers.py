"""What the service hears: each fact becomes our copy of it, or takes away what was made from it.

The consumer opens the unit of work as the event's org and commits it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from common.db import Tenant, UnitOfWork
from common.ids import new_id
from common.inbox import Handler
from contracts import Event
from contracts.ai import ProposalArchived, ProposalChanged, ProposalCreated, ProposalDeleted, SectionApproved
from contracts.billing import EntitlementsChanged
from contracts.gateway import OrgCreated, OrgDeleted, OrgRenamed, UserErased
from contracts.uploads import StorageChanged
from exports import events
from exports.copies import Copies
from exports.domain import Outline, OutlineEntry, outdated
from exports.jobs import ERASE_ORG, PURGE
from exports.repository import Exports, forget_requester, orgs_exported_by

if TYPE_CHECKING:
    from exports.deps import Deps


async def on_org_named(uow: UnitOfWork, event: OrgCreated | OrgRenamed, deps: Deps) -> None:
    """The name goes on the cover of every export from now on."""
    await Copies(uow, event.org_id).put_org(event.name)


async def on_org_deleted(uow: UnitOfWork, event: OrgDeleted, deps: Deps) -> None:
    """The rows go now; a job takes the files away and then says so."""
    copies = Copies(uow, event.org_id)
    job_id = new_id()
    await copies.forget_org(keep_job=job_id)
    await copies.put_org("", deleted=True)
    uow.enqueue(ERASE_ORG, {}, org_id=event.org_id, job_id=job_id, max_attempts=10)


async def on_user_erased(uow: UnitOfWork, event: UserErased, deps: Deps) -> None:
    """The person is taken out of every org's exports; the files, which name no one, stay with the org."""
    await uow.set_tenant(Tenant(user_id=event.user_id))
    for org_id in await orgs_exported_by(uow):
        await uow.set_tenant(Tenant(org_id=org_id))
        await forget_requester(uow, org_id, event.user_id)
    await uow.set_tenant(Tenant(org_id=event.org_id))
    uow.publish(events.user_erased(event.org_id, event.user_id, deps.clock.now()))


async def on_entitlements_changed(uow: UnitOfWork, event: EntitlementsChanged, deps: Deps) -> None:
    """The cap of what the org may store."""
    copies = Copies(uow, event.org_id)
    if not await copies.org_is_deleted():
        await copies.put_storage_cap(event.limits.storage_bytes)


async def on_uploads_storage(uow: UnitOfWork, event: StorageChanged, deps: Deps) -> None:
    """What the org's uploads take up of the same storage."""
    copies = Copies(uow, event.org_id)
    if not await copies.org_is_deleted():
        await copies.put_storage_elsewhere(event.bytes_used)


async def on_proposal(uow: UnitOfWork, event: ProposalCreated | ProposalChanged | ProposalArchived, deps: Deps) -> None:
    """The newest outline replaces the one we have, and texts that it has left behind go."""
    copies = Copies(uow, event.org_id)
    if await copies.org_is_deleted():
        return
    before = await copies.outline(event.proposal_id)
    now = Outline(
        proposal_id=event.proposal_id,
        title=event.title,
        revision=event.revision,
        sections=tuple(
            OutlineEntry(one.section_id, one.title, one.approved_revision)
            for one in sorted(event.sections, key=lambda one: one.position)
        ),
    )
    await copies.put_proposal(now, event.state)
    held = await copies.text_keys(event.proposal_id)
    await copies.drop_texts(outdated(before.sections if before else (), now.sections, held))


async def on_proposal_deleted(uow: UnitOfWork, event: ProposalDeleted, deps: Deps) -> None:
    """Its text and every file that was made of it go with it."""
    await Copies(uow, event.org_id).forget_proposal(event.proposal_id)
    exports = Exports(uow, event.org_id)
    await exports.lock_storage()
    orphans = []
    for row in await exports.of_proposal(event.proposal_id):
        if (sha256 := await exports.remove(row)) is not None:
            orphans.append(sha256)
        if row.status != "queued":
            uow.publish(events.deleted(row, await exports.storage_used()))
    if orphans:
        uow.publish(await exports.storage_changed())
        uow.enqueue(PURGE, {"sha256": orphans}, org_id=event.org_id, max_attempts=10)


async def on_section_approved(uow: UnitOfWork, event: SectionApproved, deps: Deps) -> None:
    """The text of this revision, for the outline that names it."""
    copies = Copies(uow, event.org_id)
    if await copies.org_is_deleted() or await copies.proposal_is_deleted(event.proposal_id):
        return
    origins = None
    if event.paragraphs is not None:
        origins = [{"by": one.by, "model": one.model} for one in event.paragraphs]
    await copies.put_text(event.proposal_id, (event.section_id, event.revision), event.text, origins)


HANDLERS: Final[Mapping[type[Event], Handler[Deps]]] = {
    OrgCreated: on_org_named,
    OrgRenamed: on_org_named,
    OrgDeleted: on_org_deleted,
    UserErased: on_user_erased,
    EntitlementsChanged: on_entitlements_changed,
    StorageChanged: on_uploads_storage,
    ProposalCreated: on_proposal,
    ProposalChanged: on_proposal,
    ProposalArchived: on_proposal,
    ProposalDeleted: on_proposal_deleted,
    SectionApproved: on_section_approved,
}
