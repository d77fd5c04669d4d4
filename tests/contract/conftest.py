"""One stack, one cast, and one of everything that has an id."""

from __future__ import annotations

import httpx
import pytest

from devstack.running import RunningStack

from .cast import Cast, assemble, nobody

CALL = "Call for proposals\n\n1. Need (30 points, at most 2 pages)\n\n2. Work plan (20 points, at most 3 pages)\n"


@pytest.fixture(scope="session")
def cast(stack: RunningStack) -> Cast:
    return assemble(stack)


@pytest.fixture(scope="session")
def anonymous(stack: RunningStack) -> httpx.Client:
    return nobody(stack.base_url)


@pytest.fixture(scope="session")
def ids(cast: Cast) -> dict[str, str]:
    """By the names that the API document gives them: things of the cast's org, and of its owner."""
    owner = cast.owner
    proposal = owner.call("POST", "/api/proposals", json={"title": "Light at the Creamery", "call_text": CALL})
    sections = f"/api/proposals/{proposal['id']}/sections"
    section = owner.call("POST", sections, json={"title": "Need", "text": "612 members."})
    approved = owner.call("POST", sections, json={"title": "Work plan", "text": "Three steps."})
    owner.call("POST", f"/api/sections/{approved['id']}/approve")
    revision = owner.call("GET", f"/api/proposals/{proposal['id']}")["revision"]
    wanted = {"proposal_id": proposal["id"], "format": "md", "proposal_revision": revision}
    export = owner.call("POST", "/api/exports", json=wanted)
    upload = owner.call("POST", "/api/uploads", files={"file": ("call.txt", CALL.encode(), "text/plain")})
    job = owner.call("POST", "/api/ai/plan", json={"proposal_id": proposal["id"]}, headers={"Prefer": "respond-async"})
    key = owner.call("POST", "/api/keys", json={"name": "robot", "scopes": ["org:read"]})
    invite = owner.call(
        "POST", f"/api/orgs/{owner.org_id}/invites", json={"email": "guest@example.com", "role": "viewer"}
    )
    return {
        "proposal_id": proposal["id"],
        "section_id": section["id"],
        "export_id": export["id"],
        "upload_id": upload["id"],
        "job_id": job["job_id"],
        "key_id": key["id"],
        "invite_id": invite["id"],
        "org_id": str(owner.org_id),
        "user_id": owner.call("GET", "/api/me")["user"]["id"],
        "session_id": owner.call("GET", "/api/auth/sessions")["items"][0]["id"],
    }
