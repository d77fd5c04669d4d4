"""Routes: /api/keys, of the org in X-Org-ID."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from common.errors import InvalidCursor
from common.ids import parse_id
from common.pagination import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from gateway.http import ActorOf, DepsOf, Person
from gateway.keys import service
from gateway.keys.schemas import KeyRequest, KeyView, NewKey

router = APIRouter(tags=["keys"])


@router.post("/api/keys", status_code=201)
async def create_key(body: KeyRequest, response: Response, deps: DepsOf, actor: ActorOf, person: Person) -> NewKey:
    """Makes an API key for the org (admin); it acts for the caller, within its scopes."""
    key, secret = await service.create(
        deps, actor, person.org_id, name=body.name, scopes=body.scopes, expires_at=body.expires_at
    )
    response.headers["cache-control"] = "no-store"
    return NewKey(**KeyView.model_validate(key).model_dump(), key=secret)


@router.get("/api/keys")
async def list_keys(
    deps: DepsOf, actor: ActorOf, person: Person, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[KeyView]:
    """The org's keys that are not revoked (admin)."""
    after = parse_id(decode_cursor(cursor, 1)[0]) if cursor is not None else None
    if cursor is not None and after is None:
        raise InvalidCursor
    found = await service.list_keys(deps, actor, person.org_id, after=after, limit=limit + 1)
    page = found[:limit]
    more = encode_cursor(str(page[-1].id)) if len(found) > limit else None
    return Page(items=[KeyView.model_validate(key) for key in page], next_cursor=more)


@router.delete("/api/keys/{key_id}", status_code=204)
async def revoke_key(key_id: UUID, deps: DepsOf, actor: ActorOf, person: Person) -> None:
    """Ends a key (admin)."""
    await service.revoke(deps, actor, person.org_id, key_id)
