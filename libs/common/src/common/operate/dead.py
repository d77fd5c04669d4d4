"""`events dead`: what was given up, looked at, and given to its service once more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Final

from nats.js import JetStreamContext
from sqlalchemy import select

from common.db import Database, Tenant
from common.operate import letters
from common.operate.letters import Letter
from common.operate.output import say, say_json
from common.plumbing import InboxRow

LOOK_SECONDS: Final = 0.2


async def show_list(js: JetStreamContext, *, service: str | None, ignored: bool, as_json: bool) -> int:
    """Prints what waits (or was ignored), the oldest first."""
    found = await letters.read(js, service, ignored=ignored)
    if as_json:
        say_json({"items": [letter.summary() for letter in found]})
        return 0
    for letter in found:
        one = letter.summary()
        say(f"{letter.id:>6}  {letter.at:%Y-%m-%d %H:%M:%S}  {letter.service:<8} {letter.subject}  {one['event_id']}")
        say(f"        {letter.reason}: {one['detail']}")
        if letter.ignored:
            say(f"        ignored by {one['ignored']['by']}: {one['ignored']['reason']}")
    say(f"{len(found)} dead letters{' ignored' if ignored else ''}")
    return 0


async def show(js: JetStreamContext, given: str) -> int:
    """Prints one with its body, or every one of an event; 1 when there is none."""
    found = await letters.find(js, given, also_ignored=True)
    for letter in found:
        say_json(letter.whole())
    if not found:
        say(f"no dead letter {given}")
    return 0 if found else 1


async def replay(
    js: JetStreamContext,
    databases: Mapping[str, Database],
    *,
    given: str | None,
    service: str | None,
    dry_run: bool,
    wait_seconds: float,
) -> int:
    """Gives one (or each of an event), or without an id all of them, to their services again, the oldest first, and
    says what became of each; 1 when one does not exist or was not applied.

    Without the database of a service it can only say that it was handed over.
    """
    found = await (letters.find(js, given) if given else letters.read(js, service))
    found = [letter for letter in found if service in (None, letter.service)]
    if given and not found:
        say(f"no dead letter {given}")
        return 1
    applied = await _applied(databases, found)
    if dry_run:
        for letter in found:
            known = "; was applied meanwhile, so it would change nothing" if letter.id in applied else ""
            say(f"{letter.id:>6}  would be given to {letter.service}: {letter.subject}{known}")
        say("dry run: nothing was changed")
        return 0
    handed = []
    for letter in found:
        if await letters.hand_over(js, letter.id):
            handed.append(letter)
        else:
            say(f"{letter.id:>6}  was replayed by another meanwhile")
    good = True
    for letter in handed:
        if letter.id in applied:
            say(f"{letter.id:>6}  {letter.service}: was applied before; it changes nothing")
        elif letter.service not in databases:
            say(f"{letter.id:>6}  handed to {letter.service}'s worker")
    asked = [letter for letter in handed if letter.id not in applied and letter.service in databases]
    for letter_id, outcome in (await _outcomes(js, databases, asked, wait_seconds)).items():
        say(f"{letter_id:>6}  {outcome}")
        good = good and outcome.endswith(": applied")
    return 0 if good else 1


async def _outcomes(
    js: JetStreamContext, databases: Mapping[str, Database], handed: Sequence[Letter], wait_seconds: float
) -> dict[int, str]:
    """What became of each, as soon as it is known, and at the latest when the time is over."""
    outcomes: dict[int, str] = {}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(wait_seconds):
            while len(outcomes) < len(handed):
                open_ones = [letter for letter in handed if letter.id not in outcomes]
                for letter_id in await _applied(databases, open_ones):
                    service = next(letter.service for letter in open_ones if letter.id == letter_id)
                    outcomes[letter_id] = f"{service}: applied"
                for letter in open_ones:
                    if letter.id not in outcomes and (again := await _given_up_again(js, letter)):
                        outcomes[letter.id] = f"{letter.service}: given up again as {again.id} ({again.reason})"
                if len(outcomes) < len(handed):
                    await asyncio.sleep(LOOK_SECONDS)
    for letter in handed:
        outcomes.setdefault(
            letter.id,
            f"{letter.service}: has it, and has not applied it in {wait_seconds:g} s;"
            f" its worker's log says why (inbox.handler_failed)",
        )
    return outcomes


async def _given_up_again(js: JetStreamContext, before: Letter) -> Letter | None:
    return next((letter for letter in await letters.read(js, before.service) if letter.follows(before)), None)


async def _applied(databases: Mapping[str, Database], asked: Sequence[Letter]) -> set[int]:
    found: set[int] = set()
    for service, database in databases.items():
        by_event = {letter.event_id: letter.id for letter in asked if letter.service == service and letter.event_id}
        if by_event:
            async with database.unit_of_work(Tenant.none()) as uow:
                seen = await uow.session.scalars(select(InboxRow.event_id).where(InboxRow.event_id.in_(by_event)))
                found |= {by_event[event_id] for event_id in seen}
    return found
