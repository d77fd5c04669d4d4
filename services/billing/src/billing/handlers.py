"""What billing consumes. The consumer has opened the unit of work for the event's org, and commits it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from billing import events
from billing.deps import Deps
from billing.repository import BillingRepository
from billing.service import counting, thresholds
from common.db import UnitOfWork
from common.inbox import Handler
from common.jobs import JobContext, JobKind
from contracts import Event, exports, uploads
from contracts.ai import GenerationFinished, ProposalArchived, ProposalChanged, ProposalCreated, ProposalDeleted
from contracts.gateway import MemberAdded, MemberRemoved, OrgCreated, OrgDeleted, OrgRenamed, UserErased


async def on_org_created(uow: UnitOfWork, event: OrgCreated, deps: Deps) -> None:
    await counting.open_for_org(uow, deps, event)


async def on_org_renamed(uow: UnitOfWork, event: OrgRenamed, deps: Deps) -> None:
    await counting.rename(uow, event)


async def on_org_deleted(uow: UnitOfWork, event: OrgDeleted, deps: Deps) -> None:
    await counting.erase(uow, deps, event)


async def on_member_added(uow: UnitOfWork, event: MemberAdded, deps: Deps) -> None:
    repository = BillingRepository(uow, event.org_id)
    await repository.counts.add_member(event.user_id)
    await counting.counted(uow, repository, deps, thresholds.SEATS)


async def on_member_removed(uow: UnitOfWork, event: MemberRemoved, deps: Deps) -> None:
    await BillingRepository(uow, event.org_id).counts.remove_member(event.user_id)


async def on_user_erased(uow: UnitOfWork, event: UserErased, deps: Deps) -> None:
    """Only who belongs to which org is known here of a person; it went with `member.removed` and `org.deleted`."""
    events.user_erased(uow, event.org_id, event.user_id, deps.clock.now())


async def on_proposal_created(uow: UnitOfWork, event: ProposalCreated, deps: Deps) -> None:
    repository = BillingRepository(uow, event.org_id)
    await repository.counts.count_proposal(event.proposal_id, created_at=event.created_at, charged_to=event.charged_to)
    await counting.counted(uow, repository, deps, thresholds.PROPOSALS)


async def on_proposal_changed(uow: UnitOfWork, event: ProposalChanged | ProposalArchived, deps: Deps) -> None:
    await BillingRepository(uow, event.org_id).counts.set_proposal_active(event.proposal_id, event.state == "active")


async def on_proposal_deleted(uow: UnitOfWork, event: ProposalDeleted, deps: Deps) -> None:
    await BillingRepository(uow, event.org_id).counts.set_proposal_active(event.proposal_id, False)


async def on_generation_finished(uow: UnitOfWork, event: GenerationFinished, deps: Deps) -> None:
    repository = BillingRepository(uow, event.org_id)
    await repository.counts.count_generation(event.generation_id, accepted_at=event.accepted_at, tokens=event.tokens)
    await counting.counted(uow, repository, deps, thresholds.GENERATIONS)


async def on_storage_changed(
    uow: UnitOfWork, event: uploads.StorageChanged | exports.StorageChanged, deps: Deps
) -> None:
    repository = BillingRepository(uow, event.org_id)
    await repository.counts.count_storage(event.META.service, event.bytes_used)
    await counting.counted(uow, repository, deps, thresholds.STORAGE)


async def cancel_subscription(context: JobContext[Deps], payload: dict[str, Any]) -> dict[str, Any]:
    """Ends the plan of an erased org at Stripe; with no Stripe here there is nothing to end."""
    if context.deps.payments_or_none is not None:
        await context.deps.payments_or_none.cancel_now(payload["subscription_id"])
    return {}


EVENT_HANDLERS: Final[Mapping[type[Event], Handler[Deps]]] = {
    OrgCreated: on_org_created,
    OrgRenamed: on_org_renamed,
    OrgDeleted: on_org_deleted,
    MemberAdded: on_member_added,
    MemberRemoved: on_member_removed,
    UserErased: on_user_erased,
    ProposalCreated: on_proposal_created,
    ProposalChanged: on_proposal_changed,
    ProposalArchived: on_proposal_changed,
    ProposalDeleted: on_proposal_deleted,
    GenerationFinished: on_generation_finished,
    uploads.StorageChanged: on_storage_changed,
    exports.StorageChanged: on_storage_changed,
}

JOB_KINDS: Final[Mapping[str, JobKind[Deps]]] = {
    counting.CANCEL_JOB: JobKind(cancel_subscription, timeout_seconds=60),
}
