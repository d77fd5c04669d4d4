"""From other services' facts to a file: what is waited for, what is shared, what is refused."""

from __future__ import annotations

import asyncio
import hashlib
import re
from pathlib import Path

import pytest

from contracts.uploads import StorageChanged
from devstack.pytest_plugin import ServiceDatabase

from .story import MakeOrg, Org, eventually, query, stored_files

pytestmark = pytest.mark.integration


class TestCreateExport:
    async def test_renders_the_approved_sections_and_says_how_many_were_left_out(self, org: Org) -> None:
        proposal = await org.proposal().written("First *text*.", "Second text.", unapproved=2)

        answer = await org.export(proposal)

        assert answer.status_code == 201, answer.text
        export = answer.json()
        assert export["status"] == "done"
        assert (export["sections_included"], export["sections_total"]) == (2, 4)
        assert answer.headers["location"] == f"/api/exports/{export['id']}"
        file = await org.get(export["url"])
        text, _, versions = file.text.rpartition("\n\n")
        assert text == (
            "# Clean water for all\n\n*Northwind Water Trust*\n\n## Section 1\n\nFirst *text*.\n\n"
            "## Section 2\n\nSecond text."
        )
        assert re.fullmatch(r"<!-- template \d+, content [0-9a-f]{64} -->\n", versions)
        assert hashlib.sha256(file.content).hexdigest() == export["sha256"]
        assert len(file.content) == export["size"]

    @pytest.mark.parametrize(("file_format", "magic"), [("pdf", b"%PDF-1.7"), ("docx", b"PK\x03\x04")])
    async def test_renders_every_format_to_the_same_bytes_for_two_proposals_of_the_same_content(
        self, org: Org, file_format: str, magic: bytes
    ) -> None:
        first = await org.proposal().written("Same text.")
        second = await org.proposal().written("Same text.")

        answers = [(await org.export(one, file_format)).json() for one in (first, second)]

        assert answers[0]["sha256"] == answers[1]["sha256"]
        assert answers[0]["id"] != answers[1]["id"]
        assert (await org.get(answers[0]["url"])).content.startswith(magic)

    async def test_applies_facts_that_arrive_in_any_order(self, org: Org) -> None:
        proposal = org.proposal()
        section = proposal.add("Need")
        created = proposal.outline()
        proposal.sections[0] = proposal.sections[0].model_copy(update={"approved_revision": 1})
        approved_one = proposal.outline()
        proposal.sections[0] = proposal.sections[0].model_copy(update={"approved_revision": 2})
        approved_two = proposal.outline()
        texts = [proposal.approval(section, f"Text {n}.", revision=n) for n in (1, 2)]
        for event in (texts[1], approved_two, created, texts[0], approved_one):
            await org.publish(event)

        answer = await org.export(proposal)

        assert answer.status_code == 201, answer.text
        assert "Text 2." in (await org.get(answer.json()["url"])).text
        assert answer.json()["proposal_revision"] == 3

    async def test_waits_for_a_text_that_is_still_on_its_way(self, org: Org) -> None:
        proposal = org.proposal()
        section = proposal.add("Need", approved_revision=1)
        await org.publish(proposal.outline())
        waiting = asyncio.create_task(org.export(proposal))
        await asyncio.sleep(0.3)
        assert not waiting.done()

        await org.publish(proposal.approval(section, "Here at last."))

        assert (await waiting).status_code == 201

    async def test_answers_not_yet_consistent_when_the_copy_stays_behind(self, org: Org) -> None:
        proposal = await org.proposal().written("Text.")

        answer = await org.export(proposal, proposal_revision=proposal.revision + 1)

        assert answer.status_code == 409
        assert answer.json()["error"] == "not_yet_consistent"
        assert answer.headers["retry-after"] == "1"

    async def test_refuses_a_proposal_with_nothing_approved(self, org: Org) -> None:
        proposal = await org.proposal().written(unapproved=3)

        answer = await org.export(proposal)

        assert answer.status_code == 409
        assert (answer.json()["error"], answer.json()["reason"]) == ("conflict", "nothing_approved")

    async def test_gives_the_same_export_for_the_same_revision_and_shares_the_file_with_the_next(
        self, org: Org, objects: Path
    ) -> None:
        proposal = await org.proposal().written("Text.")
        first = (await org.export(proposal)).json()
        again = (await org.export(proposal)).json()
        await org.publish(proposal.outline())  # a revision that shows the same text

        later = (await org.export(proposal)).json()

        assert again == first
        assert later["id"] != first["id"]
        assert (later["sha256"], later["proposal_revision"]) == (first["sha256"], 2)
        assert stored_files(objects, org.org_id) == [first["sha256"]]

    async def test_twenty_at_once_make_one_file(self, org: Org, objects: Path, database: ServiceDatabase) -> None:
        proposal = await org.proposal().written("Raced text.")

        answers = await asyncio.gather(*(org.export(proposal, "pdf") for _ in range(20)))

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["sha256"] for answer in answers}) == 1
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert len(stored_files(objects, org.org_id)) == 1
        assert query(database, "SELECT count(*) FROM jobs WHERE org_id = %s AND kind = 'render'", org.org_id) == [(1,)]

    async def test_shows_the_new_name_of_a_renamed_org(self, org: Org) -> None:
        proposal = await org.proposal().written("Text.")
        await org.renamed("Southwind")
        await eventually(lambda: _shows(org, proposal, "*Southwind*"), "the new name on the cover")

    async def test_answers_202_and_finishes_in_the_worker_when_asked_to(self, org: Org) -> None:
        proposal = await org.proposal().written("Later.")

        answer = await org.export(proposal, "docx", headers={"Prefer": "respond-async"})

        assert answer.status_code == 202
        assert answer.json()["status"] == "queued"
        assert answer.json()["job_id"]
        assert answer.headers["preference-applied"] == "respond-async"
        assert (await org.get(f"{answer.headers['location']}/file")).status_code == 409
        await eventually(lambda: _is_done(org, answer.headers["location"]), "the export is done")

    async def test_refuses_a_file_that_does_not_fit_into_the_storage(self, org: Org, objects: Path) -> None:
        await org.entitled(50)
        proposal = await org.proposal().written("This text is longer than fifty bytes, so it does not fit.")
        await eventually(lambda: _refused(org, proposal), "the new cap")

        answer = await org.export(proposal)

        assert answer.status_code == 402
        assert answer.headers["x-quota-reason"] == "storage_exhausted"
        assert answer.json()["limits"] == {"storage_bytes": 50}
        assert stored_files(objects, org.org_id) == []

    async def test_uploads_share_the_storage(self, org: Org, objects: Path) -> None:
        await org.entitled(5_000)
        await org.publish(StorageChanged(org_id=org.org_id, version=1, bytes_used=4_990))
        proposal = await org.proposal().written("Longer than the ten bytes that the uploads have left.")
        await eventually(lambda: _refused(org, proposal), "what the uploads take up")

        answer = await org.export(proposal)

        assert (answer.status_code, answer.json()["reason"]) == (402, "storage_exhausted")
        assert answer.json()["usage"] == {"storage_bytes": 4_990}
        await org.publish(StorageChanged(org_id=org.org_id, version=2, bytes_used=0))
        await eventually(lambda: _accepted(org, proposal), "the uploads are gone")

    async def test_a_viewer_and_a_reading_key_may_not_export(self, org: Org) -> None:
        proposal = await org.proposal().written("Text.")

        viewer = await org.export(proposal, headers=org.headers(role="viewer"))
        key = await org.export(proposal, headers=org.headers(scopes=frozenset({"exports:read"})))

        assert (viewer.status_code, viewer.json()["error"]) == (403, "role_forbidden")
        assert (key.status_code, key.json()["error"]) == (403, "scope_forbidden")

    async def test_another_orgs_proposal_is_not_found(self, org: Org, new_org: MakeOrg) -> None:
        proposal = await org.proposal().written("Secret.")
        export = (await org.export(proposal)).json()
        stranger = await new_org().created()

        asked = await stranger.export(proposal, proposal_revision=None)
        seen = [await stranger.get(f"/api/exports/{export['id']}{part}") for part in ("", "/file")]
        deleted = await stranger.client.delete(f"/api/exports/{export['id']}", headers=stranger.headers())
        verified = await stranger.client.post(
            "/api/exports/verify", json={"sha256": export["sha256"]}, headers=stranger.headers()
        )

        assert [answer.status_code for answer in (asked, *seen, deleted)] == [404] * 4
        assert verified.json() == {"match": False, "sha256": export["sha256"], "export": None, "altered_from": None}

    async def test_a_caller_without_a_signed_identity_is_refused(self, org: Org) -> None:
        assert (await org.client.get("/api/exports")).status_code == 401


async def _shows(org: Org, proposal: object, text: str) -> bool:
    answer = await org.export(proposal)  # type: ignore[arg-type]
    return text in (await org.get(answer.json()["url"])).text


async def _is_done(org: Org, location: str) -> bool:
    return bool((await org.get(location)).json()["status"] == "done")


async def _accepted(org: Org, proposal: object) -> bool:
    return (await org.export(proposal)).status_code == 201  # type: ignore[arg-type]


async def _refused(org: Org, proposal: object) -> bool:
    return (await org.export(proposal)).status_code == 402  # type: ignore[arg-type]
