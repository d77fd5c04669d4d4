"""Server-sent events of a job."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Header, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from ai.deps import Deps
from ai.generation.api import Drafter, Services
from ai.generation.live import Inbox
from ai.generation.results import job_out
from ai.generation.telling import ENDED, Teller
from common.identity import Identity
from common.revocations import Revocations

router = APIRouter(prefix="/api/ai", tags=["ai"])

LOOK_SECONDS: Final = 2.0
"""What is stored is looked at this often, should a note be lost with NATS."""
DEAF_LOOK_SECONDS: Final = 0.2
"""The same while there is no NATS at all."""
WAIT_SECONDS: Final = 0.25
"""How often a silent stream sees whether its listener still may listen."""
PING_SECONDS: Final = 15
STREAM_SECONDS: Final = 60.0
"""A stream ends after this long, as the identity that opened it does: a listener comes back with its Last-Event-ID, and
the edge decides anew whether it may."""


@router.get(
    "/jobs/{job_id}/events",
    summary="Follow a job",
    response_class=EventSourceResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def follow_job(
    job_id: UUID, request: Request, who: Drafter, deps: Services, last_event_id: Annotated[str, Header()] = ""
) -> EventSourceResponse:
    """Events: `status` `{status, attempt, restarted}`, `delta` `{text}`, and last `done` `{job}`. The deltas joined are
    the text; after a `status` with `restarted`, begin with an empty text again. Send the last id as Last-Event-ID to
    go on where a connection broke."""
    place = _place_of(last_event_id)
    await deps.pieces.look(who.org_id, job_id, after=place)  # 404 before the stream begins
    return EventSourceResponse(
        _while_allowed(request.app.state.revocations, deps, who, job_id, place),
        ping=PING_SECONDS,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _while_allowed(
    revocations: Revocations, deps: Deps, who: Identity, job_id: UUID, place: int
) -> AsyncIterator[ServerSentEvent]:
    """The events as long as the caller's session, membership and tier are what they were."""
    with revocations.watch(who) as ended:
        async with deps.live.follow(job_id) as inbox:
            async for event in _events(deps, who, job_id, Teller(place), inbox, ended):
                yield event


async def _events(
    deps: Deps, who: Identity, job_id: UUID, teller: Teller, inbox: Inbox, ended: asyncio.Event
) -> AsyncIterator[ServerSentEvent]:
    """What is stored already, then what is told; what is stored again where something was not told."""
    ends_at = time.monotonic() + STREAM_SECONDS
    look_at = float("-inf")
    while True:
        if time.monotonic() >= look_at:
            stored = await deps.pieces.look(who.org_id, job_id, after=teller.place)
            look_at = time.monotonic() + (LOOK_SECONDS if inbox.is_live else DEAF_LOOK_SECONDS)
            if stored.status not in ENDED:
                for event in teller.turn(stored.status, stored.attempt):
                    yield event
            for event in teller.pieces(stored.pieces):
                yield event
            if stored.status in ENDED:
                shown = await job_out(deps, who, *await deps.generations.job(who, job_id))
                for event in teller.end(stored, shown.model_dump(mode="json")):
                    yield event
                return
        if ended.is_set() or time.monotonic() >= ends_at:
            return
        for event in teller.notes(await inbox.read(min(WAIT_SECONDS, max(0.0, look_at - time.monotonic())))):
            yield event
        if teller.must_look:
            look_at, teller.must_look = float("-inf"), False


def _place_of(last_event_id: str) -> int:
    """The place in the text that an id names; the beginning for an id that is not ours."""
    number = last_event_id.split(".", 1)[0]
    return int(number) if number.isdecimal() and len(number) < 16 else 0
