"""The gateway's keys, fetched over HTTP from a real server that publishes and withdraws them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from common import identity
from common.identity import KeySet


class Publisher:
    """Answers every connection with the keys of these names."""

    def __init__(self) -> None:
        self.published: dict[str, Ed25519PrivateKey] = {}
        self.asked = 0
        self.url = ""

    def publish(self, *names: str) -> None:
        self.published = {name: Ed25519PrivateKey.generate() for name in names}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        to_jwk = jwt.algorithms.OKPAlgorithm.to_jwk
        keys = [
            to_jwk(key.public_key(), as_dict=True) | {"kid": name, "alg": "EdDSA", "use": "sig"}
            for name, key in self.published.items()
        ]
        body = json.dumps({"keys": keys}).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        writer.write(head + body)
        await writer.drain()
        writer.close()


@pytest.fixture
async def publisher() -> AsyncIterator[Publisher]:
    publisher = Publisher()
    async with await asyncio.start_server(publisher.answer, "127.0.0.1", 0) as server:
        publisher.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        yield publisher


class TestGet:
    async def test_a_new_key_is_found_amid_a_flood_of_forged_ones(self, publisher: Publisher) -> None:
        publisher.publish("old")
        keys = KeySet(publisher.url)
        assert await keys.get("old") is not None
        forged = [asyncio.create_task(keys.get(f"forged-{number}")) for number in range(200)]
        await asyncio.sleep(0)
        publisher.publish("old", "new")
        found = await asyncio.gather(*(keys.get("new") for _ in range(20)))
        assert None not in found
        assert set(await asyncio.gather(*forged)) == {None}
        assert publisher.asked <= 3  # the first, and one or two for all of the flood

    async def test_a_withdrawn_key_is_forgotten_beside_the_request_that_used_it(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(identity, "KEYS_FRESH_SECONDS", 0.0)
        monkeypatch.setattr(identity, "JWKS_MIN_INTERVAL_SECONDS", 0.0)
        publisher.publish("old")
        keys = KeySet(publisher.url)
        await keys.get("old")
        publisher.publish("new")
        assert await keys.get("old") is not None  # answered at once
        ends = time.monotonic() + 10
        while await keys.get("old") is not None:
            assert time.monotonic() < ends
            await asyncio.sleep(0.01)

    async def test_a_service_that_was_idle_asks_before_it_believes_an_old_key(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("KEYS_FRESH_SECONDS", "KEYS_STALE_SECONDS", "JWKS_MIN_INTERVAL_SECONDS"):
            monkeypatch.setattr(identity, name, 0.0)
        publisher.publish("old")
        keys = KeySet(publisher.url)
        await keys.get("old")
        publisher.publish("new")
        assert await keys.get("old") is None

    async def test_known_keys_stay_while_the_gateway_is_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(identity, "KEYS_STALE_SECONDS", 0.0)
        known = Ed25519PrivateKey.generate().public_key()
        assert await KeySet("http://127.0.0.1:9/", {"known": known}).get("known") is known
