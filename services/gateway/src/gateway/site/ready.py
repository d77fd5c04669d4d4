"""The edge's readiness: the sum of all services'."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from common.health import Health

ASK_TIMEOUT_SECONDS: Final = 1.0
KEEP_SECONDS: Final = 1.0
"""An answer is given out for this long, so that asking often costs little."""


@dataclass
class EdgeReadiness:
    """Asks every service, at most once a second.

    Args:
        own: the gateway's own readiness, asked without a detour.
        upstreams: host:port of the replicas of the others.
    """

    own: Health
    upstreams: Mapping[str, tuple[str, ...]]
    _answer: dict[str, Any] = field(default_factory=dict)
    _until: float = 0.0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def check(self) -> dict[str, Any]:
        """`status` (ok or unready), each service's state, and what it said itself."""
        async with self._lock:
            if time.monotonic() >= self._until:
                self._answer = await self._ask()
                self._until = time.monotonic() + KEEP_SECONDS
            return self._answer

    async def _ask(self) -> dict[str, Any]:
        async with httpx.AsyncClient(timeout=ASK_TIMEOUT_SECONDS, trust_env=False) as client:
            names = [name for name in self.upstreams if name != "gateway"]
            answers = await asyncio.gather(*(self._ask_any(client, self.upstreams[name]) for name in names))
        ready, dependencies = await self.own.readiness()
        own = {"status": "ok" if ready else "unready", "dependencies": dependencies}
        services = {"gateway": own, **dict(zip(names, answers, strict=True))}
        states = {name: str(answer["status"]) for name, answer in services.items()}
        everything = "ok" if all(state == "ok" for state in states.values()) else "unready"
        return {"status": everything, "dependencies": states, "services": services}

    async def _ask_any(self, client: httpx.AsyncClient, replicas: tuple[str, ...]) -> dict[str, Any]:
        """A service is as ready as its readiest replica: the edge takes the others out."""
        answers = await asyncio.gather(*(self._ask_one(client, address) for address in replicas))
        return next((answer for answer in answers if answer["status"] == "ok"), answers[0])

    @staticmethod
    async def _ask_one(client: httpx.AsyncClient, address: str) -> dict[str, Any]:
        try:
            response = await client.get(f"http://{address}/readyz")
            answer: Any = response.json()
        except (httpx.HTTPError, ValueError) as error:
            return {"status": f"unreachable: {type(error).__name__}"}
        return answer if isinstance(answer, dict) and "status" in answer else {"status": "unreadable"}
