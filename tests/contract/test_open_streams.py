"""An open event stream ends within two seconds of the right that it was opened with; other people's go on."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from devstack.person import Person
from devstack.running import RunningStack

from .cast import CALL, Cast, arrive

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SECONDS = 2.0


class Stream:
    """A listener of a job that nobody works on."""

    def __init__(self, base_url: str, job_id: str, headers: dict[str, str], cookies: httpx.Cookies) -> None:
        self.ended_at: float | None = None
        self.opened = threading.Event()
        self._client = httpx.Client(base_url=base_url, timeout=30, cookies=cookies, headers=headers)
        self._path = f"/api/ai/jobs/{job_id}/events"
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        assert self.opened.wait(20), "the stream did not begin"

    def _listen(self) -> None:
        with self._client.stream("GET", self._path) as answer:
            assert answer.status_code == 200, answer.read()
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    self.opened.set()
        self.ended_at = time.monotonic()

    def seconds_after(self, moment: float) -> float:
        """How long after the moment it ended; infinite when it goes on."""
        self._thread.join(max(0.0, moment + SECONDS + 1 - time.monotonic()))
        return float("inf") if self.ended_at is None else self.ended_at - moment


@contextmanager
def nobody_works(stack: RunningStack) -> Iterator[None]:
    """The workers of ai stand still."""
    parts = json.loads(stack.command("status", "--json").stdout)
    rows = parts["parts"] if isinstance(parts, dict) else parts
    [pid] = [row["pid"] for row in rows if row["name"] == "ai-worker"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def queued(person: Person) -> str:
    """A job of the person's that waits."""
    proposal = person.call("POST", "/api/proposals", json={"title": "Streams", "call_text": CALL})
    answer = person.call(
        "POST", "/api/ai/plan", json={"proposal_id": proposal["id"]}, headers={"Prefer": "respond-async"}
    )
    return str(answer["job_id"])


def listen(person: Person, job_id: str) -> Stream:
    return Stream(person.base_url, job_id, {"X-Org-ID": str(person.org_id)}, person.http.cookies)


@pytest.fixture
def guest(cast: Cast, stack: RunningStack) -> Person:
    """A member who may be thrown out."""
    person = arrive(stack, "guest")
    cast.owner.invite(person, "member")
    person.org_id = cast.owner.org_id
    return person


def another_browser(person: Person) -> Person:
    """The same person, signed in once more."""
    again = Person(person.base_url, person.mails, person.email, person.password, person.name)
    assert again.sign_in()
    again.org_id = person.org_id
    return again


def me(person: Person) -> str:
    return str(person.call("GET", "/api/me")["user"]["id"])


def test_it_ends_with_the_session_the_membership_the_role_and_the_key(
    cast: Cast, stack: RunningStack, guest: Person
) -> None:
    owner, org = cast.owner, f"/api/orgs/{cast.owner.org_id}"
    key = owner.call("POST", "/api/keys", json={"name": "robot", "scopes": ["ai:use", "proposals:read"]})
    elsewhere, guest_id = another_browser(guest), me(guest)
    with nobody_works(stack):
        job_id = queued(owner)
        bystander = listen(owner, job_id)

        def cut(stream: Stream, change: Any) -> None:
            change()
            assert stream.seconds_after(time.monotonic()) <= SECONDS
            assert bystander.ended_at is None

        by_key = Stream(owner.base_url, job_id, {"Authorization": f"Bearer {key['key']}"}, httpx.Cookies())
        cut(by_key, lambda: owner.call("DELETE", f"/api/keys/{key['id']}"))
        mine, other = listen(guest, job_id), listen(elsewhere, job_id)
        cut(other, lambda: guest.call("DELETE", "/api/auth/sessions"))
        assert mine.ended_at is None
        cut(mine, lambda: owner.call("PATCH", f"{org}/members/{guest_id}", json={"role": "viewer"}))
        owner.call("PATCH", f"{org}/members/{guest_id}", json={"role": "member"})
        again = [listen(guest, job_id) for _ in range(20)]
        owner.call("DELETE", f"{org}/members/{guest_id}")
        moment = time.monotonic()
        assert max(stream.seconds_after(moment) for stream in again) <= SECONDS
        assert bystander.ended_at is None
        refused = guest.http.get(f"/api/ai/jobs/{job_id}/events", headers={"X-Org-ID": str(guest.org_id)})
        assert refused.status_code == 403
        second = another_browser(owner)
        cut(listen(second, job_id), lambda: second.call("POST", "/api/auth/logout"))
