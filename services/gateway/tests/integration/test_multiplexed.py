"""The Valkey client: many questions on one connection, and what happens when it breaks."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from devstack import ports
from devstack.servers import Valkey
from gateway.decision.facts import Lease
from gateway.decision.limits import LimitPolicy
from gateway.decision.multiplexed import Client, ReplyError, Script
from gateway.decision.valkey import FactStore

pytestmark = pytest.mark.integration

POLICY = LimitPolicy({"free": 60}, {"free": 0}, 5, 60, enforce_ai=True, single_write=False)


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    """A Valkey of this module's own, to stop and start."""
    folder = Path(tempfile.mkdtemp(prefix="valkey-"))
    folder.chmod(0o711)
    server = Valkey(folder, port=ports.free_port(), password="secret", log=folder / "valkey.log")
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def client(valkey: Valkey) -> AsyncIterator[Client]:
    opened = Client(valkey.url(3))
    yield opened
    await opened.close()


async def test_each_question_gets_its_own_answer(client: Client) -> None:
    numbers = [str(number) for number in range(500)]
    assert await asyncio.gather(*(client.call("ECHO", number) for number in numbers)) == numbers


async def test_an_asker_who_left_does_not_shift_the_answers(client: Client) -> None:
    await client.call("PING")
    asked = [asyncio.ensure_future(client.call("ECHO", str(number))) for number in range(50)]
    await asyncio.sleep(0)
    for number in range(0, 50, 2):
        asked[number].cancel()
    for number in range(1, 50, 2):
        assert await asked[number] == str(number)


async def test_a_script_is_sent_when_the_server_does_not_know_it(client: Client) -> None:
    script = Script("return {KEYS[1], ARGV[1]}")
    for _ in range(2):
        assert await client.run(script, ("a",), ("b",)) == ["a", "b"]
    await client.call("SCRIPT", "FLUSH")
    assert await client.run(script, ("a",), ("b",)) == ["a", "b"]


async def test_an_error_is_raised_to_whom_it_concerns(client: Client) -> None:
    wrong, right = await asyncio.gather(client.call("NONSENSE"), client.call("PING"), return_exceptions=True)
    assert isinstance(wrong, ReplyError)
    assert right == "PONG"


async def test_a_wrong_password_is_an_error(valkey: Valkey) -> None:
    client = Client(f"redis://:wrong@127.0.0.1:{valkey.port}/0")
    with pytest.raises(ReplyError, match="WRONGPASS"):
        await client.call("PING")


async def test_a_server_that_hangs_is_given_up_and_found_again(client: Client, valkey: Valkey) -> None:
    await client.call("PING")
    assert valkey.process is not None
    valkey.process.send_signal(19)
    try:
        answers = await asyncio.gather(*(client.call("PING") for _ in range(20)), return_exceptions=True)
        assert all(isinstance(answer, TimeoutError) for answer in answers)
    finally:
        valkey.process.send_signal(18)
    # The late answers went with their connection.
    assert await client.call("ECHO", "new") == "new"


async def test_it_connects_again_after_a_restart(client: Client, valkey: Valkey) -> None:
    await client.call("PING")
    valkey.stop()
    with pytest.raises(OSError):
        await client.call("PING")
    valkey.start()
    assert await client.call("PING") == "PONG"


async def test_what_comes_back_after_its_window_is_not_counted_in_the_next(client: Client) -> None:
    store = FactStore(client, POLICY)
    key = "bw:r:api:user:org"
    await store.take(key, 60)
    await client.call("INCRBY", key, "10")
    ends = int(await client.call("PEXPIRETIME", key))
    await store.give_back_lease("user", "org", Lease(4, ends))
    assert await client.call("GET", key) == "7"
    await store.give_back_lease("user", "org", Lease(4, ends - 1))
    assert await client.call("GET", key) == "7"
    await store.give_back_lease("user", "org", Lease(100, ends))
    assert await client.call("GET", key) == "0"
    assert int(await client.call("PEXPIRETIME", key)) == ends


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="REDIS_URL"):
        Client("http://localhost")
