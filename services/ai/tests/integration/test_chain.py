"""The chain over the vendors' real SDKs: who is asked when, how often, and what a listener is told."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict

from ai.providers import prompts
from ai.providers.chain import ChainProvider
from ai.providers.port import Mark, Passage, Piece, Provider, ProviderFailed, StructureRequest, Usage, Written, text_of
from ai_fake.testing import FakeProcess

from .vendors_at_hand import chain_of, pieces_of, request

pytestmark = pytest.mark.integration

TEXT = "Three villages have no well. We dig one in each."
OLD = "Old words that nobody shall keep."


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProcess]:
    with FakeProcess() as process:
        yield process


@pytest.fixture(autouse=True)
def _fresh(fake: FakeProcess) -> None:
    fake.reset()


def written(pieces: Sequence[Piece]) -> Written:
    """Who wrote it."""
    last = pieces[-1]
    assert isinstance(last, Written)
    return last


async def listen(provider: Provider, said: list[Piece]) -> None:
    """Keeps what is said before a failure, too."""
    async for piece in provider.stream(request()):
        said.append(piece)


class TestFallBack:
    async def test_the_next_is_asked_when_one_does_not_answer(self, fake: FakeProcess) -> None:
        fake.always("openai", {"status": 500})
        fake.always("gemini", {"status": 401})
        fake.say("anthropic", {"text": TEXT})
        async with chain_of(fake, "openai>gemini>anthropic") as provider:
            pieces = await pieces_of(provider)
        assert (text_of(pieces), written(pieces).model) == (TEXT, "claude-fake")
        assert [len(fake.asked(name)) for name in ("openai", "gemini", "anthropic")] == [3, 1, 1]
        assert Mark.RESTART not in pieces

    async def test_a_text_that_breaks_off_is_replaced_and_not_gone_on_with(self, fake: FakeProcess) -> None:
        fake.always("openai", {"text": OLD, "cut_after": 2})
        fake.say("gemini", {"text": TEXT})
        async with chain_of(fake, "openai>gemini", AI_MAX_ATTEMPTS="1") as provider:
            pieces = await pieces_of(provider)
        at = pieces.index(Mark.RESTART)
        assert text_of(pieces[:at]) == "Old words that nobody"
        assert text_of(pieces) == TEXT

    async def test_the_old_words_stay_until_there_are_new_ones(self, fake: FakeProcess) -> None:
        fake.say("openai", {"text": OLD, "cut_after": 2})
        fake.always("gemini", {"status": 500})
        fake.always("openai", {"status": 500})
        said: list[Piece] = []
        async with chain_of(fake, "openai>gemini") as provider:
            with pytest.raises(ProviderFailed):
                await listen(provider, said)
        assert Mark.RESTART not in said
        assert text_of(said) == "Old words that nobody"

    async def test_the_built_in_drafter_is_the_last_resort_and_says_so(self, fake: FakeProcess) -> None:
        fake.always("openai", {"text": OLD, "cut_after": 1})
        async with chain_of(fake, "openai>local") as provider:
            pieces = await pieces_of(provider)
        assert written(pieces).model == "local"
        assert written(pieces).prompt.name == "local-rules"
        assert Mark.RESTART in pieces
        assert "Three villages without a well." in text_of(pieces)

    async def test_a_pause_longer_than_anyone_waits_is_the_next_ones_chance(self, fake: FakeProcess) -> None:
        fake.always("openai", {"status": 429, "retry_after": "3600"})
        fake.say("gemini", {"text": TEXT})
        async with chain_of(fake, "openai>gemini") as provider:
            began = time.monotonic()
            assert text_of(await pieces_of(provider)) == TEXT
        assert time.monotonic() - began < 30
        assert len(fake.asked("openai")) == 1

    async def test_an_account_without_money_is_not_asked_again(self, fake: FakeProcess) -> None:
        fake.always("openai", {"status": 429, "code": "insufficient_quota"})
        fake.say("gemini", {"text": TEXT})
        async with chain_of(fake, "openai>gemini") as provider:
            assert text_of(await pieces_of(provider)) == TEXT
        assert len(fake.asked("openai")) == 1

    async def test_all_of_it_has_an_end(self, fake: FakeProcess) -> None:
        fake.always("all", {"text": TEXT, "delta_ms": 200})
        async with chain_of(
            fake, "openai>gemini", AI_CALL_TIMEOUT_SECONDS="0.5", AI_GENERATION_TIMEOUT_SECONDS="1.2"
        ) as provider:
            began = time.monotonic()
            with pytest.raises(ProviderFailed, match="does not answer"):
                await pieces_of(provider)
        assert 0.5 <= time.monotonic() - began < 30


class TestBreaker:
    async def test_it_opens_after_failures_and_one_call_tries_later(self, fake: FakeProcess) -> None:
        fake.always("openai", {"status": 500})
        fake.always("gemini", {"text": TEXT})
        async with chain_of(
            fake, "openai>gemini", AI_MAX_ATTEMPTS="1", AI_BREAKER_FAILURES="3", AI_BREAKER_OPEN_SECONDS="1"
        ) as provider:
            for _ in range(6):
                assert text_of(await pieces_of(provider)) == TEXT
            assert len(fake.asked("openai")) == 3
            await asyncio.sleep(1.1)
            fake.always("openai", {"text": "I am back.", "first_ms": 300})
            texts = [text_of(pieces) for pieces in await asyncio.gather(*(pieces_of(provider) for _ in range(5)))]
            assert sorted(texts) == ["I am back.", *[TEXT] * 4]
            assert text_of(await pieces_of(provider)) == "I am back."

    async def test_what_a_request_is_to_blame_for_does_not_open_it(self, fake: FakeProcess) -> None:
        fake.always("openai", {"status": 400})
        async with chain_of(fake, "openai>local", AI_BREAKER_FAILURES="2") as provider:
            for _ in range(4):
                await pieces_of(provider)
        assert len(fake.asked("openai")) == 4

    async def test_a_call_that_is_given_up_by_its_listener_leaves_it_as_it_was(self, fake: FakeProcess) -> None:
        fake.say("openai", {"status": 500})
        async with chain_of(
            fake, "openai", AI_MAX_ATTEMPTS="1", AI_BREAKER_FAILURES="1", AI_BREAKER_OPEN_SECONDS="0.2"
        ) as provider:
            with pytest.raises(ProviderFailed):
                await pieces_of(provider)
            await asyncio.sleep(0.3)
            fake.say("openai", {"text": TEXT, "hang_after": 1})
            trying = asyncio.create_task(pieces_of(provider))
            await asyncio.sleep(0.3)
            trying.cancel()
            with pytest.raises(asyncio.CancelledError):
                await trying
            fake.say("openai", {"text": TEXT})
            assert text_of(await pieces_of(provider)) == TEXT


async def test_a_hundred_streams_at_once_lose_and_mix_nothing(fake: FakeProcess) -> None:
    texts = [" ".join(f"{stream}.{word}" for word in range(60)) for stream in range(100)]
    fake.say("openai", *({"text": text, "delta_ms": 1} for text in texts))
    async with chain_of(fake, "openai", AI_FIRST_TOKEN_TIMEOUT_SECONDS="30", AI_CALL_TIMEOUT_SECONDS="60") as provider:
        found = await asyncio.gather(*(pieces_of(provider) for _ in texts))
    assert sorted(map(text_of, found)) == sorted(texts)


class Fact(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["deadline", "limit"]
    page: int


GOOD = '{"kind": "limit", "page": 4}'


@pytest.mark.parametrize("vendor", ["openai", "gemini", "anthropic"])
class TestStructure:
    def wish(self) -> StructureRequest[Fact]:
        return StructureRequest(
            prompt="plan",
            passages=[Passage("call", 4, "At most ten pages.")],
            into=Fact,
            problems=lambda fact: [] if fact.page == 4 else [f"there is no page {fact.page}"],
        )

    async def test_the_answer_has_the_form_that_was_asked_for(self, fake: FakeProcess, vendor: str) -> None:
        fake.say(vendor, {"text": GOOD, "usage": [50, 9]})
        async with chain_of(fake, vendor) as provider:
            found = await provider.structure(self.wish())
        assert found is not None
        assert found.answer == Fact(kind="limit", page=4)
        assert found.written.usage == Usage(50, 9)
        assert found.written.prompt == prompts.load("plan")[0]
        assert '"additionalProperties": false' in str(fake.asked(vendor)[0]["body"]).replace("False", "false").replace(
            "'", '"'
        )

    @pytest.mark.parametrize(
        "bad", ["No JSON at all.", '{"kind": "weather", "page": 4}', '{"kind": "limit", "page": 5}', '{"kind": "limit'
    ])  # fmt: skip
    async def test_rubbish_is_sent_back_once_with_what_is_wrong(self, fake: FakeProcess, vendor: str, bad: str) -> None:
        fake.say(vendor, {"text": bad, "usage": [50, 9]}, {"text": f"```json\n{GOOD}\n```", "usage": [80, 9]})
        async with chain_of(fake, vendor) as provider:
            found = await provider.structure(self.wish())
        assert found is not None
        assert found.answer.page == 4
        assert found.written.usage == Usage(130, 18)
        again = str(fake.asked(vendor)[1]["body"])
        assert '"answer">>>' in again
        assert '"problems">>>' in again

    async def test_twice_rubbish_is_a_failure_with_a_reason(self, fake: FakeProcess, vendor: str) -> None:
        fake.always(vendor, {"text": "Nothing of use."})
        async with chain_of(fake, vendor) as provider:
            with pytest.raises(ProviderFailed, match="second try") as failed:
                await provider.structure(self.wish())
        assert failed.value.code == "unusable_answer"
        assert len(fake.asked(vendor)) == 2

    async def test_before_the_built_in_rules_it_is_left_to_them(self, fake: FakeProcess, vendor: str) -> None:
        fake.always(vendor, {"text": "Nothing of use."})
        async with chain_of(fake, f"{vendor}>local") as provider:
            assert await provider.structure(self.wish()) is None


async def test_a_start_does_not_import_an_sdk_and_a_chain_loads_its_own_alone(fake: FakeProcess) -> None:
    program = (
        "import sys, ai.main, ai.bootstrap\n"
        "print([name for name in ('openai', 'anthropic', 'google.genai') if name in sys.modules])"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    assert said.decode().strip() == "[]"
    async with chain_of(fake, "gemini>local") as provider:
        chain = provider._inner  # type: ignore[attr-defined]  # within what cleans its texts
        assert isinstance(chain, ChainProvider)
        assert [link.vendor.name for link in chain._links] == ["gemini"]
