"""Routes: /api/orgs and /api/invites. The org in the path counts, whatever X-Org-ID says."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from common.errors import InvalidCursor, NotFound
from common.identity import Identity
from common.ids import parse_id
from common.pagination import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from gateway.http import ActorOf, DepsOf, Person, Reader
from gateway.orgs import invites, service
from gateway.orgs.schemas import (
    AcceptRequest,
    InvitePreview,
    InviteRequest,
    InviteView,
    MemberView,
    OrgMembership,
    OrgRequest,
    OrgView,
    RoleRequest,
    TransferRequest,
)

router = APIRouter(tags=["orgs"])


def own_org(org_id: UUID, reader: Reader) -> Identity:
    """The caller; to a key no other org than its own exists."""
    if reader.scopes is not None and org_id != reader.org_id:
        raise NotFound
    return reader


OrgReader = Annotated[Identity, Depends(own_org)]


@router.post("/api/orgs", status_code=201)
async def create_org(body: OrgRequest, deps: DepsOf, actor: ActorOf, person: Person) -> OrgView:
    """Makes a team; the caller owns it."""
    return OrgView.model_validate(await service.create(deps, actor, body.name))


@router.get("/api/orgs/{org_id}")
async def get_org(org_id: UUID, deps: DepsOf, actor: ActorOf, reader: OrgReader) -> OrgView:
    """An org that the caller belongs to."""
    return OrgView.model_validate(await service.get(deps, actor, org_id))


@router.patch("/api/orgs/{org_id}")
async def rename_org(org_id: UUID, body: OrgRequest, deps: DepsOf, actor: ActorOf, person: Person) -> OrgView:
    """Gives it another name (admin)."""
    return OrgView.model_validate(await service.rename(deps, actor, org_id, body.name))


@router.delete("/api/orgs/{org_id}", status_code=204)
async def delete_org(org_id: UUID, deps: DepsOf, actor: ActorOf, person: Person) -> None:
    """Deletes it with all that it holds (owner)."""
    await service.remove(deps, actor, org_id)


@router.get("/api/orgs/{org_id}/members")
async def list_members(
    org_id: UUID, deps: DepsOf, actor: ActorOf, reader: OrgReader, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[MemberView]:
    """The members, in the order in which they joined."""
    after = None
    if cursor is not None:
        joined, last = decode_cursor(cursor, 2)
        after = (_time(joined), _id(last))
    found = await service.list_members(deps, actor, org_id, after=after, limit=limit + 1)
    page = found[:limit]
    more = encode_cursor(page[-1].joined_at.isoformat(), str(page[-1].user_id)) if len(found) > limit else None
    return Page(items=[MemberView.model_validate(member) for member in page], next_cursor=more)


@router.patch("/api/orgs/{org_id}/members/{user_id}")
async def change_role(
    org_id: UUID, user_id: UUID, body: RoleRequest, deps: DepsOf, actor: ActorOf, person: Person
) -> MemberView:
    """Gives a member another role (admin; an admin's role: owner)."""
    return MemberView.model_validate(await service.set_role(deps, actor, org_id, user_id, body.role))


@router.delete("/api/orgs/{org_id}/members/{user_id}", status_code=204)
async def remove_member(org_id: UUID, user_id: UUID, deps: DepsOf, actor: ActorOf, person: Person) -> None:
    """Removes a member (admin), or leaves when it is oneself."""
    await service.remove_from(deps, actor, org_id, user_id)


@router.post("/api/orgs/{org_id}/transfer")
async def transfer(org_id: UUID, body: TransferRequest, deps: DepsOf, actor: ActorOf, person: Person) -> OrgView:
    """Makes another member the owner; the caller stays as admin (owner)."""
    return OrgView.model_validate(await service.transfer(deps, actor, org_id, body.user_id))


@router.post("/api/orgs/{org_id}/invites", status_code=201)
async def invite(org_id: UUID, body: InviteRequest, deps: DepsOf, actor: ActorOf, person: Person) -> InviteView:
    """Invites an address by mail (admin)."""
    made = await invites.create(deps, actor, org_id, email=body.email, role=body.role)
    return InviteView.model_validate(made)


@router.get("/api/orgs/{org_id}/invites")
async def list_invites(
    org_id: UUID, deps: DepsOf, actor: ActorOf, person: Person, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[InviteView]:
    """The invites that can still be accepted (admin)."""
    after = _id(decode_cursor(cursor, 1)[0]) if cursor is not None else None
    found = await invites.list_open(deps, actor, org_id, after=after, limit=limit + 1)
    page = found[:limit]
    more = encode_cursor(str(page[-1].id)) if len(found) > limit else None
    return Page(items=[InviteView.model_validate(item) for item in page], next_cursor=more)


@router.delete("/api/orgs/{org_id}/invites/{invite_id}", status_code=204)
async def revoke_invite(org_id: UUID, invite_id: UUID, deps: DepsOf, actor: ActorOf, person: Person) -> None:
    """Withdraws an invite (admin)."""
    await invites.revoke(deps, actor, org_id, invite_id)


@router.get("/api/invites/{token}")
async def preview_invite(token: str, deps: DepsOf) -> InvitePreview:
    """What a link offers; needs no sign-in."""
    return InvitePreview.model_validate(await invites.preview(deps, token[:200]))


@router.post("/api/invites/accept")
async def accept_invite(body: AcceptRequest, deps: DepsOf, actor: ActorOf, person: Person) -> OrgMembership:
    """Joins the org; the invite must be for the caller's address."""
    return OrgMembership.model_validate(await invites.accept(deps, actor, body.token))


def _id(value: str) -> UUID:
    parsed = parse_id(value)
    if parsed is None:
        raise InvalidCursor
    return parsed


def _time(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise InvalidCursor from None
