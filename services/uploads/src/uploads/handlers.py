"""What this service does with what others tell it. The consumer opens the unit of work and commits it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from common.db import UnitOfWork
from common.inbox import Handler
from contracts import Event
from contracts.billing import EntitlementsChanged
from contracts.exports import StorageChanged
from contracts.gateway import OrgDeleted, UserErased
from uploads import events
from uploads.deps import Deps
from uploads.repository import UploadRepository, forget_person
from uploads.resumable import repository as resumable
from uploads.service import ERASE_ORG

ERASE_ATTEMPTS: Final = 20
"""An object store may be away for an hour; an erasure is not given up for that."""


async def on_entitlements_changed(uow: UnitOfWork, event: EntitlementsChanged, _deps: Deps) -> None:
    """Keeps how much the org may store."""
    await UploadRepository(uow.session, event.org_id).set_entitlement(
        tier=event.tier, storage_bytes=event.limits.storage_bytes
    )


async def on_exports_storage(uow: UnitOfWork, event: StorageChanged, _deps: Deps) -> None:
    """Keeps what the org's exports take up of its storage."""
    await UploadRepository(uow.session, event.org_id).set_elsewhere(event.bytes_used)


async def on_org_deleted(uow: UnitOfWork, event: OrgDeleted, deps: Deps) -> None:
    """Stops storing for the org and queues its erasure, whose end is the receipt."""
    await UploadRepository(uow.session, event.org_id).mark_erased(deps.clock.now())
    uow.enqueue(ERASE_ORG, {}, org_id=event.org_id, max_attempts=ERASE_ATTEMPTS)


async def on_user_erased(uow: UnitOfWork, event: UserErased, deps: Deps) -> None:
    """Files belong to their org; only who uploaded them is forgotten."""
    await forget_person(uow.session, event.user_id)
    await resumable.forget_person(uow.session, event.user_id, deps.clock.now())
    uow.publish(events.user_erased(event.org_id, event.user_id, deps.clock.now()))


EVENT_HANDLERS: Final[Mapping[type[Event], Handler[Deps]]] = {
    EntitlementsChanged: on_entitlements_changed,
    StorageChanged: on_exports_storage,
    OrgDeleted: on_org_deleted,
    UserErased: on_user_erased,
}
