"""A stream of events ends with the right that opened it, and loses nothing to one who comes back."""

from __future__ import annotations

import asyncio

import pytest

from ai.generation import stream_api

from .conftest import Entitled, World
from .slow_worker import DELTAS
from .test_jobs import SLOW_WORKER, follow, new_section, write

pytestmark = pytest.mark.integration


async def test_a_stream_ends_with_its_time_and_goes_on_where_it_ended(
    world: World, entitled: Entitled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_api, "STREAM_SECONDS", 0.5)
    caller = await entitled()
    job_id = await write(caller, await new_section(caller))
    text, place, events, streams = "", "", [""], 0
    worker = await world.start_worker(SLOW_WORKER)
    async with asyncio.timeout(60):
        while events[-1] != "done":
            streams += 1
            async for event, last_id, data in follow(caller, job_id, place):
                place = last_id
                events.append(event)
                text += data["text"] if event == "delta" else ""
    await world.stop_worker(worker)
    assert text == "".join(DELTAS)
    assert streams > 2
