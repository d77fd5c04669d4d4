"""Server-sent events of a job."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Header, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from ai.deps import Deps
from ai.generation.api import Drafter, Services
from ai.generation.results import job_out
from common.identity import Identity
from common.plumbing import Job
from common.revocations import Revocations

router = APIRouter(prefix="/api/ai", tags=["ai"])

POLL_SECONDS: Final = 0.1
EAGER_POLL_SECONDS: Final = 0.03
EAGER_POLLS: Final = 30
"""A listener who has just come is looked after more often, so that the first words come at once."""
POLL_REST: Final = 4.0
"""And at least as many times as long as looking took: many listeners at once are looked after less often."""
PING_SECONDS: Final = 15
STREAM_SECONDS: Final = 60.0
"""A stream ends after this long, as the identity that opened it does: a listener comes back with its Last-Event-ID, and
the edge decides anew whether it may."""
ENDED: Final = ("succeeded", "failed", "cancelled")


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
    job, _ = await deps.generations.deltas(who, job_id, after=place)  # 404 before the stream begins
    del job
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
        async for event in _events(deps, who, job_id, place, ended):
            yield event


async def _events(
    deps: Deps, who: Identity, job_id: UUID, place: int, ended: asyncio.Event
) -> AsyncIterator[ServerSentEvent]:
    """Ids are `<place in the text>.<serial>`: a listener that comes back is told all that lies beyond its place."""
    serial = polls = 0
    told: tuple[str, int] | None = None
    ends_at = time.monotonic() + STREAM_SECONDS
    while True:
        began = time.monotonic()
        job, chunks = await deps.generations.deltas(who, job_id, after=place)
        looked = time.monotonic() - began
        if told != (job.status, job.attempt) and job.status not in ENDED:
            told = (job.status, job.attempt)
            serial += 1
            yield _event("status", f"{place}.{serial}", _status(job, restarted=False))
        for position, text in chunks:
            place, serial = position, 0
            if text is None:
                yield _event("status", f"{place}.0", _status(job, restarted=True))
            else:
                yield _event("delta", f"{place}.0", {"text": text})
        if job.status in ENDED:
            found, generation = await deps.generations.job(who, job_id)
            shown = await job_out(deps, who, found, generation)
            yield _event("status", f"{place}.{serial + 1}", _status(job, restarted=False))
            yield _event("done", f"{place}.{serial + 2}", {"job": shown.model_dump(mode="json")})
            return
        if ended.is_set() or time.monotonic() >= ends_at:
            return
        polls += 1
        pause = EAGER_POLL_SECONDS if polls < EAGER_POLLS else POLL_SECONDS
        await asyncio.sleep(max(pause, POLL_REST * looked))


def _status(job: Job, *, restarted: bool) -> dict[str, object]:
    return {"status": job.status, "attempt": job.attempt, "restarted": restarted}


def _event(name: str, event_id: str, data: dict[str, object]) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(data, ensure_ascii=False), event=name, id=event_id)


def _place_of(last_event_id: str) -> int:
    """The place in the text that an id names; the beginning for an id that is not ours."""
    number = last_event_id.split(".", 1)[0]
    return int(number) if number.isdecimal() and len(number) < 16 else 0
