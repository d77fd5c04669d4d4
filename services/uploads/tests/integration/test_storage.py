"""The quota is exact, and a kill at any point leaves nothing that is not swept."""

from __future__ import annotations

import asyncio
import hashlib
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from common.clock import FrozenClock
from common.db import Tenant
from common.ids import new_id
from contracts.billing import EntitlementsChanged
from contracts.exports import StorageChanged
from contracts.gateway import OrgDeleted, UserErased
from devstack.pytest_plugin import ServiceDatabase
from uploads import storing
from uploads.bootstrap import open_deps
from uploads.deps import Deps
from uploads.models import Upload

pytestmark = pytest.mark.integration

Files = Callable[[UUID], list[Path]]


def entitlement(org_id: UUID, storage_bytes: int | None, version: int = 1) -> EntitlementsChanged:
    limits = {**EntitlementsChanged.EXAMPLE["limits"], "storage_bytes": storage_bytes}
    changes = {"org_id": org_id, "version": version, "limits": limits}
    return EntitlementsChanged.model_validate({**EntitlementsChanged.EXAMPLE, **changes})


async def until(check: Callable[[], Any], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not await check():  # noqa: ASYNC110  # another process makes it true
            await asyncio.sleep(0.05)


class TestQuota:
    async def test_parallel_uploads_never_pass_it(
        self, caller: Any, deps: Deps, workers: Any, tell: Any, files_of: Files
    ) -> None:
        ada = caller()
        await workers.start()
        await tell(entitlement(ada.org_id, 5_000))

        async def known() -> bool:
            async with deps.db.unit_of_work(Tenant(org_id=ada.org_id)) as uow:
                return bool(await uow.session.scalar(text("SELECT storage_bytes FROM entitlements")) == 5_000)

        await until(known)
        answers = await asyncio.gather(*(ada.upload(f"{n:01000}".encode(), f"{n}.txt") for n in range(12)))
        codes = sorted(answer.status_code for answer in answers)
        assert codes == [201] * 5 + [402] * 7
        refused = next(answer for answer in answers if answer.status_code == 402)
        assert refused.headers["x-quota-reason"] == refused.json()["reason"] == "storage_exhausted"
        assert refused.json()["limits"] == {"storage_bytes": 5_000}
        assert len(files_of(ada.org_id)) == 5
        # The same content again takes no room; a deletion gives some back.
        stored = next(answer for answer in answers if answer.status_code == 201).json()
        content = (await ada.get(f"/api/uploads/{stored['id']}/file")).content
        again = await ada.upload(content, "again.txt")
        assert again.status_code == 201
        for upload_id in (stored["id"], again.json()["id"]):
            await ada.delete(f"/api/uploads/{upload_id}")
        assert (await ada.upload(b"new", "new.txt")).status_code == 201

    async def test_exports_share_the_storage_and_each_change_is_told(
        self, caller: Any, deps: Deps, workers: Any, tell: Any, heard: Any
    ) -> None:
        ada = caller()
        await workers.start()
        await tell(entitlement(ada.org_id, 5_000))
        await tell(StorageChanged(org_id=ada.org_id, version=1, bytes_used=3_500))

        async def known() -> bool:
            async with deps.db.unit_of_work(Tenant(org_id=ada.org_id)) as uow:
                limit = await uow.session.scalar(text("SELECT storage_bytes FROM entitlements"))
                elsewhere = await uow.session.scalar(text("SELECT bytes_elsewhere FROM org_storage"))
                return (limit, elsewhere) == (5_000, 3_500)

        await until(known)
        answers = await asyncio.gather(*(ada.upload(f"{n:01000}".encode(), f"{n}.txt") for n in range(6)))
        assert sorted(answer.status_code for answer in answers) == [201] + [402] * 5
        refused = next(answer for answer in answers if answer.status_code == 402)
        assert refused.json()["usage"]["storage_bytes"] >= 3_500
        stored = next(answer for answer in answers if answer.status_code == 201).json()
        again = await ada.upload((await ada.get(f"/api/uploads/{stored['id']}/file")).content, "again.txt")
        for upload_id in (stored["id"], again.json()["id"]):
            await ada.delete(f"/api/uploads/{upload_id}")
        told = await heard("events.uploads.storage.changed", ada.org_id, count=2)
        assert [(event["version"], event["bytes_used"]) for event in told] == [(1, 1_000), (2, 0)]

    async def test_parallel_uploads_of_the_same_content_are_stored_once(self, caller: Any, files_of: Files) -> None:
        ada = caller()
        answers = await asyncio.gather(*(ada.upload(b"the same", f"{n}.txt") for n in range(6)))
        assert [answer.status_code for answer in answers] == [201] * 6
        assert len(files_of(ada.org_id)) == 1


class TestSweep:
    async def test_what_a_kill_leaves_behind_is_removed_and_what_is_owned_stays(
        self, caller: Any, make_settings: Any, database: ServiceDatabase, files_of: Files, objects: Path
    ) -> None:
        ada = caller()
        owned = (await ada.upload(b"owned", "a.txt")).json()
        clock = FrozenClock(datetime.now(UTC))
        tenant = Tenant(org_id=ada.org_id, user_id=ada.user_id)
        async with open_deps(make_settings(database.worker_url), clock=clock) as deps:
            reservations = []  # held, or their end would tidy up
            for content in (b"orphan", b"owned"):  # as if killed between the write of the bytes and the row
                sha256 = hashlib.sha256(content).hexdigest()
                upload = Upload(id=new_id(), org_id=ada.org_id, sha256=sha256, size=len(content))
                reservations.append(storing.reserve(deps, tenant, upload))
                await reservations[-1].__aenter__()
                await deps.store.put(ada.org_id, sha256, content)
            written = objects / "uploads" / deps.store.key(ada.org_id, sha256)
            written.with_name(f"{sha256}#1").write_bytes(b"partial")
            assert len(files_of(ada.org_id)) == 3
            assert await storing.sweep(deps) == 0
            clock.advance(timedelta(hours=1))
            assert await storing.sweep(deps) == 2
        assert [path.name for path in files_of(ada.org_id)] == [owned["sha256"]]


class TestKill:
    async def test_another_worker_takes_over_what_a_killed_one_was_reading(
        self, make: Callable[[str], bytes], caller: Any, deps: Deps, workers: Any
    ) -> None:
        ada = caller()
        first = await workers.start()
        created = (await ada.upload(make("scan upside down"), "scan.pdf")).json()

        async def running() -> bool:
            async with deps.db.unit_of_work(Tenant(org_id=ada.org_id)) as uow:
                return bool(await uow.session.scalar(text("SELECT status FROM jobs")) == "running")

        await until(running)
        await workers.stop(first, signal.SIGKILL)
        async with deps.db.unit_of_work(Tenant(org_id=ada.org_id)) as uow:  # not to wait for the lease
            await uow.session.execute(text("UPDATE jobs SET lease_until = now() WHERE status = 'running'"))
            await uow.commit()
        await workers.start()
        assert (await ada.until(created["id"], seconds=60))["pages"] == 1


class TestErasure:
    async def test_a_deleted_org_leaves_no_byte_and_no_row(
        self, caller: Any, workers: Any, tell: Any, heard: Any, files_of: Files, database: ServiceDatabase
    ) -> None:
        import psycopg

        ada, bob = caller(), caller()
        for person in (ada, bob):
            await person.upload(b"content", "a.txt")
        await workers.start()
        await tell(OrgDeleted(org_id=ada.org_id, version=1, deleted_at=datetime.now(UTC)))
        await heard("events.uploads.org.erased", ada.org_id)
        await until(lambda: asyncio.to_thread(lambda: files_of(ada.org_id) == []))
        assert len(files_of(bob.org_id)) == 1
        assert (await ada.upload(b"late", "late.txt")).status_code == 404
        with psycopg.connect(database.admin_url) as connection:
            query = "SELECT count(*) FROM uploads.uploads WHERE org_id = %s"
            assert connection.execute(query, (ada.org_id,)).fetchone() == (0,)
            assert connection.execute(query, (bob.org_id,)).fetchone() == (1,)

    async def test_an_erased_person_is_forgotten_in_every_org(
        self, caller: Any, workers: Any, tell: Any, heard: Any, issuer: Any
    ) -> None:
        ada, bob = caller(), caller()
        other = caller(bob.org_id)
        headers = issuer.headers(user_id=ada.user_id, org_id=bob.org_id)
        await ada.upload(b"mine", "a.txt")
        ada_at_bob = type(ada)(ada.http, bob.org_id, ada.user_id, headers)
        await ada_at_bob.upload(b"at bob's", "b.txt")
        await other.upload(b"not hers", "c.txt")
        await workers.start()
        await tell(UserErased(org_id=ada.org_id, version=1, user_id=ada.user_id))

        async def forgotten() -> bool:
            items = (await other.get("/api/uploads")).json()["items"]
            return [item["uploaded_by"] for item in items] == [str(other.user_id), None]

        await until(forgotten)
        assert [item["uploaded_by"] for item in (await ada.get("/api/uploads")).json()["items"]] == [None]


class TestRowLevelSecurity:
    async def test_without_a_tenant_no_row_is_seen(self, caller: Any, deps: Deps) -> None:
        ada = caller()
        await ada.upload(b"content", "a.txt")
        for table in ("uploads", "upload_pages", "org_storage", "storage_claims", "entitlements", "jobs", "outbox"):
            async with deps.db.unit_of_work(Tenant.none()) as uow:
                assert await uow.session.scalar(text(f"SELECT count(*) FROM {table}")) == 0
