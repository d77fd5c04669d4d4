"""Settings, entity tags, passages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai.knowledge.domain import MAX_PASSAGE_CHARACTERS, cleaned, passages_of, query_words
from ai.sections.domain import etag, expected_revision, status_of
from ai.settings import Settings
from common.errors import InvalidRequest, PreconditionRequired
from common.settings import SettingsError, read

NEEDED = {"SECRET_KEY": "s" * 32, "PORT": "0", "DATABASE_URL": "postgresql://x", "NATS_URL": "nats://x"}


class TestSettings:
    def read(self, **environment: str) -> Settings:
        with pytest.MonkeyPatch.context() as patch:
            for key, value in (NEEDED | environment).items():
                patch.setenv(key, value)
            return read(Settings)

    @pytest.mark.parametrize("provider", ["llama", "local>gtp", ""])
    def test_an_unknown_provider_stops_the_start(self, provider: str) -> None:
        if not provider:
            assert self.read(AI_PROVIDER="").ai_provider == "local"
            return
        with pytest.raises(SettingsError, match="AI_PROVIDER"):
            self.read(AI_PROVIDER=provider)

    def test_the_gate_is_not_opened_in_production(self) -> None:
        with pytest.raises(SettingsError, match="AI_TEST_OPEN"):
            self.read(AI_TEST_OPEN="1")
        assert self.read(AI_TEST_OPEN="1", DEBUG="1").is_plan_gate_open
        assert not self.read().is_plan_gate_open

    def test_caps_are_by_tier_and_empty_is_none(self) -> None:
        found = self.read(AI_DAILY_REQUEST_CAP_PRO="9", AI_MONTHLY_TOKENS_CAP_PRO="")
        assert (found.daily_request_cap("pro"), found.daily_request_cap("free")) == (9, None)
        assert found.monthly_tokens_cap("pro") is None


class TestEntityTags:
    @pytest.mark.parametrize("tag", ['"3"', "3", 'W/"3"', ' "3" '])
    def test_the_revision_is_read_back(self, tag: str) -> None:
        assert expected_revision(tag) == 3
        assert etag(3) == '"3"'

    def test_none_is_required_and_another_is_invalid(self) -> None:
        with pytest.raises(PreconditionRequired):
            expected_revision(None)
        for tag in ("*", '"x"', '"-1"', '"1", "2"'):
            with pytest.raises(InvalidRequest):
                expected_revision(tag)

    def test_states(self) -> None:
        assert status_of(text=" \n", approved_revision=None) == "empty"
        assert status_of(text="x", approved_revision=None) == "draft"
        assert status_of(text="x", approved_revision=2) == "approved"


class TestPassages:
    @given(st.text(max_size=6_000))
    def test_no_word_is_lost_and_none_is_too_long(self, text: str) -> None:
        passages = list(passages_of(text))
        assert "".join("".join(passages).split()) == "".join(text.split())
        assert all(0 < len(passage) <= MAX_PASSAGE_CHARACTERS for passage in passages)

    @given(st.text())
    def test_what_is_stored_can_be_stored(self, text: str) -> None:
        cleaned(text).encode()
        assert "\x00" not in cleaned(text)

    def test_words_that_say_nothing_are_not_looked_for(self) -> None:
        assert query_words(["Describe the community's outages", "outages and Größe"]) == [
            "community",
            "outages",
            "größe",
        ]
