"""What billing reports comes by mail to who runs the org: once each, and to nobody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import nats
import pytest

from contracts import Event
from contracts.billing import PaymentFailed, SubscriptionChanged, UsageThresholdReached

pytestmark = pytest.mark.integration


@dataclass
class Team:
    """An org with a person in each role."""

    stack: Any
    org_id: str
    people: dict[str, str]

    def subjects(self, role: str) -> list[str]:
        """What of its plan has been mailed to the person, oldest first."""
        mails = [json.loads(file.read_text()) for file in sorted(self.stack.mailbox.glob("*.json"))]
        link = f"/app/billing?org={self.org_id}"
        return [it["subject"] for it in mails if it["to"] == self.people[role] and it["links"][0].endswith(link)]

    async def until(self, role: str, count: int) -> list[str]:
        for _ in range(200):
            if len(found := self.subjects(role)) >= count:
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(f"{role} has {self.subjects(role)}")

    async def publish(self, *events: Event, times: int = 1) -> None:
        connection = await nats.connect(self.stack.nats_billing, inbox_prefix="_INBOX_billing")
        for event in events:
            event_id = str(uuid4())
            for repeat in range(times):
                # Another message id: the stream does not see that it is a repeat, the inbox has to.
                await connection.jetstream().publish(
                    event.META.subject,
                    event.model_dump_json().encode(),
                    headers={"ce-id": event_id, "ce-type": event.META.type, "Nats-Msg-Id": f"{event_id}-{repeat}"},
                )
        await connection.close()

    def example(self, event_class: type[Event], **changes: Any) -> Event:
        return event_class.model_validate({**event_class.EXAMPLE, "org_id": UUID(self.org_id), **changes})


@pytest.fixture
async def team(stack: Any) -> AsyncIterator[Team]:
    async with AsyncExitStack() as closing:
        owner = await closing.enter_async_context(stack.client())
        people = {"owner": (await stack.new_person(owner))["user"]["email"]}
        org_id = (await owner.post("/api/orgs", json={"name": "Northwind"})).json()["id"]
        await stack.set_tier(org_id, "pro", seats=9)
        await stack.until_tier(owner, org_id, "pro")
        for role in ("admin", "member", "viewer"):
            invited = await closing.enter_async_context(stack.client())
            people[role] = (await stack.new_person(invited))["user"]["email"]
            await join(stack, owner, invited, org_id, people[role], role)
        yield Team(stack, org_id, people)


async def join(
    stack: Any, owner: httpx.AsyncClient, invited: httpx.AsyncClient, org_id: str, email: str, role: str
) -> None:
    answer = await owner.post(
        f"/api/orgs/{org_id}/invites", json={"email": email, "role": role}, headers={"x-org-id": org_id}
    )
    assert answer.status_code == 201, answer.text
    token = await stack.mailed_token(email, "Join")
    answer = await invited.post("/api/invites/accept", json={"token": token})
    assert answer.status_code == 200, answer.text


class TestNotices:
    async def test_each_owner_and_admin_gets_one_mail_however_often_it_is_delivered(self, team: Team) -> None:
        await team.publish(
            *(
                team.example(UsageThresholdReached, version=version, threshold=threshold, used=19)
                for version, threshold in ((1, 70), (2, 90))
            ),
            times=3,
        )
        await team.publish(team.example(PaymentFailed), times=3)
        await team.publish(
            team.example(SubscriptionChanged, version=1),
            team.example(SubscriptionChanged, version=2, cancel_at_period_end=True, news="cancel_scheduled"),
            team.example(SubscriptionChanged, version=3, status="canceled", news="ended"),
            times=2,
        )
        expected = {
            "Northwind has used 90% of its proposals of this period",
            "A payment for Northwind failed",
            "The plan of Northwind was cancelled",
            "The plan of Northwind has ended",
        }
        for role in ("owner", "admin"):
            assert set(await team.until(role, 4)) == expected
        await asyncio.sleep(1)
        for role, count in {"owner": 4, "admin": 4, "member": 0, "viewer": 0}.items():
            assert len(team.subjects(role)) == count, role

    async def test_it_says_in_both_forms_what_to_do_and_why_it_came(self, team: Team) -> None:
        await team.publish(team.example(PaymentFailed))
        mail = await team.stack.mail(team.people["owner"], "A payment for Northwind failed")
        for form in ("text", "html"):
            assert "8 November 2026" in mail[form]
            assert f"/app/billing?org={team.org_id}" in mail[form]
            assert "because you are an owner or admin of Northwind" in mail[form]
            assert "did not ask for this" not in mail[form]
