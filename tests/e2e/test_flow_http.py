"""The whole job once, by HTTP through the edge: from an e-mail address to a file whose bytes anyone can verify.

Each fixture is a step that the next ones stand on; each test says what must be true after its step.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from devstack.running import RunningStack

from .person import PASSWORD, READERS, Person, eventually, words

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SAMPLES = Path(__file__).parents[2] / "samples"
REAL_DOCS = os.environ.get("BIDWRIGHT_REAL_DOCS", "")
SERVICES = ("gateway", "billing", "ai", "exports", "uploads")


@pytest.fixture(scope="module")
def ada(stack: RunningStack) -> Iterator[Person]:
    """Signed up, in an organisation of her own."""
    person = Person(stack)
    person.sign_up()
    person.org_id = person.json("POST", "/api/orgs", json={"name": "Eldermoor Energy"}, expect=201)["id"]
    yield person
    person.http.close()


@pytest.fixture(scope="module")
def call_file(ada: Person) -> dict[str, Any]:
    return ada.upload(SAMPLES / "community-energy-call.pdf", "application/pdf")


@pytest.fixture(scope="module")
def letter(ada: Person) -> dict[str, Any]:
    return ada.upload(SAMPLES / "scanned-letter.pdf", "application/pdf")


@pytest.fixture(scope="module")
def proposal(ada: Person, call_file: dict[str, Any]) -> dict[str, Any]:
    body = {"title": "Light at the Creamery", "call_upload_id": call_file["id"]}
    return ada.json("POST", "/api/proposals", json=body, expect=201)


@pytest.fixture(scope="module")
def sections(ada: Person, proposal: dict[str, Any]) -> list[dict[str, Any]]:
    return ada.plan(proposal["id"])


@dataclass(frozen=True)
class Refused:
    """What free was answered before the upgrade."""

    write: httpx.Response
    second_proposal: httpx.Response


@pytest.fixture(scope="module")
def refused(ada: Person, sections: list[dict[str, Any]]) -> Refused:
    body = {"section_id": sections[0]["id"], "answers": {}}
    return Refused(
        ada.call("POST", "/api/ai/write", json=body, expect=402),
        ada.call("POST", "/api/proposals", json={"title": "Another", "call_text": "A call."}, expect=402),
    )


@dataclass(frozen=True)
class Upgrade:
    """What buying Pro looked like."""

    page: str
    back: str
    seconds: float
    usage: dict[str, Any]


@pytest.fixture(scope="module")
def upgrade(ada: Person, refused: Refused) -> Upgrade:
    """Buy Pro on the payment page and wait until the AI is open."""
    checkout = ada.json("POST", "/api/billing/checkout", json={"price": "pro_monthly", "seats": 2})
    page = httpx.get(checkout["url"]).text
    card = {"email": ada.email, "card": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123"}
    paid = httpx.post(checkout["url"], data=card)
    assert paid.status_code == 303, paid.text
    start = time.monotonic()

    def pro() -> dict[str, Any] | None:
        usage = ada.json("GET", "/api/usage")
        return usage if usage["tier"] == "pro" else None

    usage = eventually(pro, "usage shows pro", 10)
    return Upgrade(page, paid.headers["location"], time.monotonic() - start, usage)


@pytest.fixture(scope="module")
def heard(ada: Person, sections: list[dict[str, Any]], upgrade: Upgrade, letter: dict[str, Any]) -> str:
    """The first section, drafted from the call and the letter."""

    def open_gate() -> str | None:
        body = {"section_id": sections[0]["id"], "answers": {}}
        probe = ada.http.post("/api/ai/revise", json={**body, "instruction": "x"}, headers={"X-Org-ID": ada.org_id})
        return None if probe.status_code == 402 else "open"

    eventually(open_gate, "the AI gate opens", 10)
    return ada.write(sections[0]["id"], upload_ids=[letter["id"]])


@pytest.fixture(scope="module")
def drafted(ada: Person, sections: list[dict[str, Any]], heard: str) -> dict[str, Any]:
    return ada.json("GET", f"/api/sections/{sections[0]['id']}")


@pytest.fixture(scope="module")
def revision(ada: Person, drafted: dict[str, Any]) -> dict[str, Any]:
    body = {"section_id": drafted["id"], "instruction": "Make it shorter"}
    answer = ada.call("POST", "/api/ai/revise", json=body, expect=(200, 202))
    return answer.json() if answer.status_code == 200 else dict(ada.finish(answer.json()["job_id"])["result"])


@pytest.fixture(scope="module")
def approved(ada: Person, drafted: dict[str, Any], revision: dict[str, Any]) -> dict[str, Any]:
    return ada.approve(drafted["id"])


@pytest.fixture(scope="module")
def exports(ada: Person, proposal: dict[str, Any], approved: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: ada.export(proposal["id"], name) for name in ("md", "pdf", "docx")}


@pytest.fixture(scope="module")
def stranger(stack: RunningStack) -> Iterator[Person]:
    """Somebody else, in an organisation of their own."""
    person = Person(stack)
    person.sign_up()
    person.org_id = person.json("POST", "/api/orgs", json={"name": "Somebody Else"}, expect=201)["id"]
    yield person
    person.http.close()


# ---------------------------------------------------------------------- what must be true


class TestAccount:
    def test_an_address_must_be_verified_before_the_first_login(self, stack: RunningStack) -> None:
        person = Person(stack)
        account = {"email": person.email, "password": PASSWORD, "name": "Bo"}
        first = person.call("POST", "/api/auth/register", json=account, expect=202)
        again = person.call("POST", "/api/auth/register", json=account, expect=202)
        assert first.json() == again.json()
        login = {"email": person.email, "password": PASSWORD}
        assert person.json("POST", "/api/auth/login", json=login, expect=403)["error"] == "email_unverified"

    def test_the_session_knows_who_and_where(self, ada: Person) -> None:
        me = ada.json("GET", "/api/me")
        assert me["user"]["email"] == ada.email
        assert {org["id"]: org["role"] for org in me["orgs"]}[ada.org_id] == "owner"
        assert sorted(org["personal"] for org in me["orgs"]) == [False, True]

    def test_a_new_organisation_is_free(self, ada: Person) -> None:
        usage = ada.json("GET", "/api/usage")
        assert usage["scope"]["org_id"] == ada.org_id


class TestUploads:
    def test_the_call_is_read_to_its_last_page(self, ada: Person, call_file: dict[str, Any]) -> None:
        pages = ada.text_of(call_file)
        assert len(pages) == 13
        assert "19 March 2027, 17:00" in pages[0]
        assert "Checklist before you send" in pages[-1]

    def test_the_scan_is_read_by_ocr(self, ada: Person, letter: dict[str, Any]) -> None:
        (page,) = ada.text_of(letter)
        assert "42,000" in page
        assert "Harrowdale" in page

    def test_a_file_that_is_not_what_its_name_says_is_refused(self, ada: Person) -> None:
        sent = {"file": ("call.pdf", b"#!/bin/sh\n", "application/pdf")}
        assert ada.json("POST", "/api/uploads", files=sent, expect=400)["error"] == "mismatched_signature"


class TestFree:
    def test_the_plan_has_the_sections_that_the_call_asks_for(self, sections: list[dict[str, Any]]) -> None:
        assert len(sections) >= 3
        assert all(section["title"].strip() for section in sections)

    def test_drafting_needs_pro(self, refused: Refused) -> None:
        problem = refused.write.json()
        assert (problem["error"], problem["reason"]) == ("quota_exceeded", "ai_requires_pro")
        assert refused.write.headers["X-Quota-Reason"] == "ai_requires_pro"
        assert refused.write.headers["content-type"] == "application/problem+json"

    def test_one_proposal_is_all(self, refused: Refused) -> None:
        assert refused.second_proposal.json()["reason"] == "active_cap_reached"


class TestUpgrade:
    def test_the_payment_page_shows_the_order_and_leads_back(self, ada: Person, upgrade: Upgrade) -> None:
        assert "$58.00 per month" in upgrade.page
        assert upgrade.back.startswith(ada.stack.base_url)

    def test_usage_shows_pro_within_seconds(self, upgrade: Upgrade) -> None:
        assert upgrade.seconds < 5
        assert upgrade.usage["status"] == "active"
        assert upgrade.usage["subscription"]["seats"] == 2
        assert upgrade.usage["limits"]["monthly_cap"] == 20


class TestWriting:
    def test_what_was_heard_is_the_text(self, heard: str, drafted: dict[str, Any]) -> None:
        assert len(heard) > 200
        assert heard == drafted["text"]

    def test_a_revision_says_exactly_what_changed(self, drafted: dict[str, Any], revision: dict[str, Any]) -> None:
        blocks = revision["diff"]["blocks"]
        old = [
            block.get("before") or (block.get("after") or "" if block["type"] == "equal" else "") for block in blocks
        ]
        new = [
            block.get("after") or (block.get("before") or "" if block["type"] == "equal" else "") for block in blocks
        ]
        assert "".join(old) == drafted["text"]
        assert "".join(new) == revision["text"]
        assert revision["text"] != drafted["text"]

    def test_an_approved_section_is_locked(self, ada: Person, approved: dict[str, Any]) -> None:
        assert approved["status"] == "approved"
        match = {"If-Match": f'"{approved["revision"]}"'}
        change = ada.json("PATCH", f"/api/sections/{approved['id']}", json={"text": "x"}, headers=match, expect=409)
        assert change["error"] == "section_locked"


class TestExports:
    @pytest.mark.parametrize("name", ["md", "pdf", "docx"])
    def test_the_file_has_the_hash_that_was_said(
        self, ada: Person, exports: dict[str, dict[str, Any]], name: str
    ) -> None:
        made = exports[name]
        file = ada.call("GET", f"/api/exports/{made['id']}/file", expect=200)
        assert hashlib.sha256(file.content).hexdigest() == made["sha256"]
        assert len(file.content) == made["size"]
        assert file.headers["ETag"] == f'"{made["sha256"]}"'
        assert "attachment" in file.headers["Content-Disposition"]

    @pytest.mark.parametrize("name", ["md", "pdf", "docx"])
    def test_the_same_text_gives_the_same_bytes(
        self, ada: Person, proposal: dict[str, Any], exports: dict[str, dict[str, Any]], name: str
    ) -> None:
        assert ada.export(proposal["id"], name)["sha256"] == exports[name]["sha256"]

    @pytest.mark.parametrize("name", ["md", "pdf", "docx"])
    def test_the_approved_text_is_inside(
        self, ada: Person, exports: dict[str, dict[str, Any]], approved: dict[str, Any], name: str
    ) -> None:
        file = ada.call("GET", f"/api/exports/{exports[name]['id']}/file", expect=200).content
        inside = words(READERS[name](file))
        assert words("Light at the Creamery") in inside
        assert words(approved["title"]) in inside
        paragraphs = [words(line.lstrip("#->*+ ")) for line in approved["text"].splitlines() if line.strip()]
        assert len(paragraphs) >= 3
        assert [paragraph for paragraph in paragraphs if paragraph not in inside] == []

    def test_a_file_says_where_it_came_from(self, ada: Person, exports: dict[str, dict[str, Any]]) -> None:
        answer = ada.json("POST", "/api/exports/verify", json={"sha256": exports["pdf"]["sha256"]})
        assert answer["match"] is True


class TestWalls:
    def test_another_organisation_finds_nothing(
        self,
        stranger: Person,
        proposal: dict[str, Any],
        approved: dict[str, Any],
        call_file: dict[str, Any],
        exports: dict[str, dict[str, Any]],
    ) -> None:
        for path in (
            f"/api/proposals/{proposal['id']}",
            f"/api/proposals/{proposal['id']}/sections",
            f"/api/sections/{approved['id']}",
            f"/api/uploads/{call_file['id']}",
            f"/api/uploads/{call_file['id']}/text",
            f"/api/uploads/{call_file['id']}/file",
            f"/api/exports/{exports['pdf']['id']}",
            f"/api/exports/{exports['pdf']['id']}/file",
        ):
            assert stranger.json("GET", path, expect=404)["error"] == "not_found", path
        for path in ("/api/proposals", "/api/uploads", "/api/exports"):
            assert stranger.json("GET", path)["items"] == [], path

    def test_a_foreign_organisation_is_forbidden_and_a_malformed_one_is_said(
        self, ada: Person, stranger: Person
    ) -> None:
        foreign = {"X-Org-ID": ada.org_id}
        assert stranger.json("GET", "/api/proposals", headers=foreign, expect=403)["error"] == "org_forbidden"
        unknown = {"X-Org-ID": str(uuid.uuid4())}
        assert stranger.json("GET", "/api/proposals", headers=unknown, expect=403)["error"] == "org_forbidden"
        malformed = {"X-Org-ID": "mine"}
        assert stranger.json("GET", "/api/proposals", headers=malformed, expect=400)["error"] == "invalid_org_id"

    @pytest.mark.parametrize(
        ("service", "path"),
        [
            ("billing", "/api/usage"),
            ("ai", "/api/proposals"),
            ("exports", "/api/exports"),
            ("uploads", "/api/uploads"),
        ],
    )
    def test_a_request_round_the_gateway_is_refused(self, ada: Person, service: str, path: str) -> None:
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in ada.http.cookies.jar)
        url = ada.stack.env[f"{service.upper()}_URL"] + path
        for forged in ({}, {"x-bidwright-identity": "eyJhbGciOiJub25lIn0.e30."}):
            headers = {"X-Org-ID": ada.org_id, "Cookie": cookies, **forged}
            answer = httpx.get(url, headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (401, "unauthenticated"), url

    def test_an_identity_that_a_client_sends_counts_for_nothing(self, stack: RunningStack) -> None:
        forged = {"x-bidwright-identity": "eyJhbGciOiJub25lIn0.e30."}
        assert httpx.get(f"{stack.base_url}/api/proposals", headers=forged).status_code == 401

    @pytest.mark.parametrize("service", SERVICES)
    def test_every_service_is_ready(self, stack: RunningStack, service: str) -> None:
        url = stack.env[f"{service.upper()}_URL"]
        assert httpx.get(f"{url}/healthz").json() == {"status": "ok"}
        assert httpx.get(f"{url}/readyz").status_code == 200


@pytest.mark.skipif(not REAL_DOCS, reason="BIDWRIGHT_REAL_DOCS names no folder")
class TestRealCall:
    def test_a_real_call_goes_the_whole_way(self, ada: Person, upgrade: Upgrade) -> None:
        upload = ada.upload(Path(REAL_DOCS) / "nsf-23-556-solicitation.pdf", "application/pdf")
        pages = ada.text_of(upload)
        assert len(pages) == 18
        assert "23-556" in " ".join(pages)
        assert pages[-1].strip()
        body = {"title": "An open ecosystem", "call_upload_id": upload["id"]}
        proposal = ada.json("POST", "/api/proposals", json=body, expect=201)
        sections = ada.plan(proposal["id"])
        assert len(sections) >= 3
        assert len(ada.write(sections[0]["id"])) > 200
        ada.approve(sections[0]["id"])
        assert ada.export(proposal["id"], "pdf")["sha256"] == ada.export(proposal["id"], "pdf")["sha256"]


class TestEnd:
    """Last in the file: it takes the subscription away."""

    def test_what_was_written_stays_open_when_the_subscription_ends(
        self, ada: Person, proposal: dict[str, Any], approved: dict[str, Any], exports: dict[str, dict[str, Any]]
    ) -> None:
        fake = ada.stack.env["STRIPE_FAKE_URL"]
        answer = httpx.post(f"{fake}/_fake/trigger/customer.subscription.deleted", json={})
        assert answer.status_code == 200, answer.text
        eventually(lambda: ada.json("GET", "/api/usage")["tier"] == "free", "free again", 10)
        assert ada.json("GET", f"/api/sections/{approved['id']}")["text"] == approved["text"]
        assert ada.export(proposal["id"], "pdf")["sha256"] == exports["pdf"]["sha256"]
        body = {"section_id": approved["id"], "answers": {}}
        refusal = eventually(
            lambda: (
                (answer := ada.call("POST", "/api/ai/write", json=body, expect=(402, 409, 200, 202))).status_code == 402
                and answer.json()
            ),
            "the AI gate closes",
            10,
        )
        assert refusal["reason"] == "ai_requires_pro"
