"""The webhooks that were received: looked at, and applied again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from billing.deps import Deps
from billing.errors import BillingUnavailable
from billing.models import StripeEvent
from billing.operate.output import changes, say, say_json
from billing.service import applying, webhook
from billing.service.verdicts import Verdict
from billing.stripe_events import State, StripeEventRepository
from billing.stripe_objects import Event
from common.db import Tenant


async def show_list(deps: Deps, *, state: State | None, event_type: str | None, limit: int, as_json: bool) -> int:
    """Prints the latest events."""
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        repository = StripeEventRepository(uow)
        found = await repository.latest(state=state, event_type=event_type, limit=limit)
        backlog = await repository.backlog()
    if as_json:
        say_json({"items": [_summary(event) for event in found], "waiting": backlog.waiting, "parked": backlog.parked})
        return 0
    for event in found:
        why = f"  {event.reason}" if event.reason else ""
        say(f"{event.event_id:<32} {event.received_at:%Y-%m-%d %H:%M:%S} {_state(event):<8} {event.type}{why}")
    say(f"{backlog.waiting} waiting, {backlog.parked} parked")
    return 0


async def show(deps: Deps, event_id: str) -> int:
    """Prints one event with its body; 1 when there is none of that id."""
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        found = await StripeEventRepository(uow).find(event_id)
    if found is None:
        say(f"no event {event_id}")
        return 1
    say_json({**_summary(found), "body": json.loads(found.body)})
    return 0


async def replay_parked(deps: Deps, *, dry_run: bool) -> int:
    """Applies every parked event again, the oldest first."""
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        parked = await StripeEventRepository(uow).latest(state="parked", event_type=None, limit=None)
    return await replay(deps, [event.event_id for event in reversed(parked)], dry_run=dry_run)


async def replay(deps: Deps, event_ids: Sequence[str], *, dry_run: bool) -> int:
    """Applies events again, here and now; 1 when one does not exist, or could not be applied just now."""
    code = 0
    for event_id in event_ids:
        verdict = await (_would(deps, event_id) if dry_run else _again(deps, event_id))
        if verdict is None:
            code = 1
            say(f"{event_id}  not applied: there is no such event, or it will be tried again (see its error)")
            continue
        would = "would be " if dry_run else ""
        why = f" ({verdict.reason}: {verdict.detail})" if verdict.reason else ""
        say(f"{event_id}  {would}{verdict.outcome}{why}  {changes(verdict.changes) or 'no change'}")
    if dry_run:
        say("dry run: nothing was changed")
    return code


async def ignore(deps: Deps, event_id: str) -> int:
    """Has a parked event count as seen; 1 when it is not parked."""
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        done = await StripeEventRepository(uow).dismiss(event_id)
        await uow.commit()
    say(f"{event_id}  {'ignored' if done else 'is not parked'}")
    return 0 if done else 1


async def _would(deps: Deps, event_id: str) -> Verdict | None:
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        found = await StripeEventRepository(uow).find(event_id)
    try:
        return await applying.apply(deps, Event.parse(found.body), dry_run=True) if found is not None else None
    except BillingUnavailable:
        return None


async def _again(deps: Deps, event_id: str) -> Verdict | None:
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        claimed = await StripeEventRepository(uow).reopen(event_id)
        await uow.commit()
    return (await webhook.apply_claimed(deps, [claimed])).get(event_id) if claimed is not None else None


def _state(event: StripeEvent) -> State:
    if event.outcome is None:
        return "waiting"
    if event.outcome in ("parked", "failed"):
        return "parked"
    return "ignored" if event.outcome == "ignored" else "applied"


def _summary(event: StripeEvent) -> dict[str, Any]:
    return {
        "id": event.event_id,
        "type": event.type,
        "state": _state(event),
        "outcome": event.outcome,
        "reason": event.reason,
        "error": event.error,
        "org_id": event.org_id,
        "created": event.created,
        "received_at": event.received_at,
        "handled_at": event.handled_at,
        "attempts": event.attempts,
    }
