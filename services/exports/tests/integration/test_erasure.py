"""What goes when a proposal, an org or a person goes, and what the others are told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import nats
import pytest

from devstack.pytest_plugin import ServiceDatabase, UrlFactory

from .story import MakeOrg, Org, eventually, query, stored_files

pytestmark = pytest.mark.integration

Told = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
async def told(nats_url: UrlFactory) -> AsyncIterator[Told]:
    """Every fact that the service publishes, as subject and body."""
    client = await nats.connect(nats_url("admin"))
    facts: Told = []

    async def note(message: Any) -> None:
        facts.append((message.subject, json.loads(message.data)))

    await client.subscribe("events.exports.>", cb=note)
    yield facts
    await client.close()


def facts_of(told: Told, org: Org) -> list[tuple[str, int, int | None]]:
    """Subject, version and storage of what was told about the org, in order."""
    return [
        (subject.removeprefix("events.exports."), body["version"], body.get("storage_bytes_used"))
        for subject, body in told
        if body["org_id"] == str(org.org_id)
    ]


async def test_a_deleted_proposal_takes_its_text_and_files_along(
    org: Org, told: Told, objects: Path, database: ServiceDatabase
) -> None:
    proposal = await org.proposal().written("To be deleted.")
    kept = await org.proposal("Another").written("To be kept.")
    gone = [(await org.export(proposal, one)).json() for one in ("md", "docx")]
    stays = (await org.export(kept)).json()

    await org.publish(proposal.deletion())
    await org.publish(proposal.approval(proposal.sections[0].section_id, "Too late.", revision=2))

    await eventually(lambda: stored_files(objects, org.org_id) == [stays["sha256"]], "only the other's file is left")
    assert (await org.get(f"/api/exports/{gone[0]['id']}")).status_code == 404
    assert (await org.export(proposal, proposal_revision=None)).status_code == 404
    assert query(database, "SELECT text FROM section_texts WHERE proposal_id = %s", proposal.id) == []
    sizes = [one["size"] for one in (*gone, stays)]
    await eventually(lambda: len(facts_of(told, org)) == 9, "every change is told")
    assert [one for one in facts_of(told, org) if one[0] != "storage.changed"] == [
        ("export.finished", 1, sizes[0]),
        ("export.finished", 1, sizes[0] + sizes[1]),
        ("export.finished", 1, sum(sizes)),
        ("export.deleted", 2, sizes[1] + sizes[2]),
        ("export.deleted", 2, sizes[2]),
    ]
    storage = [body["bytes_used"] for subject, body in told if subject == "events.exports.storage.changed"]
    assert storage == [sizes[0], sizes[0] + sizes[1], sum(sizes), sizes[2]]


async def test_a_deleted_org_leaves_nothing_and_a_receipt(
    new_org: MakeOrg, told: Told, objects: Path, database: ServiceDatabase
) -> None:
    org = await new_org().created()
    proposal = await org.proposal().written("Text of a deleted org.")
    await org.export(proposal)

    await org.deleted()
    await org.publish(proposal.outline())  # arrives late

    await eventually(lambda: ("org.erased", 1, None) in facts_of(told, org), "the receipt")
    assert stored_files(objects, org.org_id) == []
    for table in ("exports", "artifacts", "section_texts", "proposals", "entitlements", "org_storage"):
        assert query(database, f"SELECT 1 FROM {table} WHERE org_id = %s", org.org_id) == [], table
    assert query(database, "SELECT name FROM orgs WHERE org_id = %s", org.org_id) == [("",)]


async def test_an_erased_person_is_taken_out_of_every_orgs_exports(
    new_org: MakeOrg, told: Told, database: ServiceDatabase
) -> None:
    home, other = await new_org().created(), await new_org().created()
    other.user_id = home.user_id
    export = (await other.export(await other.proposal().written("Text."))).json()
    assert export["requested_by"] == str(home.user_id)

    await home.person_erased()

    await eventually(lambda: ("user.erased", 1, None) in facts_of(told, home), "the receipt")
    assert (await other.get(f"/api/exports/{export['id']}")).json()["requested_by"] is None
    for table, column in (("exports", "requested_by"), ("jobs", "user_id")):
        assert query(database, f"SELECT 1 FROM {table} WHERE {column} = %s", home.user_id) == []


async def test_the_copy_forgets_texts_that_no_export_needs(org: Org, database: ServiceDatabase) -> None:
    proposal = org.proposal()
    stays, goes = proposal.add("Stays", approved_revision=1), proposal.add("Goes", approved_revision=1)
    for section_id in (stays, goes):
        await org.publish(proposal.approval(section_id, "Old."))
    await org.publish(proposal.outline())
    await org.publish(proposal.approval(stays, "New.", revision=2))
    proposal.sections = [proposal.sections[0].model_copy(update={"approved_revision": 2})]
    await org.publish(proposal.outline())

    assert (await org.export(proposal)).status_code == 201

    held = query(database, "SELECT section_id, revision FROM section_texts WHERE proposal_id = %s", proposal.id)
    assert held == [(stays, 2)]
