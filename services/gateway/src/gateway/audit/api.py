"""Route: /api/audit, of the org in X-Org-ID."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from common.errors import InvalidCursor
from common.ids import parse_id
from common.pagination import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from common.strings import Storable
from gateway.audit import service
from gateway.audit.schemas import AuditView
from gateway.http import ActorOf, DepsOf, Person

router = APIRouter(tags=["audit"])

Filter = Annotated[Storable | None, Query(max_length=100)]


@router.get("/api/audit")
async def list_audit(
    deps: DepsOf,
    actor: ActorOf,
    person: Person,
    action: Filter = None,
    actor_id: UUID | None = None,
    target: Filter = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[AuditView]:
    """The org's changes, the newest first (admin)."""
    before = parse_id(decode_cursor(cursor, 1)[0]) if cursor is not None else None
    if cursor is not None and before is None:
        raise InvalidCursor
    found = await service.list_rows(
        deps,
        actor,
        person.org_id,
        action=action,
        actor_id=actor_id,
        target=target,
        before=before,
        limit=limit + 1,
    )
    page = found[:limit]
    more = encode_cursor(str(page[-1].id)) if len(found) > limit else None
    return Page(items=[AuditView.model_validate(row) for row in page], next_cursor=more)
