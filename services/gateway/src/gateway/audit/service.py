"""Reading the audit, checking its chain, handing it out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from common.db import Tenant
from gateway.audit import domain, repository
from gateway.audit.domain import Chain, Entry
from gateway.audit.repository import Filters
from gateway.deps import Actor, Deps
from gateway.models import AuditRow
from gateway.orgs.service import require_member

PAGE: Final = 500
"""Rows that are in memory at a time, however long the audit is."""

Format = Literal["csv", "jsonl"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the whole chain found."""

    intact: bool
    rows: int
    head: str
    first_bad_id: UUID | None


async def list_rows(
    deps: Deps, actor: Actor, org_id: UUID, filters: Filters, *, before: int | None, limit: int
) -> Sequence[AuditRow]:
    """The org's changes, the newest first."""
    async with deps.db.unit_of_work(Tenant(org_id=org_id, user_id=actor.user_id)) as uow:
        await require_member(uow, org_id, actor.user_id, "audit.read")
        return await repository.page(uow, org_id, filters, before=before, limit=limit)


async def verify(deps: Deps, actor: Actor, org_id: UUID) -> Verdict:
    """Computes every row's hash again, up to the head as it is now."""
    seq, head = await _head(deps, actor, org_id)
    chain = Chain()
    async for page in _pages(deps, org_id, seq):
        for entry in page:
            if not chain.follows(entry):
                return Verdict(False, seq, head, UUID(entry["id"]))
    return Verdict((chain.seq, chain.head) == (seq, head), seq, head, None)


async def export(deps: Deps, actor: Actor, org_id: UUID, form: Format) -> AsyncIterator[str]:
    """The whole audit, oldest first, in pieces. Who may not have it is refused before the first piece."""
    seq, _ = await _head(deps, actor, org_id)
    return _csv(_pages(deps, org_id, seq)) if form == "csv" else _jsonl(_pages(deps, org_id, seq))


async def _head(deps: Deps, actor: Actor, org_id: UUID) -> tuple[int, str]:
    async with deps.db.unit_of_work(Tenant(org_id=org_id, user_id=actor.user_id)) as uow:
        await require_member(uow, org_id, actor.user_id, "audit.read")
        return await repository.head(uow, org_id)


async def _pages(deps: Deps, org_id: UUID, last: int) -> AsyncIterator[list[Entry]]:
    """The rows up to the number `last`. Each page is a transaction of its own: a slow reader holds no connection."""
    after = 0
    while after < last:
        async with deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
            page = await repository.entries(uow, org_id, after=after, limit=PAGE)
        page = [entry for entry in page if entry["seq"] <= last]
        if not page:
            return
        yield page
        after = page[-1]["seq"]


async def _csv(pages: AsyncIterator[list[Entry]]) -> AsyncIterator[str]:
    yield domain.csv_header()
    async for page in pages:
        yield domain.csv_lines(page)


async def _jsonl(pages: AsyncIterator[list[Entry]]) -> AsyncIterator[str]:
    async for page in pages:
        yield domain.jsonl(page)
