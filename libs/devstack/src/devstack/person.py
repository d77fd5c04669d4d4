"""A person at the public HTTP API of a running stack, as a browser would be: a cookie, an Origin, an org.

For the seed and for tests that cross services. It knows paths and bodies of the contract and nothing of the services.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from devstack import mailbox
from devstack.errors import StackError

_CARD = {"card": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123"}
JOB_SECONDS = 120.0


class Person:
    """One account. ``org_id`` is sent with every request when it is set."""

    def __init__(self, base_url: str, mails: Path, email: str, password: str, name: str) -> None:
        self.base_url, self.mails = base_url, mails
        self.email, self.password, self.name = email, password, name
        self.org_id: str | None = None
        self.http = httpx.Client(base_url=base_url, headers={"Origin": base_url}, timeout=60)

    def call(self, method: str, path: str, *, expect: tuple[int, ...] = (200, 201, 202, 204), **kwargs: Any) -> Any:
        """One request; the JSON of the answer. Raises with the server's own words when it is not as expected."""
        headers = dict(kwargs.pop("headers", {}))
        if self.org_id:
            headers.setdefault("X-Org-ID", self.org_id)
        deadline = time.monotonic() + JOB_SECONDS
        while True:
            reply = self.http.request(method, path, headers=headers, **kwargs)
            # Too fast, or another service has not heard of it yet: the answer says how long to wait.
            wait = reply.headers.get("Retry-After", "")
            if reply.status_code not in (409, 429, 503) or not wait.isdigit() or time.monotonic() > deadline:
                break
            time.sleep(min(float(wait), 30.0))
        if reply.status_code not in expect:
            raise StackError(f"{method} {path} answered {reply.status_code}: {reply.text[:300]}")
        return reply.json() if reply.content and "json" in reply.headers.get("Content-Type", "") else None

    # -- account ------------------------------------------------------------------------------------------------------

    def register(self) -> None:
        """Register, follow the link of the mail, be signed in."""
        body = {"email": self.email, "password": self.password, "name": self.name}
        self.call("POST", "/api/auth/register", json=body)
        self.call("POST", "/api/auth/email/verify", json={"token": self.token_from_mail("/verify")})

    def sign_in(self) -> bool:
        """Sign in; False when the account does not exist or has another password."""
        reply = self.http.post("/api/auth/login", json={"email": self.email, "password": self.password})
        return reply.status_code == 200

    def token_from_mail(self, page: str, *, seconds: float = 15) -> str:
        """The token in the newest mail to this person whose link leads to ``page``; waits for the mail."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for mail in mailbox.read(self.mails):
                for link in mail["links"] or []:
                    parts = urlsplit(str(link))
                    if mail["to"] == self.email and parts.path.endswith(page):
                        return parse_qs(parts.query)["token"][0]
            time.sleep(0.05)
        raise StackError(f"no mail with a link to {page} arrived for {self.email}")

    # -- org ----------------------------------------------------------------------------------------------------------

    def make_org(self, name: str) -> str:
        """Make an org and work in it from now on."""
        self.org_id = str(self.call("POST", "/api/orgs", json={"name": name})["id"])
        return self.org_id

    def invite(self, other: Person, role: str) -> None:
        """Invite another person to the current org, and have them accept."""
        self.call("POST", f"/api/orgs/{self.org_id}/invites", json={"email": other.email, "role": role})
        other.call("POST", "/api/invites/accept", json={"token": other.token_from_mail("/invite")})

    def subscribe(self, price: str, seats: int) -> None:
        """Buy for the current org on the fake Stripe's page, and wait until the new tier has arrived."""
        answer = self.call("POST", "/api/billing/checkout", json={"price": price, "seats": seats})
        paid = httpx.post(answer["url"], data={"email": self.email, **_CARD}, timeout=30)
        if paid.status_code != 303:
            raise StackError(f"the checkout page answered {paid.status_code}")
        self.wait_for_tier(price.partition("_")[0])

    def wait_for_tier(self, tier: str, *, seconds: float = 20) -> dict[str, Any]:
        """Wait until billing says that the current org has the tier; its usage."""
        deadline = time.monotonic() + seconds
        while True:
            usage: dict[str, Any] = self.call("GET", "/api/usage")
            if usage["tier"] == tier:
                return usage
            if time.monotonic() > deadline:
                raise StackError(f"the org is still {usage['tier']}, not {tier}")
            time.sleep(0.1)

    # -- work ---------------------------------------------------------------------------------------------------------

    def upload(self, file: Path, content_type: str, proposal_id: str | None = None) -> dict[str, Any]:
        """Upload a file and wait until its text is read."""
        fields = {"proposal_id": proposal_id} if proposal_id else {}
        with file.open("rb") as stream:
            files = {"file": (file.name, stream, content_type)}
            made = self.call("POST", "/api/uploads", data=fields, files=files)
        deadline = time.monotonic() + JOB_SECONDS
        while made["status"] == "processing" and time.monotonic() < deadline:
            time.sleep(0.2)
            made = self.call("GET", f"/api/uploads/{made['id']}")
        return dict(made)

    def generate(self, step: str, body: dict[str, Any]) -> dict[str, Any]:
        """One AI step; waits for the job when the answer is one."""
        answer = self.call("POST", f"/api/ai/{step}", json=body)
        if "job_id" not in answer:
            return dict(answer)
        deadline = time.monotonic() + JOB_SECONDS
        while True:
            job = self.call("GET", f"/api/ai/jobs/{answer['job_id']}")
            if job["status"] not in ("queued", "running"):
                return dict(job)
            if time.monotonic() > deadline:
                raise StackError(f"{step} did not finish in {JOB_SECONDS:.0f} s")
            time.sleep(0.2)
