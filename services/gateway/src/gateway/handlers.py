"""What the gateway consumes: what an org has bought, what is to be in its audit or in its people's mail, and who has
erased their part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from common.db import UnitOfWork
from common.inbox import Handler
from common.jobs import JobKind
from contracts import Event, ai, billing, exports, uploads
from contracts.billing import EntitlementsChanged
from gateway.audit.changes import CHANGES
from gateway.audit.repository import SYSTEM, record
from gateway.decision.valkey import org_key
from gateway.deps import Actor, Deps
from gateway.erasure import service as erasure
from gateway.mail import jobs
from gateway.mail.notices import NOTICE_KINDS, NOTICES, tell_managers
from gateway.orgs import repository


async def on_entitlements_changed(uow: UnitOfWork, event: EntitlementsChanged, deps: Deps) -> None:
    """Keeps the new tier and seats; the next decision reads them."""
    await repository.store_entitlement(
        uow,
        event.org_id,
        tier=event.tier,
        status=event.status,
        seats=event.limits.seats,
        ai_per_minute=event.limits.ai_per_minute,
        now=deps.clock.now(),
    )
    deps.cache.forget(uow, [org_key(event.org_id)])


async def on_change(uow: UnitOfWork, event: Event, deps: Deps) -> None:
    """Notes what billing or exports did for the org, and for whom where the event names them."""
    change = CHANGES[type(event)](event)
    actor = Actor(change.asked_by, SYSTEM, "") if change.asked_by is not None else None
    record(uow, event.org_id, actor, change.action, change.target, at=deps.clock.now(), **change.detail)


async def on_notice(uow: UnitOfWork, event: Event, deps: Deps) -> None:
    """Tells those who run the org, by mail, what billing reports; what is a change is noted as well."""
    if type(event) in CHANGES:
        await on_change(uow, event, deps)
    await tell_managers(uow, event)


async def on_org_erased(uow: UnitOfWork, event: OrgReceipt, deps: Deps) -> None:
    """A service has erased its part of an org."""
    now = deps.clock.now()
    await erasure.note_receipt(uow, "org", event.org_id, event.META.service, event.erased_at, now=now)


async def on_user_erased(uow: UnitOfWork, event: UserReceipt, deps: Deps) -> None:
    """A service has erased its part of a person."""
    now = deps.clock.now()
    await erasure.note_receipt(uow, "user", event.user_id, event.META.service, event.erased_at, now=now)


OrgReceipt = billing.OrgErased | ai.OrgErased | exports.OrgErased | uploads.OrgErased
UserReceipt = billing.UserErased | ai.UserErased | exports.UserErased | uploads.UserErased

EVENT_HANDLERS: Final[Mapping[type[Event], Handler[Deps]]] = {
    EntitlementsChanged: on_entitlements_changed,
    **dict.fromkeys(CHANGES, on_change),
    **dict.fromkeys(NOTICES, on_notice),
    **dict.fromkeys(get_args(OrgReceipt), on_org_erased),
    **dict.fromkeys(get_args(UserReceipt), on_user_erased),
}

JOB_KINDS: Final[Mapping[str, JobKind[Deps]]] = {**jobs.JOB_KINDS, **NOTICE_KINDS}

__all__ = ["EVENT_HANDLERS", "JOB_KINDS"]
