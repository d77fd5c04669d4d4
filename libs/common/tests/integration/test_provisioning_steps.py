"""The one-shot steps that compose and Kubernetes run: on real servers, again and again, with what the secrets hold."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nats
import psycopg
import pytest

from common import provision
from common.bus import EVENTS_STREAM, JOBS_STREAM
from contracts import SERVICES

pytestmark = pytest.mark.integration

STEP = [sys.executable, "-m", "common.provisioning"]


def run(argv: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """A step as a process, which sees nothing but this environment."""
    env = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run([*STEP, *argv], env=env, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def secrets(tmp_path: Path, servers: Any, nats_url: Any) -> Path:
    """The job's folder of secrets."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "PROVISION_POSTGRES_URL").write_text(f"{servers.postgres.url()}?sslmode=disable\n")
    (folder / "PROVISION_PASSWORDS").write_text(json.dumps(servers.passwords))
    (folder / "PROVISION_NATS_URL").write_text(nats_url("admin"))
    return folder


class TestDatabase:
    def test_makes_the_database_and_may_be_run_again(self, secrets: Path, servers: Any) -> None:
        given = {"SECRETS_DIR": str(secrets), "PROVISION_DATABASE": "from_a_job"}
        for _ in range(2):
            done = run(["database"], given)
            assert (done.returncode, done.stderr) == (0, "")
        for service in SERVICES:
            login = f"{service}_app"
            with psycopg.connect(servers.postgres.url(login, servers.passwords[login], "from_a_job")) as connection:
                assert connection.execute("SELECT current_schema()").fetchone() == (service,)

    def test_several_at_once_do_no_harm(self, secrets: Path) -> None:
        env = {"PATH": os.environ["PATH"], "SECRETS_DIR": str(secrets), "PROVISION_DATABASE": "from_four_jobs"}
        started = [subprocess.Popen([*STEP, "database"], env=env, stderr=subprocess.PIPE) for _ in range(4)]
        assert [(one.wait(60), one.communicate()[1]) for one in started] == [(0, b"")] * 4

    def test_a_server_that_is_away_is_one_line(self, secrets: Path) -> None:
        (secrets / "PROVISION_POSTGRES_URL").write_text("postgresql://postgres:x@127.0.0.1:1/postgres")
        done = run(["database"], {"SECRETS_DIR": str(secrets)})
        assert done.returncode == 1
        assert done.stderr.startswith("provisioning: database: ")
        assert done.stderr.count("\n") == 1


class TestNats:
    def test_writes_the_users_for_its_own_eyes(self, secrets: Path, tmp_path: Path, servers: Any) -> None:
        output = tmp_path / "users.conf"
        assert run(["nats-users", str(output)], {"SECRETS_DIR": str(secrets)}).returncode == 0
        assert output.read_text() == provision.nats_config(servers.passwords)
        assert stat.S_IMODE(output.stat().st_mode) == 0o600

    async def test_makes_the_streams_and_may_be_run_again(self, secrets: Path, nats_url: Any) -> None:
        for _ in range(2):
            done = run(["streams"], {"SECRETS_DIR": str(secrets)})
            assert (done.returncode, done.stderr) == (0, "")
        client = await nats.connect(nats_url("admin"))
        js = client.jetstream()
        for service in SERVICES:
            assert await js.consumer_info(EVENTS_STREAM, service)
            assert await js.consumer_info(JOBS_STREAM, f"{service}-jobs")
        await client.close()


class TestRefusals:
    @pytest.mark.parametrize(
        ("argv", "changed", "said"),
        [
            (["database"], {"PROVISION_POSTGRES_URL": None}, "PROVISION_POSTGRES_URL: is not set"),
            (["database"], {"PROVISION_PASSWORDS": "{"}, "PROVISION_PASSWORDS: is not JSON"),
            (["database"], {"PROVISION_PASSWORDS": "[]"}, "PROVISION_PASSWORDS: is not an object"),
            (["database"], {"PROVISION_PASSWORDS": "{}"}, "has none for gateway_owner"),
            (["nats-users", "/nowhere/x"], {"PROVISION_PASSWORDS": '{"admin": "a\\""}'}, "has none for gateway"),
            (["streams"], {"PROVISION_NATS_REPLICAS": "2"}, "PROVISION_NATS_REPLICAS: '2' is none of 1, 3, 5"),
            (["streams"], {"PROVISION_NATS_URL_FILE": "/nowhere/at-all"}, "PROVISION_NATS_URL_FILE: cannot read"),
            (["stream"], {}, "usage:"),
            ([], {}, "usage:"),
        ],
    )
    def test_a_wrong_word_or_setting_is_named(
        self, secrets: Path, argv: list[str], changed: dict[str, str | None], said: str
    ) -> None:
        given = {"SECRETS_DIR": str(secrets)}
        for key, value in changed.items():
            if value is None:
                (secrets / key).unlink()
            else:
                given[key] = value
        done = run(argv, given)
        assert done.returncode == 2
        assert said in done.stderr
        assert done.stderr.count("\n") == 1

    def test_a_password_that_would_end_its_quotes_is_refused(self, secrets: Path, servers: Any, tmp_path: Path) -> None:
        (secrets / "PROVISION_PASSWORDS").write_text(json.dumps({**servers.passwords, "ai": 'x" }'}))
        done = run(["nats-users", str(tmp_path / "users")], {"SECRETS_DIR": str(secrets)})
        assert (done.returncode, "ai: only letters" in done.stderr) == (2, True)
        assert not (tmp_path / "users").exists()
