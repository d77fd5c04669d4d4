"""An object store that is away, full or read-only, and what an interrupted export leaves in it."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import sys
from collections.abc import AsyncIterator
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import psycopg
import pytest

from common.health import Health
from common.storage import ObjectStore
from common.testing import IdentityIssuer
from devstack.pytest_plugin import ServiceDatabase
from exports.app import create_app
from exports.bootstrap import open_deps
from exports.deps import Deps
from exports.sweeping import sweep

from .conftest import read_settings
from .story import Org, Proposal, eventually, query, stored_files

pytestmark = pytest.mark.integration


@pytest.fixture
async def proposal(org: Org) -> Proposal:
    return await org.proposal().written("Text.")


@pytest.fixture
async def worker_deps(environment: dict[str, str], database: ServiceDatabase) -> AsyncIterator[Deps]:
    """As the worker has them: its role may see every org's rows, one org at a time."""
    async with open_deps(read_settings(environment | {"DATABASE_URL": database.worker_url})) as deps:
        yield deps


class TestAStoreThatCannotTakeAFile:
    @pytest.fixture(params=["read-only", "full", "away"])
    async def broken(
        self, request: pytest.FixtureRequest, org: Org, deps: Deps, issuer: IdentityIssuer, tmp_path: Path
    ) -> AsyncIterator[Org]:
        """The org, whose service has a store in which nothing can be written."""
        folder = tmp_path / "objects"
        if request.param == "read-only":
            folder.mkdir()
            (folder / str(org.org_id)).write_text("a file, where the store needs a folder")
        elif request.param == "full":
            folder.mkdir()
            (folder / str(org.org_id)).symlink_to("/dev/full")
        else:
            folder.write_text("not even a folder")
        store = ObjectStore(f"file://{folder}")
        app = create_app(
            deps.settings,
            nullcontext(dataclasses.replace(deps, store=store)),
            health=Health(),
            verifier=issuer.verifier,
        )
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://exports", timeout=60) as client,
        ):
            yield dataclasses.replace(org, client=client)

    async def test_is_a_503_with_nothing_half_stored_and_the_next_try_succeeds(
        self, broken: Org, org: Org, proposal: Proposal, database: ServiceDatabase, objects: Path
    ) -> None:
        refused = await broken.export(proposal, "md")

        assert (refused.status_code, refused.json()["error"]) == (503, "unavailable"), refused.text
        assert refused.headers["retry-after"]
        assert query(database, "SELECT count(*) FROM artifacts WHERE org_id = %s", org.org_id) == [(0,)]
        assert query(database, "SELECT status FROM exports WHERE org_id = %s", org.org_id) == [("failed",)]
        again = await org.export(proposal, "md")
        assert again.status_code == 201
        assert stored_files(objects, org.org_id) == [again.json()["sha256"]]


class TestSweep:
    async def test_a_process_killed_between_store_and_commit_leaves_a_file_that_is_swept(
        self,
        org: Org,
        proposal: Proposal,
        worker_deps: Deps,
        environment: dict[str, str],
        database: ServiceDatabase,
        objects: Path,
    ) -> None:
        await org.export(proposal, "md")  # stays
        before = stored_files(objects, org.org_id)
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("dying_process.py")),
            *map(str, (org.org_id, org.user_id, proposal.id)),
            env={**os.environ, **environment},
        )
        async with asyncio.timeout(40):
            assert await child.wait() == -9
        assert len(stored_files(objects, org.org_id)) == len(before) + 1
        with psycopg.connect(database.admin_url, autocommit=True) as connection:  # it was the last attempt
            connection.execute(
                "UPDATE exports.jobs SET attempt = max_attempts, lease_until = now() WHERE org_id = %s "
                "AND status = 'running'",
                (org.org_id,),
            )
        await eventually(lambda: _states(database, org) == {"done", "failed"}, "the worker has given it up", 30)

        await sweep(worker_deps)

        assert stored_files(objects, org.org_id) == before
        assert (await org.export(proposal, "docx")).status_code == 201

    async def test_takes_away_what_is_past_its_time(
        self, org: Org, proposal: Proposal, worker_deps: Deps, database: ServiceDatabase, objects: Path
    ) -> None:
        old, young = [(await org.export(proposal, one)).json() for one in ("md", "docx")]
        with psycopg.connect(database.admin_url, autocommit=True) as connection:
            connection.execute(
                "UPDATE exports.exports SET finished_at = %s WHERE id = %s",
                (worker_deps.clock.now() - timedelta(days=31), old["id"]),
            )
        settings = worker_deps.settings.model_copy(update={"export_retention_days": 30})

        await sweep(dataclasses.replace(worker_deps, settings=settings))

        assert (await org.get(f"/api/exports/{old['id']}")).status_code == 404
        assert (await org.get(young["url"])).status_code == 200
        await eventually(lambda: stored_files(objects, org.org_id) == [young["sha256"]], "its file is gone")


class TestCancelAndRetry:
    async def test_a_waiting_export_is_cancelled_and_asked_for_again(
        self, org: Org, proposal: Proposal, database: ServiceDatabase
    ) -> None:
        export_id = await _waiting(org, proposal, database)
        address = f"/api/exports/{export_id}"

        cancelled = await org.client.post(f"{address}/cancel", headers=org.headers())
        twice = await org.client.post(f"{address}/cancel", headers=org.headers())
        retried = await org.client.post(f"{address}/retry", headers=org.headers())

        assert cancelled.json()["error"]["code"] == "cancelled"
        assert (twice.status_code, twice.json()["error"]) == (409, "conflict")
        assert (retried.status_code, retried.json()["status"]) == (201, "done"), retried.text
        assert retried.json()["page_limit"] == 3
        again = await org.client.post(f"/api/exports/{retried.json()['id']}/retry", headers=org.headers())
        assert again.status_code == 409


async def _waiting(org: Org, proposal: Proposal, database: ServiceDatabase) -> UUID:
    """An export that no worker has begun: its job's time has not come."""
    content = await org.export(proposal, "pdf", layout={"page_limit": 3})
    export_id = UUID(content.json()["id"])
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        connection.execute("SET search_path = exports")
        connection.execute(
            "UPDATE jobs SET status = 'queued', attempt = 0, finished_at = NULL, run_after = now() + interval '1 hour' "
            "WHERE id = (SELECT job_id FROM exports WHERE id = %s)",
            (export_id,),
        )
        connection.execute(
            "UPDATE exports SET status = 'queued', sha256 = NULL, size = NULL, finished_at = NULL WHERE id = %s",
            (export_id,),
        )
    return export_id


def _states(database: ServiceDatabase, org: Org) -> set[str]:
    return {status for (status,) in query(database, "SELECT status FROM exports WHERE org_id = %s", org.org_id)}
