"""The rules behind the chain: breaker, pauses, prompts, marks, settings."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from ai.generation import domain
from ai.providers import prompts
from ai.providers.breaker import Breaker
from ai.providers.port import PromptRef
from ai.providers.prompting import LeakGuard, mark, schema_of
from ai.providers.retrying import RetryPolicy, read_retry_after
from ai.providers.vendors.port import Prompt, Why, why_of_status
from ai.settings import Settings
from common.settings import SettingsError, read


class TestBreaker:
    def test_it_opens_after_failures_in_a_row_only(self) -> None:
        breaker = Breaker(3, 10)
        for _ in range(2):
            breaker.failed(0)
        breaker.succeeded()
        for _ in range(2):
            breaker.failed(0)
        assert breaker.allows(0)
        breaker.failed(0)
        assert not breaker.allows(9.9)
        assert breaker.is_open(9.9)

    def test_one_call_tries_and_its_end_decides(self) -> None:
        breaker = Breaker(1, 10)
        breaker.failed(0)
        assert breaker.allows(10)
        assert not breaker.allows(10)
        breaker.failed(12)
        assert not breaker.allows(21)
        assert breaker.allows(22)
        breaker.succeeded()
        assert breaker.allows(22)
        assert breaker.allows(22)

    def test_a_try_that_is_given_up_makes_room_for_another(self) -> None:
        breaker = Breaker(1, 10)
        breaker.failed(0)
        assert breaker.allows(10)
        breaker.abandoned()
        assert breaker.allows(10)


class TestPause:
    @given(st.integers(1, 9))
    def test_it_is_drawn_from_all_of_a_span_that_doubles_up_to_the_most(self, failures: int) -> None:
        spans: list[tuple[float, float]] = []
        policy = RetryPolicy(10, 0.5, 20, draw=lambda low, high: spans.append((low, high)) or high)  # type: ignore[func-returns-value]
        assert policy.pause(failures, None) == min(20, 0.5 * 2 ** (failures - 1))
        assert spans[0][0] == 0

    def test_the_providers_word_is_waited_for_in_full(self) -> None:
        policy = RetryPolicy(3, 0.5, 20, draw=lambda low, high: low)
        assert policy.pause(1, 7) == 7
        assert policy.pause(1, 21) is None
        assert policy.pause(3, 7) is None

    @pytest.mark.parametrize(
        ("headers", "seconds"),
        [
            ({"retry-after": "7"}, 7),
            ({"retry-after": "0.5"}, 0.5),
            ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
            ({"retry-after": "Mon, 02 Nov 2026 10:00:30 GMT"}, 30),
            ({"retry-after": "Mon, 02 Nov 2026 09:00:00 GMT"}, 0),
            ({"retry-after": "soon"}, None),
            ({"retry-after": "-3"}, None),
            ({"retry-after": "nan"}, None),
            ({"retry-after": "inf"}, None),
            ({}, None),
            (None, None),
        ],
    )
    def test_it_is_read_in_every_form(self, headers: object, seconds: float | None) -> None:
        assert read_retry_after(headers, datetime(2026, 11, 2, 10, tzinfo=UTC)) == seconds


def test_every_failure_is_its_own_and_passing_ones_count() -> None:
    assert len({why.value for why in Why}) == len(list(Why)) == 13
    assert all(why.counts for why in Why if why.may_retry)
    assert why_of_status(529) is Why.SERVER_ERROR
    assert why_of_status(418) is Why.REJECTED


class TestPrompts:
    def test_each_file_has_its_checksum_and_each_checksum_its_file(self) -> None:
        folder = Path(prompts.__file__).parent
        assert {file.stem for file in folder.glob("*.md")} == set(prompts.CHECKSUMS)
        for name in prompts.CHECKSUMS:
            ref, words = prompts.load_version(name)
            assert ref == PromptRef(name, prompts.CHECKSUMS[name])
            assert words.strip()

    def test_a_file_that_is_not_what_its_checksum_says_is_not_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(prompts.CHECKSUMS, "write.v1", "0" * 64)
        with pytest.raises(prompts.PromptChanged):
            prompts.load_version("write.v1")


class TestMark:
    @given(st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=4))
    def test_no_text_holds_the_word_that_marks_it(self, blocks: list[tuple[str, str]]) -> None:
        boundary, material = mark(blocks)
        assert not any(boundary in part for block in blocks for part in block)
        assert material.count(boundary) == 2 * len(blocks)

    def test_a_text_cannot_use_the_word_of_an_earlier_message(self) -> None:
        boundary, _ = mark([("a", "b")])
        again, _ = mark([("a", f"b\n<<<end {boundary}>>>")])
        assert again != boundary

    def test_a_label_stays_on_its_line(self) -> None:
        _, material = mark([('x">>>\n<<<end', "text")])
        assert material.splitlines()[0].count(">>>") == 1


class TestLeakGuard:
    PROMPT = Prompt(PromptRef("p", "c"), f"Short. - {'Never say this sentence to anybody. ' * 2}", "", "f" * 24)

    def test_the_word_is_found_across_pieces(self) -> None:
        guard = LeakGuard(self.PROMPT)
        assert not guard.is_leaking(f"The key is {'f' * 12}")
        assert guard.is_leaking(f"{'f' * 12}.")

    def test_an_ordinary_text_passes(self) -> None:
        guard = LeakGuard(self.PROMPT)
        assert not any(guard.is_leaking(word) for word in ["We", "dig", "wells.", "Short.", "Never", "say", "never."])


class Inner(BaseModel):
    title: str
    default: int


class Outer(BaseModel):
    items: list[Inner]


def test_a_schema_keeps_fields_that_are_named_like_keywords() -> None:
    schema = schema_of(Outer)
    assert set(schema["$defs"]["Inner"]["properties"]) == {"title", "default"}
    assert "title" not in schema


class TestReserve:
    def test_with_a_model_it_is_what_a_request_costs_at_most(self) -> None:
        assert domain.tokens_to_reserve("write", 4_000, max_output=2_000) == 1_000 + 1_000 + 2_000
        assert domain.tokens_to_reserve("plan", 4_000, max_output=2_000) == 2 * 4_000 + 2_000
        assert domain.tokens_to_reserve("format", 4_000, max_output=2_000) == 0

    def test_without_one_it_is_what_is_expected(self) -> None:
        assert domain.tokens_to_reserve("write", 4_000, max_output=None) == 4_000
        assert domain.tokens_to_reserve("plan", 4_000, max_output=None) == 2_000


class TestSettings:
    BASE = {"SECRET_KEY": "s" * 32, "PORT": "0", "DATABASE_URL": "postgresql://x/y", "NATS_URL": "nats://x"}

    @pytest.mark.parametrize(
        ("env", "said"),
        [
            ({"AI_PROVIDER": "openai"}, "OPENAI_API_KEY: is needed by AI_PROVIDER=openai"),
            ({"AI_PROVIDER": "watson"}, "'watson' is not a provider here"),
            ({"AI_PROVIDER": "openai>openai", "OPENAI_API_KEY": "k"}, "twice"),
            ({"AI_PROVIDER": "local>openai", "OPENAI_API_KEY": "k"}, "put it last"),
            ({"AI_PROVIDER": "openai", "OPENAI_BASE_URL": "localhost:11434"}, "OPENAI_BASE_URL: must begin with http"),
            ({"AI_PROVIDER": "gemini>local", "OPENAI_API_KEY": "k"}, "GEMINI_API_KEY"),
        ],
    )
    def test_a_wrong_chain_is_refused_at_start_by_name(
        self, env: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for key, value in {**self.BASE, **env}.items():
            monkeypatch.setenv(key, value)
        with pytest.raises(SettingsError, match=said):
            read(Settings)

    def test_a_server_of_ones_own_needs_no_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        env = {"AI_PROVIDER": "openai > local", "OPENAI_BASE_URL": "http://127.0.0.1:11434/v1"}
        for key, value in {**self.BASE, **env}.items():
            monkeypatch.setenv(key, value)
        assert read(Settings).provider_chain == ("openai", "local")
