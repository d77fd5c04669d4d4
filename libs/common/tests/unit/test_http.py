"""The shared HTTP side: errors, ids, identity, probes; through a real app."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, Depends
from prometheus_client import REGISTRY
from pydantic import BaseModel

from common.errors import QuotaExceeded, RateLimited
from common.health import Dependency, Health
from common.http import create_app
from common.identity import HEADER, Identity, IdentityVerifier, KeySet, require, sign
from common.ids import new_id
from common.pagination import decode_cursor, encode_cursor
from common.strings import Line
from common.testing import IdentityIssuer

router = APIRouter()


class Body(BaseModel):
    title: Line
    count: int = 0


@router.post("/things")
async def make(body: Body) -> Body:
    return body


@router.get("/things")
async def find() -> list[str]:
    return []


@router.get("/things/{thing_id}")
async def get(thing_id: UUID) -> dict[str, str]:
    return {"id": str(thing_id)}


@router.get("/quota")
async def quota() -> None:
    raise QuotaExceeded(reason="storage_exhausted", limits={"storage_bytes": 1}, usage={"storage_bytes": 2})


@router.get("/slow-down")
async def slow_down() -> None:
    raise RateLimited(retry_after=0.2)


@router.get("/crash")
async def crash() -> None:
    raise RuntimeError("secret detail")


@router.get("/admin")
async def admin(identity: Annotated[Identity, Depends(require("admin", "org:read"))]) -> dict[str, str]:
    return {"user": str(identity.user_id), "org": str(identity.org_id)}


async def fine() -> None:
    return None


async def broken() -> None:
    raise OSError("no")


@pytest.fixture
def issuer() -> IdentityIssuer:
    return IdentityIssuer("things")


@pytest.fixture
def health() -> Health:
    return Health([Dependency("postgres", fine), Dependency("nats", broken, required=False)])


@pytest.fixture
async def client(issuer: IdentityIssuer, health: Health) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(service="things", title="Things", routers=[router], health=health, verifier=issuer.verifier)
    transport = httpx.ASGITransport(app)  # what is raised further would make the server close the connection
    async with httpx.AsyncClient(transport=transport, base_url="http://things") as client:
        yield client


class TestErrors:
    async def test_a_refusal_is_a_problem_with_the_request_id(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/quota", headers={"x-request-id": "req-1"})
        assert answer.status_code == 402
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.headers["x-quota-reason"], answer.headers["x-request-id"]) == ("storage_exhausted", "req-1")
        body = answer.json()
        assert (body["error"], body["reason"], body["request_id"]) == ("quota_exceeded", "storage_exhausted", "req-1")
        assert (body["limits"], body["usage"]) == ({"storage_bytes": 1}, {"storage_bytes": 2})

    async def test_retry_after_is_a_whole_second_at_least(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/slow-down")
        assert (answer.headers["retry-after"], answer.json()["retry_after"]) == ("1", 1)

    async def test_a_crash_tells_nothing_of_the_inside(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/crash")
        assert (answer.status_code, answer.json()["error"]) == (500, "internal_error")
        assert "secret" not in answer.text
        assert answer.headers["x-request-id"] == answer.json()["request_id"]

    @pytest.mark.parametrize("thing_id", ["1", "x", "01920000-0000-7000-8000-00000000000g", "%00"])
    async def test_a_malformed_id_in_a_path_is_not_found(self, client: httpx.AsyncClient, thing_id: str) -> None:
        answer = await client.get(f"/things/{thing_id}")
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")

    @pytest.mark.parametrize(
        ("body", "content_type", "status", "error"),
        [
            (b"{", "application/json", 400, "invalid_json"),
            (b'{"title": "\xff"}', "application/json", 400, "invalid_json"),
            (b"[" * 100_000, "application/json", 400, "invalid_json"),
            (b"title=x", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
            (b'{"title": "a"}', "multipart/form-data; boundary=x", 415, "unsupported_media_type"),
            (b"{}", "application/json", 422, "validation_failed"),
            (b'{"title": " "}', "application/json", 422, "validation_failed"),
            (b'{"title": "a\\u0000b"}', "application/json", 422, "validation_failed"),
            (b'{"title": "\\ud800"}', "application/json", 422, "validation_failed"),
            (b'{"title": "a", "count": "many"}', "application/json", 422, "validation_failed"),
        ],
    )
    async def test_a_bad_body_is_refused(
        self, client: httpx.AsyncClient, body: bytes, content_type: str, status: int, error: str
    ) -> None:
        answer = await client.post("/things", content=body, headers={"content-type": content_type})
        assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text

    async def test_an_unknown_path_and_a_wrong_method(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/nothing")).json()["error"] == "not_found"
        answer = await client.delete("/things")
        assert (answer.status_code, answer.json()["error"], answer.headers["allow"]) == (
            405,
            "method_not_allowed",
            "GET, POST",
        )

    @pytest.mark.parametrize("request_id", ["", "x" * 200, "a\tb"])
    async def test_an_unusable_request_id_is_replaced(self, client: httpx.AsyncClient, request_id: str) -> None:
        answer = await client.get("/quota", headers={"x-request-id": request_id})
        assert answer.headers["x-request-id"] not in ("", request_id)


class TestRequire:
    async def test_a_signed_identity_is_let_in(self, client: httpx.AsyncClient, issuer: IdentityIssuer) -> None:
        user, org = new_id(), new_id()
        answer = await client.get("/admin", headers=issuer.headers(user_id=user, org_id=org, role="owner"))
        assert answer.json() == {"user": str(user), "org": str(org)}

    async def test_a_lower_role_is_refused(self, client: httpx.AsyncClient, issuer: IdentityIssuer) -> None:
        answer = await client.get("/admin", headers=issuer.headers(user_id=new_id(), org_id=new_id(), role="member"))
        assert (answer.status_code, answer.json()["error"]) == (403, "role_forbidden")

    async def test_every_forgery_is_refused(self, client: httpx.AsyncClient, issuer: IdentityIssuer) -> None:
        identity = Identity(user_id=new_id(), org_id=new_id(), role="owner")
        now = int(time.time())
        foreign = Ed25519PrivateKey.generate()
        claims = {"iss": "bidwright-gateway", "aud": "things", "iat": now, "exp": now + 60, "sub": str(new_id())}
        claims |= {"org": str(new_id()), "role": "owner"}
        forgeries = [
            "",
            "nonsense",
            "a.b.c",
            sign(identity, audience="things", key=foreign, key_id="test", issued_at=now),
            sign(identity, audience="things", key=foreign, key_id="unknown", issued_at=now),
            jwt.encode(
                {**claims, "org": str(new_id()), "role": "owner"}, None, algorithm="none", headers={"kid": "test"}
            ),
            jwt.encode({**claims, "role": "owner"}, "k" * 32, algorithm="HS256", headers={"kid": "test"}),
        ]
        for forgery in forgeries:
            answer = await client.get("/admin", headers={HEADER: forgery})
            assert (answer.status_code, answer.json()["error"]) == (401, "unauthenticated"), forgery

    @pytest.mark.parametrize(("age", "status"), [(0, 200), (62, 200), (70, 401)])
    async def test_an_old_identity_is_refused(self, age: int, status: int) -> None:
        key = Ed25519PrivateKey.generate()
        verifier = IdentityVerifier("things", KeySet(keys={"k": key.public_key()}))
        app = create_app(service="things", title="Things", routers=[router], health=Health(), verifier=verifier)
        identity = Identity(user_id=new_id(), org_id=new_id(), role="owner")
        token = sign(identity, audience="things", key=key, key_id="k", issued_at=int(time.time()) - age)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://things") as client:
            assert (await client.get("/admin", headers={HEADER: token})).status_code == status


class TestProbes:
    async def test_liveness_asks_no_one(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/healthz")).json() == {"status": "ok"}

    async def test_readiness_names_each_dependency_and_forgives_an_optional_one(
        self, client: httpx.AsyncClient
    ) -> None:
        answer = await client.get("/readyz")
        assert answer.status_code == 200
        assert answer.json()["dependencies"] == {"postgres": "ok", "nats": "failed: OSError"}

    async def test_a_draining_process_is_not_ready(self, client: httpx.AsyncClient, health: Health) -> None:
        health.draining = True
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, "draining")

    async def test_a_failing_required_dependency_makes_it_unready(
        self, client: httpx.AsyncClient, health: Health
    ) -> None:
        health.dependencies = [Dependency("postgres", broken)]
        assert (await client.get("/readyz")).status_code == 503

    async def test_metrics_count_requests_by_route(self, client: httpx.AsyncClient) -> None:
        await client.get(f"/things/{new_id()}")
        text = (await client.get("/metrics")).text
        labels = {
            "service": "things",
            "http_request_method": "GET",
            "http_route": "/things/{thing_id}",
            "http_response_status_code": "200",
        }
        assert (REGISTRY.get_sample_value("http_server_request_duration_seconds_count", labels) or 0) >= 1
        assert 'http_route="/things/{thing_id}"' in text


class TestCursor:
    def test_it_carries_its_parts(self) -> None:
        assert decode_cursor(encode_cursor("a", "b"), 2) == ("a", "b")

    @pytest.mark.parametrize(
        "cursor", ["", "x", "!!!", encode_cursor("a"), encode_cursor("a", "b", "c"), "bnVsbA", "W1si" * 500]
    )
    def test_anything_else_is_refused(self, cursor: str) -> None:
        with pytest.raises(Exception, match="cursor") as refused:
            decode_cursor(cursor, 2)
        assert getattr(refused.value, "error", None) == "invalid_cursor"
