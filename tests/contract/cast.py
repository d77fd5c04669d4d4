"""The people of these tests: each role in one org with room for all, and a stranger in an org of their own."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import httpx

from common.identity import Role
from devstack.person import Person
from devstack.running import RunningStack

PASSWORD = "a long enough pass phrase"
CALL = "Call for proposals\n\n1. Need (30 points, at most 2 pages)\n\n2. Work plan (20 points, at most 3 pages)\n"
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True)
class Cast:
    """Everyone, signed in."""

    base_url: str
    owner: Person
    admin: Person
    member: Person
    viewer: Person
    stranger: Person

    def of(self, role: Role) -> Person:
        """The one who is that in the org."""
        person = getattr(self, role)
        assert isinstance(person, Person)
        return person


def ask(
    person: Person, method: str, path: str, headers: Mapping[str, Any] | None = None, **more: Any
) -> httpx.Response:
    """One request in the person's org, whatever comes of it."""
    org = {"X-Org-ID": person.org_id} if person.org_id else {}
    return person.http.request(method, path, headers={**org, **(headers or {})}, **more)


def nobody(base_url: str) -> httpx.Client:
    """A client without a session."""
    return httpx.Client(base_url=base_url, timeout=30)


def arrive(stack: RunningStack, name: str) -> Person:
    """Someone new, signed in."""
    address = f"{name}-{uuid.uuid4().hex[:12]}@example.com"
    person = Person(stack.base_url, stack.data / "mailbox", address, PASSWORD, name.title())
    person.register()
    return person


def assemble(stack: RunningStack) -> Cast:
    """Register everyone, buy the org a tier whose limits these tests do not reach, and fill it."""
    with ThreadPoolExecutor() as pool:
        owner, admin, member, viewer, stranger = pool.map(
            partial(arrive, stack), ("owner", "admin", "member", "viewer", "stranger")
        )
    owner.make_org("Eldermoor Energy")
    stranger.make_org("Harrowgate Hydro")
    owner.subscribe("enterprise_monthly", seats=6)
    while owner.call("GET", f"/api/orgs/{owner.org_id}")["seats"] != 6:  # the gateway hears of it after billing
        time.sleep(0.02)
    for person, role in ((admin, "admin"), (member, "member"), (viewer, "viewer")):
        owner.invite(person, role)
        person.org_id = owner.org_id
    return Cast(stack.base_url, owner, admin, member, viewer, stranger)


def until_planned(owner: Person, proposal_id: str) -> dict[str, Any]:
    """The first requirement that the plan finds."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found: list[dict[str, Any]] = owner.call("GET", f"/api/proposals/{proposal_id}/compliance")["requirements"]
        if found:
            return found[0]
        time.sleep(0.02)
    raise AssertionError("the plan found no requirement")


def one_of_everything(owner: Person) -> dict[str, str]:
    """By the names that the API document gives them: things of the owner's org, and of the owner."""
    proposal = owner.call("POST", "/api/proposals", json={"title": "Light at the Creamery", "call_text": CALL})
    sections = f"/api/proposals/{proposal['id']}/sections"
    section = owner.call("POST", sections, json={"title": "Need", "text": "612 members."})
    approved = owner.call("POST", sections, json={"title": "Work plan", "text": "Three steps."})
    owner.call("POST", f"/api/sections/{approved['id']}/approve")
    answer = owner.call("POST", "/api/answers", json={"question": "Who are you?", "answer": "612 members."})
    revision = owner.call("GET", f"/api/proposals/{proposal['id']}")["revision"]
    wanted = {"proposal_id": proposal["id"], "format": "md", "proposal_revision": revision}
    export = owner.call("POST", "/api/exports", json=wanted)
    upload = owner.call("POST", "/api/uploads", files={"file": ("call.txt", CALL.encode(), "text/plain")})
    job = owner.call("POST", "/api/ai/plan", json={"proposal_id": proposal["id"]}, headers={"Prefer": "respond-async"})
    demand = until_planned(owner, proposal["id"])
    key = owner.call("POST", "/api/keys", json={"name": "robot", "scopes": ["org:read"]})
    invite = owner.call(
        "POST", f"/api/orgs/{owner.org_id}/invites", json={"email": "guest@example.com", "role": "viewer"}
    )
    return {
        "proposal_id": proposal["id"],
        "requirement_id": demand["id"],
        "section_id": section["id"],
        "answer_id": answer["id"],
        "use_id": str(uuid.uuid4()),
        "export_id": export["id"],
        "upload_id": upload["id"],
        "job_id": job["job_id"],
        "key_id": key["id"],
        "invite_id": invite["id"],
        "org_id": str(owner.org_id),
        "user_id": owner.call("GET", "/api/me")["user"]["id"],
        "session_id": owner.call("GET", "/api/auth/sessions")["items"][0]["id"],
    }
