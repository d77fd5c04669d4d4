"""Many at once, through the edge: what may happen once happens once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from devstack.person import Person
from devstack.running import RunningStack

from .cast import Cast, arrive, ask

pytestmark = pytest.mark.e2e

AtOnce = Callable[[int, Callable[[int], httpx.Response]], list[httpx.Response]]


@pytest.fixture(scope="module")
def at_once() -> Iterator[AtOnce]:
    """Ask so many times at the same moment."""
    with ThreadPoolExecutor(30) as pool:
        yield lambda times, request: list(pool.map(request, range(times)))


@pytest.fixture(scope="module")
def newcomer(stack: RunningStack) -> Person:
    """Someone with a team on free, and nothing in it."""
    person = arrive(stack, "newcomer")
    person.make_org("Thornbury Tidal")
    return person


def statuses(answers: list[httpx.Response]) -> Counter[tuple[int, str | None]]:
    return Counter(
        (answer.status_code, answer.json()["error"] if answer.status_code >= 400 else None) for answer in answers
    )


def test_free_makes_one_proposal(newcomer: Person, at_once: AtOnce) -> None:
    _wait_for_the_plan(newcomer)
    answers = at_once(20, lambda n: ask(newcomer, "POST", "/api/proposals", json={"title": f"No. {n}"}))
    assert statuses(answers) == {(201, None): 1, (402, "quota_exceeded"): 19}
    refused = next(answer for answer in answers if answer.status_code == 402)
    assert refused.headers["x-quota-reason"] == refused.json()["reason"] == "active_cap_reached"
    assert len(newcomer.call("GET", "/api/proposals")["items"]) == 1


def test_an_invite_is_accepted_once(stack: RunningStack, cast: Cast, at_once: AtOnce) -> None:
    guest = arrive(stack, "guest")
    invites = f"/api/orgs/{cast.owner.org_id}/invites"
    cast.owner.call("POST", invites, json={"email": guest.email, "role": "viewer"})
    token = guest.token_from_mail("/invite")
    answers = at_once(30, lambda _: ask(guest, "POST", "/api/invites/accept", json={"token": token}))
    assert statuses(answers) == {(200, None): 1, (409, "already_member"): 29}
    members = cast.owner.call("GET", f"/api/orgs/{cast.owner.org_id}/members?limit=100")["items"]
    assert [member["email"] for member in members].count(guest.email) == 1


@pytest.mark.parametrize("file_format", ["md", "pdf"])
def test_a_double_click_makes_one_export(cast: Cast, ids: dict[str, str], at_once: AtOnce, file_format: str) -> None:
    revision = cast.owner.call("GET", f"/api/proposals/{ids['proposal_id']}")["revision"]
    body = {"proposal_id": ids["proposal_id"], "format": file_format, "proposal_revision": revision}
    answers = at_once(8, lambda _: ask(cast.owner, "POST", "/api/exports", json=body))
    assert statuses(answers) == {(201, None): 8}
    assert len({(answer.json()["id"], answer.json()["sha256"]) for answer in answers}) == 1


def _wait_for_the_plan(person: Person) -> None:
    """An org's plan reaches the service a moment after the org was made; until then nothing is looked for."""
    person.call("POST", "/api/ai/plan", json={"proposal_id": str(uuid4())}, expect=(404,))
