"""Someone who follows a generation's stream to its end, whatever happens to the parts in between."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx

PATIENCE_SECONDS = 120.0


class Listener:
    """Follows one job to its end, and comes back with its place whenever the stream breaks."""

    def __init__(self, http: httpx.AsyncClient, job_id: str) -> None:
        self._http, self._path = http, f"/api/ai/jobs/{job_id}/events"
        self.text, self.place, self.streams = "", "", 0
        self.refusals: set[tuple[int, bool]] = set()
        self.job: dict[str, Any] = {}

    async def listen(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.job:
            assert time.monotonic() < deadline, f"no end after {self.streams} streams, at {self.place}"
            try:
                await self._once()
            except httpx.TransportError:
                await asyncio.sleep(0.1)

    async def _once(self) -> None:
        headers = {"last-event-id": self.place} if self.place else {}
        async with self._http.stream("GET", self._path, headers=headers) as answer:
            if answer.status_code != 200:
                self.refusals.add((answer.status_code, "retry-after" in answer.headers))
                await asyncio.sleep(0.2)
                return
            self.streams += 1
            event: dict[str, str] = {}
            async for line in answer.aiter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    event[name] = value
                elif "data" in event:
                    self._take(event)
                    event = {}

    def _take(self, event: dict[str, str]) -> None:
        data, self.place = json.loads(event["data"]), event["id"]
        if event["event"] == "delta":
            self.text += data["text"]
        elif event["event"] == "done":
            self.job = data["job"]
        elif data.get("restarted"):
            self.text = ""
