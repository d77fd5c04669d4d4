"""Twenty people at work at once, who read and write in every service and remember what they were told is kept."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from .listening import Listener

PAUSE_SECONDS = 1.0
PLACES = 3
"""How many there are of each kind of person. With eight kinds that is two dozen, and two cores have room to restart."""
Work = Callable[[], Awaitable[bool]]


class SteadyLoad:
    """Begins with `start`. Each answer is counted, each promise is kept for `promises`.

    `part` is what is being restarted; `faults` are the answers that nobody may get: those that are no success and not a
    503 (or a 409 of a service that has yet to hear) that says when to come back.
    """

    def __init__(self, http: httpx.AsyncClient, webhook_secret: str, draft: str) -> None:
        self.http = http
        self.part = ""
        self.faults: Counter[str] = Counter()
        self.refused: Counter[tuple[str, str]] = Counter()
        self.succeeded: Counter[str] = Counter()
        self.last_success: dict[str, float] = {}
        self.promises: dict[str, dict[str, Any]] = {
            kind: {} for kind in ("proposal", "text", "upload", "export", "invite", "webhook", "draft")
        }
        self.maybe: dict[str, set[str]] = {}
        """By section, the texts that were sent since the last promise and may or may not have been kept."""
        self._secret = webhook_secret.encode()
        self._draft = draft
        self._stopped = False
        self._tasks: list[asyncio.Task[None]] = []
        self._org_id = ""

    # -- life ---------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        made = await self.http.post("/api/orgs", json={"name": "Rolling"})
        self._org_id = made.raise_for_status().json()["id"]
        self.http.headers["X-Org-ID"] = self._org_id
        sections = [await self._new_section() for _ in range(PLACES * 3)]
        works: dict[str, list[Work]] = {
            "read": [self._read] * PLACES,
            "proposal": [self._propose] * PLACES,
            "upload": [self._upload] * PLACES,
            "invite": [self._invite] * PLACES,
            "webhook": [self._webhook] * PLACES,
            "text": [self._writer(section) for section in sections[:PLACES]],
            "export": [self._exporter(section) for section in sections[PLACES : 2 * PLACES]],
            "draft": [self._drafter(section) for section in sections[2 * PLACES :]],
        }
        self._tasks = [asyncio.create_task(self._go_on(kind, work)) for kind, all_ in works.items() for work in all_]

    async def _go_on(self, kind: str, work: Work) -> None:
        while not self._stopped:
            since = time.monotonic()
            if await work():
                self.succeeded[kind] += 1
                self.last_success[kind] = since
            await asyncio.sleep(PAUSE_SECONDS)

    async def all_answer_again(self, kinds: tuple[str, ...], seconds: float) -> float:
        """How long it takes until something of each kind that is begun from now on has succeeded."""
        since = time.monotonic()
        while late := [kind for kind in kinds if self.last_success.get(kind, 0.0) < since]:
            assert time.monotonic() - since < seconds, f"after {self.part}: no {late} in {seconds} s; {self.faults}"
            for task in self._tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.05)
        return time.monotonic() - since

    async def stop(self) -> None:
        """Lets everybody finish what they are at."""
        self._stopped = True
        await asyncio.gather(*self._tasks)

    # -- one request --------------------------------------------------------------------------------------------------

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response | None:
        """The answer when it is a success; None when it is to be asked again, which is no fault."""
        try:
            answer = await self.http.request(method, path, **options)
        except httpx.HTTPError as error:
            self.faults[f"{self.part}: {method} {path.rpartition('/')[0]}: {error!r}"] += 1
            return None
        if answer.is_success:
            return answer
        problem = answer.headers.get("content-type", "") == "application/problem+json"
        later = problem and answer.headers.get("retry-after", "").isdigit()
        if later and answer.status_code == 503:
            self.refused[self.part, path.split("/")[2]] += 1
            await asyncio.sleep(PAUSE_SECONDS)
        elif not (later and answer.json()["error"] == "not_yet_consistent"):
            self.faults[f"{self.part}: {method} {path.split('?')[0]}: {answer.status_code} {answer.text[:200]}"] += 1
        return None

    # -- what the people do -------------------------------------------------------------------------------------------

    async def _new_section(self) -> dict[str, Any]:
        async with asyncio.timeout(30):
            while (made := await self.send("POST", "/api/proposals", json={"title": "Rolling"})) is None:
                pass
        path = f"/api/proposals/{made.json()['id']}/sections"
        return dict((await self.http.post(path, json={"title": "Need"})).raise_for_status().json())

    async def _read(self) -> bool:
        paths = ("/api/me", "/api/usage", "/api/proposals", "/api/uploads", "/api/exports", "/api/audit")
        return all([await self.send("GET", path) for path in paths])

    async def _propose(self) -> bool:
        title = uuid.uuid4().hex
        if (made := await self.send("POST", "/api/proposals", json={"title": title})) is None:
            return False
        self.promises["proposal"][made.json()["id"]] = title
        return True

    async def _upload(self) -> bool:
        text = f"What the village needs, number {uuid.uuid4().hex}."
        file = {"file": ("need.txt", text.encode(), "text/plain")}
        if (made := await self.send("POST", "/api/uploads", files=file)) is None:
            return False
        self.promises["upload"][made.json()["id"]] = hashlib.sha256(text.encode()).hexdigest()
        return True

    async def _invite(self) -> bool:
        email = f"{uuid.uuid4().hex}@example.org"
        made = await self.send("POST", f"/api/orgs/{self._org_id}/invites", json={"email": email})
        if made is not None:
            self.promises["invite"][email] = made.json()["id"]
        return made is not None

    async def _webhook(self) -> bool:
        """An event that means nothing to us: it is kept, looked at and laid aside."""
        event_id, now = f"evt_{uuid.uuid4().hex}", int(time.time())
        data = {"object": {"id": "tok_1", "object": "token"}}
        event = {"id": event_id, "object": "event", "type": "token.created", "created": now, "livemode": False}
        body = json.dumps({**event, "data": data}).encode()
        digest = hmac.new(self._secret, f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Stripe-Signature": f"t={now},v1={digest}", "Content-Type": "application/json"}
        taken = await self.send("POST", "/api/stripe/webhook", content=body, headers=headers)
        if taken is not None:
            self.promises["webhook"][event_id] = True
        return taken is not None

    def _writer(self, section: dict[str, Any]) -> Work:
        return lambda: self._save(section)

    async def _save(self, section: dict[str, Any]) -> bool:
        """Saves a new text over the revision that was seen last; after a refusal looks first, as the editor does."""
        if section.pop("unsure", False):
            if (seen := await self.send("GET", f"/api/sections/{section['id']}")) is None:
                section["unsure"] = True
                return False
            section["revision"] = seen.json()["revision"]
        text = uuid.uuid4().hex
        self.maybe.setdefault(section["id"], set()).add(text)
        match = {"If-Match": f'"{section["revision"]}"'}
        saved = await self.send("PATCH", f"/api/sections/{section['id']}", json={"text": text}, headers=match)
        if saved is None:
            section["unsure"] = True
            return False
        section["revision"] = saved.json()["revision"]
        self.promises["text"][section["id"]] = text
        self.maybe[section["id"]].clear()
        return True

    def _exporter(self, section: dict[str, Any]) -> Work:
        path = f"/api/sections/{section['id']}/approve"

        async def export() -> bool:
            if await self.send("DELETE", path) is None:  # of the last time; it is locked as long as it is approved
                return False
            section["unsure"] = True
            if not await self._save(section):
                return False
            section["unsure"] = True
            if await self.send("POST", path, headers={"If-Match": f'"{section["revision"]}"'}) is None:
                return False
            if (seen := await self.send("GET", f"/api/proposals/{section['proposal_id']}")) is None:
                return False
            body = {"proposal_id": section["proposal_id"], "format": "md", "proposal_revision": seen.json()["revision"]}
            for _ in range(20):  # exports hears of the approval a moment later
                if (made := await self.send("POST", "/api/exports", json=body)) is not None:
                    self.promises["export"][made.json()["id"]] = section["proposal_id"]
                    return True
                await asyncio.sleep(PAUSE_SECONDS / 4)
            return False

        return export

    def _drafter(self, section: dict[str, Any]) -> Work:
        async def draft() -> bool:
            wish = {"section_id": section["id"], "answers": {"who": "Three villages."}}
            begun = await self.send("POST", "/api/ai/write", json=wish, headers={"Prefer": "respond-async"})
            if begun is None:
                return False
            listener = Listener(self.http, begun.json()["job_id"])
            part = self.part
            await listener.listen()
            if listener.refusals - {(503, True)}:
                self.faults[f"{part}: a stream was refused: {listener.refusals}"] += 1
            if listener.job["status"] != "succeeded" or listener.text != self._draft:
                self.faults[f"{part}: a draft was lost: {listener.job} {len(listener.text)}"] += 1
            self.promises["draft"][begun.json()["job_id"]] = listener.job["status"]
            return True

        return draft
