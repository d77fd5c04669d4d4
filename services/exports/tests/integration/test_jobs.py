"""What happens when the work behind an export is interrupted or refused."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import nullcontext
from uuid import UUID

import httpx
import psutil
import psycopg
import pytest
from fastapi import FastAPI

from common.db import Tenant
from common.health import Health
from common.testing import IdentityIssuer
from devstack.pytest_plugin import ServiceDatabase
from exports.app import create_app
from exports.deps import Deps
from exports.rendering.process import Limits, Renderer

from .story import Org, Proposal

pytestmark = pytest.mark.integration


@pytest.fixture
async def slow(org: Org) -> Proposal:
    """A proposal that takes a while to render."""
    return await org.proposal().written(*["\n\n".join(f"Word **{n}** and `code`." for n in range(4000))] * 3)


async def kill_the_next_render() -> None:
    while True:
        for child in psutil.Process().children():
            if "exports.rendering" in child.cmdline():
                child.kill()
                return
        await asyncio.sleep(0.01)


async def test_a_killed_rendering_process_is_tried_again(org: Org, slow: Proposal) -> None:
    asked = asyncio.create_task(org.export(slow, "pdf"))
    async with asyncio.timeout(20):
        await kill_the_next_render()

    answer = await asked

    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "done"


async def test_content_that_cannot_be_set_is_refused_with_the_reason(org: Org) -> None:
    proposal = await org.proposal().written("> " * 3000 + "deep")

    answer = await org.export(proposal, "docx")

    assert answer.status_code == 409
    assert (answer.json()["error"], answer.json()["reason"]) == ("conflict", "render_refused")
    assert "nests" in answer.json()["detail"]
    listed = (await org.get("/api/exports")).json()["items"][0]
    assert (listed["status"], listed["error"]["code"], listed["url"]) == ("failed", "render_refused", None)


class TestARendererThatNeverFinishes:
    @pytest.fixture
    async def app(self, deps: Deps, issuer: IdentityIssuer) -> AsyncIterator[FastAPI]:
        hopeless = Renderer(Limits(timeout_seconds=0.01), concurrency=1)
        settings = deps.settings.model_copy(update={"export_sync_seconds": 0.1})
        hopeless_deps = dataclasses.replace(deps, renderer=hopeless, settings=settings)
        app = create_app(settings, nullcontext(hopeless_deps), health=Health(), verifier=issuer.verifier)
        async with app.router.lifespan_context(app):
            yield app

    @pytest.fixture
    async def hopeless(self, app: FastAPI, org: Org) -> AsyncIterator[Org]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://exports") as client:
            yield dataclasses.replace(org, client=client)

    async def test_answers_with_the_job_and_ends_with_a_reason_after_the_last_attempt(
        self, hopeless: Org, app: FastAPI, database: ServiceDatabase
    ) -> None:
        proposal = await hopeless.proposal().written("Text.")

        answer = await hopeless.export(proposal, "pdf")

        assert answer.status_code == 202
        job_id = UUID(answer.json()["job_id"])
        with psycopg.connect(database.admin_url, autocommit=True) as connection:
            connection.execute("UPDATE exports.jobs SET attempt = 2, run_after = now() WHERE id = %s", (job_id,))
        await app.state.runner.run(job_id, tenant=Tenant(org_id=hopeless.org_id))
        export = (await hopeless.get(answer.headers["location"])).json()
        assert export["status"] == "failed"
        assert export["error"]["code"] == "render_interrupted"
        assert "It was tried 3 times." in export["error"]["detail"]
        assert (await hopeless.get(f"{answer.headers['location']}/file")).status_code == 409
