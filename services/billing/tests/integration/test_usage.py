"""`GET /api/usage` and what it counts, from the events of other services."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from billing.deps import Deps
from billing.testing import NOW
from common.db import Tenant
from common.ids import new_id
from common.testing import IdentityIssuer
from contracts import exports, uploads
from contracts.ai import GenerationFinished, ProposalCreated, ProposalDeleted
from contracts.gateway import MemberAdded, MemberRemoved, OrgCreated, OrgDeleted, UserErased

from .facts import consume, example

pytestmark = pytest.mark.integration


async def usage(client: httpx.AsyncClient, headers: dict[str, str]) -> dict[str, Any]:
    answer = await client.get("/api/usage", headers=headers)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


class TestGetUsage:
    async def test_an_org_that_was_just_made_is_on_free_before_its_event_arrives(
        self, client: httpx.AsyncClient, headers: dict[str, str], org_id: UUID
    ) -> None:
        body = await usage(client, headers)
        assert body["scope"] == {"org_id": str(org_id), "name": "Northwind", "personal": False}
        assert (body["tier"], body["can_create_proposal"], body["reason"]) == ("free", True, None)

    async def test_it_counts_what_the_other_services_report(
        self, client: httpx.AsyncClient, worker_deps: Deps, headers: dict[str, str], org_id: UUID
    ) -> None:
        member, proposal = new_id(), new_id()
        await consume(
            worker_deps,
            example(OrgCreated, org_id=org_id, name="Northwind", personal=False),
            example(MemberAdded, org_id=org_id, user_id=member),
            example(MemberAdded, org_id=org_id, user_id=new_id()),
            example(MemberRemoved, org_id=org_id, user_id=member, version=2),
            example(ProposalCreated, org_id=org_id, proposal_id=proposal, created_at=NOW),
            example(GenerationFinished, org_id=org_id, generation_id=new_id(), accepted_at=NOW, tokens=900),
            example(
                GenerationFinished,
                org_id=org_id,
                generation_id=new_id(),
                accepted_at=NOW - timedelta(days=1),
                tokens=100,
            ),
            example(uploads.StorageChanged, org_id=org_id, bytes_used=1000),
            example(exports.StorageChanged, org_id=org_id, bytes_used=50),
        )
        body = await usage(client, headers)
        assert body["usage"] == {
            "active": 1,
            "created_this_period": 1,
            "seats": 1,
            "ai_requests_today": 1,
            "ai_tokens_this_month": 1000,
            "storage_bytes": 1050,
        }
        assert (body["can_create_proposal"], body["reason"]) == (False, "active_cap_reached")

        await consume(
            worker_deps,
            example(ProposalDeleted, org_id=org_id, proposal_id=proposal, version=2),
            example(uploads.StorageChanged, org_id=org_id, bytes_used=0, version=2),
        )
        body = await usage(client, headers)
        assert (body["usage"]["active"], body["usage"]["storage_bytes"]) == (0, 50)
        assert body["reason"] == "active_cap_reached", "free counts proposals ever made"

    async def test_a_generation_that_failed_and_was_retried_counts_once_with_its_last_cost(
        self, client: httpx.AsyncClient, worker_deps: Deps, headers: dict[str, str], org_id: UUID
    ) -> None:
        generation = new_id()
        await consume(
            worker_deps,
            example(OrgCreated, org_id=org_id),
            *(
                example(
                    GenerationFinished,
                    org_id=org_id,
                    generation_id=generation,
                    accepted_at=NOW,
                    version=version,
                    tokens=tokens,
                )
                for version, tokens in ((1, 0), (2, 700))
            ),
        )
        counted = (await usage(client, headers))["usage"]
        assert (counted["ai_requests_today"], counted["ai_tokens_this_month"]) == (1, 700)

    async def test_another_org_sees_nothing_of_it(
        self, client: httpx.AsyncClient, worker_deps: Deps, issuer: IdentityIssuer, org_id: UUID
    ) -> None:
        await consume(worker_deps, example(ProposalCreated, org_id=org_id, proposal_id=new_id(), created_at=NOW))
        stranger = issuer.headers(user_id=new_id(), org_id=new_id())
        assert (await usage(client, stranger))["usage"]["active"] == 0

    async def test_an_erased_org_leaves_no_row_and_a_receipt(self, worker_deps: Deps, org_id: UUID) -> None:
        await consume(
            worker_deps,
            example(OrgCreated, org_id=org_id),
            example(ProposalCreated, org_id=org_id, proposal_id=new_id()),
            example(OrgDeleted, org_id=org_id, version=2),
        )
        async with worker_deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
            for table in ("accounts", "proposal_counts", "members", "reviews"):
                found = await uow.session.scalar(
                    text(f"SELECT count(*) FROM {table} WHERE org_id = :org"), {"org": org_id}
                )
                assert found == 0, table
            subjects = await uow.session.scalars(text("SELECT subject FROM outbox ORDER BY position"))
            assert list(subjects)[-1] == "events.billing.org.erased"

    async def test_an_erased_person_gets_a_receipt(self, worker_deps: Deps, org_id: UUID) -> None:
        user_id = new_id()
        await consume(worker_deps, example(UserErased, org_id=org_id, user_id=user_id, version=1))
        async with worker_deps.db.unit_of_work(Tenant(org_id=org_id)) as uow:
            [body] = await uow.session.scalars(
                text("SELECT body FROM outbox WHERE subject = 'events.billing.user.erased' AND org_id = :org"),
                {"org": org_id},
            )
        assert (body["user_id"], body["version"]) == (str(user_id), 1)


class TestWhoMayAsk:
    async def test_a_request_that_came_round_the_gateway_is_refused(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/api/usage")
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthenticated")
        assert answer.headers["content-type"] == "application/problem+json"

    async def test_an_identity_for_another_service_is_refused(
        self, client: httpx.AsyncClient, issuer: IdentityIssuer
    ) -> None:
        foreign = issuer.headers(user_id=new_id(), org_id=new_id(), audience="exports")
        assert (await client.get("/api/usage", headers=foreign)).status_code == 401

    @pytest.mark.parametrize("role", ["viewer", "member"])
    async def test_spending_money_needs_an_admin(
        self, client: httpx.AsyncClient, issuer: IdentityIssuer, role: Any
    ) -> None:
        someone = issuer.headers(user_id=new_id(), org_id=new_id(), role=role)
        answer = await client.post("/api/billing/checkout", json={"price": "pro_monthly"}, headers=someone)
        assert (answer.status_code, answer.json()["error"]) == (403, "role_forbidden")

    async def test_a_key_without_the_scope_is_refused(self, client: httpx.AsyncClient, issuer: IdentityIssuer) -> None:
        key = issuer.headers(user_id=new_id(), org_id=new_id(), role="owner", scopes=frozenset({"ai:use"}))
        answer = await client.get("/api/usage", headers=key)
        assert (answer.status_code, answer.json()["error"]) == (403, "scope_forbidden")


class TestCheckoutWithoutAKey:
    async def test_it_says_that_payments_are_not_set_up(
        self, client: httpx.AsyncClient, headers: dict[str, str]
    ) -> None:
        answer = await client.post("/api/billing/checkout", json={"price": "pro_monthly"}, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (503, "billing_unavailable")
        assert answer.headers["retry-after"]

    @pytest.mark.parametrize(
        "body", [{}, {"price": "gold"}, {"price": "pro_monthly", "seats": 0}, {"price": "pro_monthly", "x": 1}]
    )
    async def test_a_wrong_body_names_the_field(
        self, client: httpx.AsyncClient, headers: dict[str, str], body: dict[str, Any]
    ) -> None:
        answer = await client.post("/api/billing/checkout", json=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (422, "validation_failed")
        assert answer.json()["errors"][0]["field"] in {"price", "seats", "x"}
