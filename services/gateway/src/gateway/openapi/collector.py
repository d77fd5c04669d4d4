"""The services' documents, read from the running services."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

import httpx

from common.telemetry import get_logger
from gateway import telemetry
from gateway.openapi.merge import Document, merge

FETCH_TIMEOUT_SECONDS: Final = 2.0
REFRESH_SECONDS: Final = 60.0
MISSING_SECONDS: Final = 2.0
"""How often to ask again while a service's part is missing."""

log = get_logger()


async def fetch(upstreams: Mapping[str, tuple[str, ...]]) -> dict[str, Document]:
    """The documents of those services that answer."""
    async with httpx.AsyncClient(timeout=FETCH_TIMEOUT_SECONDS, trust_env=False) as client:
        found = await asyncio.gather(*(_fetch_any(client, name, replicas) for name, replicas in upstreams.items()))
    return {name: document for name, document in zip(upstreams, found, strict=True) if document is not None}


async def _fetch_any(client: httpx.AsyncClient, service: str, replicas: tuple[str, ...]) -> Document | None:
    for address in replicas:
        if (document := await _fetch_one(client, service, address)) is not None:
            return document
    return None


async def _fetch_one(client: httpx.AsyncClient, service: str, address: str) -> Document | None:
    try:
        response = await client.get(f"http://{address}/openapi.json")
        response.raise_for_status()
        document: Any = response.json()
    except (httpx.HTTPError, ValueError) as error:
        log.debug(telemetry.PART_UNREACHABLE, service=service, error=repr(error))
        return None
    return document if isinstance(document, dict) else None


class Collector:
    """Keeps the merged document fresh in the background; a service that is down keeps the part that it last had.

    Args:
        own: the gateway's own document.
        upstreams: host:port of the replicas of the others.
    """

    def __init__(self, own: Document, upstreams: Mapping[str, tuple[str, ...]]) -> None:
        self._parts: dict[str, Document] = {"gateway": own}
        self._upstreams = {name: replicas for name, replicas in upstreams.items() if name != "gateway"}
        self._merged: Document = {}
        self._body = b""
        self._merge()

    @property
    def document(self) -> Document:
        """All parts that are known."""
        return self._merged

    @property
    def body(self) -> bytes:
        """The same as JSON."""
        return self._body

    async def refresh(self) -> None:
        """Asks every service once."""
        found = await fetch(self._upstreams)
        if any(self._parts.get(name) != document for name, document in found.items()):
            self._parts |= found
            self._merge()

    async def run(self) -> None:
        """Refreshes until it is cancelled."""
        while True:
            await self.refresh()
            missing = set(self._upstreams) - set(self._parts)
            await asyncio.sleep(MISSING_SECONDS if missing else REFRESH_SECONDS)

    def _merge(self) -> None:
        self._merged = merge(self._parts)
        self._body = json.dumps(self._merged, separators=(",", ":")).encode()
