"""The operator's command: its arguments, and what a subject may be short for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from common.operate.__main__ import main, parser
from common.operate.addresses import database_urls
from common.operate.tail import filter_subject
from contracts import SERVICES


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nothing is named."""
    for key in ("DATABASE_URL", "PROVISION_NATS_URL", "SECRETS_DIR"):
        monkeypatch.delenv(key, raising=False)
    for service in SERVICES:
        monkeypatch.delenv(f"{service.upper()}_WORKER_DATABASE_URL", raising=False)
    return monkeypatch


class TestArguments:
    @pytest.mark.parametrize(
        "words",
        [
            ["jobs", "list", "--state", "failed", "--service", "ai", "--json"],
            ["jobs", "retry", "--failed", "--dry-run"],
            ["events", "tail"],
            ["events", "dead", "replay", "17", "--dry-run"],
            ["events", "rebuild", "gateway", "billing"],
        ],
    )
    def test_what_the_contract_promises_is_taken(self, words: list[str]) -> None:
        assert parser().parse_args(words).command == words[0]

    @pytest.mark.parametrize(
        "words",
        [
            ["jobs", "list", "--state", "lost"],
            ["jobs", "list", "--limit", "0"],
            ["jobs", "retry"],
            ["jobs", "retry", "x", "--failed"],
            ["events", "dead", "replay"],
            ["events", "dead", "replay", "17", "--all"],
            ["events", "rebuild"],
            ["events", "rebuild", "nobody"],
            ["events", "tail", "--since", "soon"],
        ],
    )
    def test_anything_else_is_refused(self, words: list[str]) -> None:
        with pytest.raises(SystemExit) as refusal:
            parser().parse_args(words)
        assert refusal.value.code == 2

    def test_an_age_is_a_duration(self) -> None:
        assert parser().parse_args(["events", "tail", "--since", "90s"]).since == timedelta(seconds=90)


class TestAddresses:
    @pytest.mark.parametrize(
        ("words", "key"),
        [
            (["jobs", "list"], "_WORKER_DATABASE_URL"),
            (["jobs", "list", "--service", "ai"], "AI_WORKER_DATABASE_URL"),
            (["events", "dead", "list"], "PROVISION_NATS_URL"),
            (["events", "rebuild", "gateway"], "_WORKER_DATABASE_URL"),
        ],
    )
    def test_what_is_missing_is_named_in_one_line(
        self, words: list[str], key: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(words) == 2
        said = capsys.readouterr().err
        assert key in said
        assert said.count("\n") == 1

    def test_a_worker_container_has_its_own_services_rows(
        self, environment: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "DATABASE_URL").write_text("postgresql://ai_worker:x@db/bidwright")
        environment.setenv("SECRETS_DIR", str(tmp_path))
        assert database_urls() == {"ai": "postgresql://ai_worker:x@db/bidwright"}

    @pytest.mark.parametrize("role", ["ai_app", "ai_owner", "postgres", "backup"])
    def test_no_other_role_is_taken_for_a_worker(self, environment: pytest.MonkeyPatch, role: str) -> None:
        environment.setenv("DATABASE_URL", f"postgresql://{role}:x@db/bidwright")
        assert database_urls() == {}

    def test_a_server_that_is_away_is_said_in_one_line(
        self, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        environment.setenv("AI_WORKER_DATABASE_URL", "postgresql://ai_worker:x@127.0.0.1:1/bidwright")
        assert main(["jobs", "list"]) == 1
        assert capsys.readouterr().err.count("\n") == 1


class TestFilterSubject:
    @pytest.mark.parametrize(
        ("given", "subject"),
        [
            (None, "events.>"),
            ("events", "events.>"),
            (">", "events.>"),
            ("billing", "events.billing.>"),
            ("events.billing", "events.billing.>"),
            ("ai.proposal", "events.ai.proposal.>"),
            ("ai.proposal.created", "events.ai.proposal.created"),
            ("events.*.user.erased", "events.*.user.erased"),
            ("*.user.erased", "events.*.user.erased"),
        ],
    )
    def test_may_be_short(self, given: str | None, subject: str) -> None:
        assert filter_subject(given) == subject
