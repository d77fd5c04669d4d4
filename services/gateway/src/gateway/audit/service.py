"""Reading the audit."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from common.db import Tenant
from gateway.audit import repository
from gateway.deps import Actor, Deps
from gateway.models import AuditRow
from gateway.orgs.service import require_member


async def list_rows(
    deps: Deps,
    actor: Actor,
    org_id: UUID,
    *,
    action: str | None,
    actor_id: UUID | None,
    target: str | None,
    before: UUID | None,
    limit: int,
) -> Sequence[AuditRow]:
    """The org's changes, the newest first."""
    async with deps.db.unit_of_work(Tenant(org_id=org_id, user_id=actor.user_id)) as uow:
        await require_member(uow, org_id, actor.user_id, "audit.read")
        return await repository.page(
            uow, org_id, action=action, actor_id=actor_id, target=target, before=before, limit=limit
        )
