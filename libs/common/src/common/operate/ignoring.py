"""`events dead ignore`: a dead letter that nobody can mend waits no more, and is kept with who said so and why.

To its service the event counts as seen: what came after it for the same thing goes on. What it said has no effect; as
each event carries the whole new state, the next one of the same thing makes that good.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from nats.js import JetStreamContext
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from common.db import Database, Tenant
from common.ids import parse_id
from common.operate import letters
from common.operate.letters import Letter
from common.operate.output import say
from common.plumbing import AggregateVersion, InboxRow
from contracts import load

REASON_CHARACTERS: Final = 500


@dataclass(frozen=True)
class Place:
    """Where an event belongs: to which version of which thing. A body that fails otherwise may still say it."""

    aggregate: str
    org_id: UUID
    version: int


async def ignore(
    js: JetStreamContext,
    databases: Mapping[str, Database],
    *,
    given: str,
    service: str | None,
    reason: str,
    dry_run: bool,
) -> int:
    """Ignores one (or each of an event); 1 when there is none, or when one had to be left."""
    found = [letter for letter in await letters.find(js, given) if service in (None, letter.service)]
    found = [letter for letter in found if not letter.ignored]
    if not found:
        say(f"no dead letter {given}")
        return 1
    good = True
    for letter in found:
        place = place_of(letter)
        refusal = await _refusal(databases, letter, place)
        if refusal is None and not dry_run:
            if place is not None:
                await _count_as_seen(databases[letter.service], letter, place)
            if not await letters.set_aside(js, letter, by=_operator(), reason=reason):
                refusal = "was replayed or ignored by another meanwhile"
        what = f"{letter.service}: {'would be ignored' if dry_run else 'ignored'}"
        say(f"{letter.id:>6}  {refusal or what}: {letter.subject}")
        good = good and refusal is None
    if dry_run:
        say("dry run: nothing was changed")
    return 0 if good else 1


def place_of(letter: Letter) -> Place | None:
    """The event's place, when its type is known and its body says so much."""
    event = load().get(letter.headers.get("ce-type", ""))
    try:
        body = json.loads(letter.data)
    except ValueError:
        return None
    if event is None or not isinstance(body, dict):
        return None
    org_id, version, named = (body.get(name) for name in ("org_id", "version", event.META.aggregate))
    org = parse_id(org_id) if isinstance(org_id, str) else None
    if org is None or type(version) is not int or version < 1 or not isinstance(named, str):
        return None
    return Place(f"{event.META.service}.{event.META.entity}:{parse_id(named) or named}", org, version)


async def _refusal(databases: Mapping[str, Database], letter: Letter, place: Place | None) -> str | None:
    if place is None:
        return None
    if letter.service not in databases:
        return (
            f"left as it is: later events of {place.aggregate} would wait for it in {letter.service};"
            f" needs {letter.service.upper()}_WORKER_DATABASE_URL"
        )
    async with databases[letter.service].unit_of_work(Tenant(org_id=place.org_id)) as uow:
        known = await uow.session.get(AggregateVersion, place.aggregate)
    before = known.version if known is not None else 0
    if place.version > before + 1:
        return f"left as it is: version {before + 1} of {place.aggregate} comes first, and is missing too"
    return None


async def _count_as_seen(database: Database, letter: Letter, place: Place) -> None:
    """As the consumer does it, without the handler. Done twice it changes nothing."""
    async with database.unit_of_work(Tenant(org_id=place.org_id)) as uow:
        await uow.session.execute(
            insert(AggregateVersion)
            .values(aggregate=place.aggregate, org_id=place.org_id, version=0)
            .on_conflict_do_nothing()
        )
        query = select(AggregateVersion).where(AggregateVersion.aggregate == place.aggregate).with_for_update()
        row = await uow.session.scalar(query)
        if letter.event_id is not None:
            seen = {"event_id": letter.event_id, "org_id": place.org_id, "type": letter.headers.get("ce-type", "")}
            await uow.session.execute(insert(InboxRow).values(seen).on_conflict_do_nothing())
        if row is not None and row.version == place.version - 1:
            row.version = place.version
        await uow.commit()


def _operator() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user has no name
        return "unknown"
