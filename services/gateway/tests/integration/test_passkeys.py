"""Passkeys, from a real key pair to a session: alone, and as the second factor."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import cbor2
import httpx
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from .authenticator import PRESENT, Authenticator, decode, encode

PASSWORD = "correct horse battery"
pytestmark = pytest.mark.integration


@pytest.fixture
def device(stack: Any) -> Authenticator:
    """What is in the person's hand, on our own page."""
    return Authenticator(origin=stack.base_url.replace("127.0.0.1", "localhost"))


@pytest.fixture
def database(stack: Any) -> Iterator[psycopg.Connection[Any]]:
    """A look behind."""
    with psycopg.connect(stack.database.admin_url, autocommit=True) as connection:
        connection.execute("SET search_path = gateway")
        yield connection


async def add(browser: httpx.AsyncClient, device: Authenticator, name: str = "laptop", **wrong: Any) -> httpx.Response:
    options = (await browser.post("/api/auth/passkeys/options")).json()
    body = {"name": name, "credential": device.create(options, **wrong)}
    return await browser.post("/api/auth/passkeys", json=body)


@pytest.fixture
async def passkey(person: dict[str, Any], browser: httpx.AsyncClient, device: Authenticator) -> dict[str, Any]:
    """The person's first."""
    answer = await add(browser, device)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def assertion(client: httpx.AsyncClient, device: Authenticator, **wrong: Any) -> dict[str, Any]:
    options = (await client.post("/api/auth/passkeys/sign-in/options")).json()
    return {"credential": device.get(options, **wrong)}


async def sign_in(client: httpx.AsyncClient, device: Authenticator, **wrong: Any) -> httpx.Response:
    body = await assertion(client, device, **wrong)
    return await client.post("/api/auth/passkeys/sign-in", json=body)


async def log_in(client: httpx.AsyncClient, person: dict[str, Any], password: str = PASSWORD) -> httpx.Response:
    return await client.post("/api/auth/login", json={"email": person["user"]["email"], "password": password})


def age(database: psycopg.Connection[Any], person: dict[str, Any], by: timedelta = timedelta(minutes=11)) -> None:
    """Makes the person's sign-ins older."""
    database.execute("UPDATE sessions SET created_at = created_at - %s WHERE user_id = %s", (by, person["user"]["id"]))


async def actions(browser: httpx.AsyncClient) -> list[str]:
    return [row["action"] for row in (await browser.get("/api/audit")).json()["items"]]


class TestAdding:
    async def test_a_passkey_is_listed_with_its_name(self, passkey: dict[str, Any], browser: httpx.AsyncClient) -> None:
        assert (passkey["name"], passkey["last_used_at"], passkey["synced"]) == ("laptop", None, False)
        assert (await browser.get("/api/auth/passkeys")).json() == {"items": [passkey], "next_cursor": None}
        assert "passkey.added" in await actions(browser)

    async def test_one_that_its_maker_copies_between_devices_is_called_synced(
        self, person: dict[str, Any], browser: httpx.AsyncClient, device: Authenticator
    ) -> None:
        device.synced = True
        assert (await add(browser, device)).json()["synced"] is True

    async def test_it_needs_a_fresh_sign_in(
        self,
        person: dict[str, Any],
        browser: httpx.AsyncClient,
        device: Authenticator,
        database: psycopg.Connection[Any],
    ) -> None:
        options = (await browser.post("/api/auth/passkeys/options")).json()
        age(database, person)
        answers = [
            await browser.post("/api/auth/passkeys/options"),
            await browser.post("/api/auth/passkeys", json={"name": "x", "credential": device.create(options)}),
        ]
        assert {(one.status_code, one.json()["error"]) for one in answers} == {(403, "fresh_sign_in_required")}
        await log_in(browser, person)
        assert (await add(browser, device)).status_code == 201

    async def test_a_device_is_told_which_passkeys_it_has_already(
        self, passkey: dict[str, Any], browser: httpx.AsyncClient, device: Authenticator
    ) -> None:
        with pytest.raises(ValueError, match="InvalidStateError"):
            await add(browser, device)

    async def test_what_the_browser_made_is_taken_once(
        self, person: dict[str, Any], browser: httpx.AsyncClient, device: Authenticator
    ) -> None:
        options = (await browser.post("/api/auth/passkeys/options")).json()
        body = {"name": "laptop", "credential": device.create(options)}
        answers = await asyncio.gather(*(browser.post("/api/auth/passkeys", json=body) for _ in range(8)))
        assert sorted(answer.status_code for answer in answers) == [201] + [400] * 7
        assert {one.json()["error"] for one in answers if one.status_code == 400} == {"invalid_passkey"}

    async def test_another_persons_challenge_is_worth_nothing(
        self, stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, device: Authenticator
    ) -> None:
        async with stack.client() as other:
            await stack.new_person(other)
            options = (await other.post("/api/auth/passkeys/options")).json()
        body = {"name": "x", "credential": device.create(options)}
        assert (await browser.post("/api/auth/passkeys", json=body)).status_code == 400

    async def test_a_sign_in_challenge_makes_no_passkey(
        self, person: dict[str, Any], browser: httpx.AsyncClient, device: Authenticator
    ) -> None:
        options = (await browser.post("/api/auth/passkeys/options")).json()
        options["challenge"] = (await browser.post("/api/auth/passkeys/sign-in/options")).json()["challenge"]
        body = {"name": "x", "credential": device.create(options)}
        assert (await browser.post("/api/auth/passkeys", json=body)).status_code == 400

    async def test_twenty_are_enough(
        self, person: dict[str, Any], browser: httpx.AsyncClient, device: Authenticator
    ) -> None:
        first = (await browser.post("/api/auth/passkeys/options")).json()
        for _ in range(20):
            assert (await add(browser, Authenticator(device.origin))).status_code == 201
        answer = await browser.post("/api/auth/passkeys/options")
        late = await browser.post("/api/auth/passkeys", json={"name": "x", "credential": device.create(first)})
        assert {(one.status_code, one.json()["error"]) for one in (answer, late)} == {(409, "conflict")}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"origin": "https://evil.example"},
            {"origin": 7},
            {"rp_id": "evil.example"},
            {"type": "webauthn.get"},
            {"challenge": encode(b"c" * 32)},
            {"challenge": None},
            {"challenge": ""},
            {"cross_origin": True},
            {"flags": 0x44},
            {"flags": PRESENT},
            {"flags": 0x51},
            {"fmt": "packed"},
            {"fmt": "tpm"},
            {"fmt": "android-safetynet"},
            {"fmt": ["none"]},
            {"fmt": "unheard-of"},
            {"auth_data": b"short"},
            {"auth_data": b"x" * 37},
            {"auth_data": b"x" * 32 + b"\xc5" + b"\xff" * 200},
            {"attestation": b"\xff\x00"},
            {"attestation": b"\x81" * 5000},
            {"attestation": cbor2.dumps({"fmt": "none", "authData": 5, "attStmt": 7})},
            {"attestation": cbor2.dumps([1, 2, 3])},
        ],
        ids=repr,
    )
    async def test_what_does_not_verify_is_refused(
        self, wrong: dict[str, Any], person: dict[str, Any], browser: httpx.AsyncClient, device: Authenticator
    ) -> None:
        answer = await add(browser, device, **wrong)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_passkey")
        assert (await browser.get("/api/auth/passkeys")).json()["items"] == []

    @pytest.mark.parametrize(
        "key",
        [
            {},
            {1: 2, 3: -7, -1: 1, -2: b"x" * 32, -3: b"y" * 32},
            {1: 2, 3: -7, -1: 99, -2: b"x", -3: b"y"},
            {1: 3, 3: -257, -1: b"", -2: b""},
            {1: 1, 3: -8, -1: 6, -2: b"short"},
            {1: "two", 3: None},
            [],
        ],
        ids=repr,
    )
    async def test_a_key_that_is_none_is_refused(
        self, key: Any, person: dict[str, Any], browser: httpx.AsyncClient, device: Authenticator
    ) -> None:
        device.cose = lambda _: cbor2.dumps(key)  # type: ignore[assignment]
        answer = await add(browser, device)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_passkey")


class TestManaging:
    async def test_renaming(self, passkey: dict[str, Any], browser: httpx.AsyncClient) -> None:
        answer = await browser.patch(f"/api/auth/passkeys/{passkey['id']}", json={"name": "old laptop"})
        assert (answer.status_code, answer.json()) == (200, passkey | {"name": "old laptop"})
        assert "passkey.renamed" in await actions(browser)

    async def test_a_removed_one_signs_nobody_in(
        self, stack: Any, passkey: dict[str, Any], browser: httpx.AsyncClient, device: Authenticator
    ) -> None:
        assert (await browser.delete(f"/api/auth/passkeys/{passkey['id']}")).status_code == 204
        assert (await browser.get("/api/auth/passkeys")).json()["items"] == []
        assert "passkey.removed" in await actions(browser)
        async with stack.client() as other:
            assert (await sign_in(other, device)).status_code == 401

    async def test_removing_needs_a_fresh_sign_in(
        self,
        person: dict[str, Any],
        passkey: dict[str, Any],
        browser: httpx.AsyncClient,
        database: psycopg.Connection[Any],
    ) -> None:
        age(database, person)
        answer = await browser.delete(f"/api/auth/passkeys/{passkey['id']}")
        assert (answer.status_code, answer.json()["error"]) == (403, "fresh_sign_in_required")

    async def test_a_sign_in_with_it_is_fresh_and_ends_what_the_browser_had(
        self,
        person: dict[str, Any],
        passkey: dict[str, Any],
        browser: httpx.AsyncClient,
        device: Authenticator,
        database: psycopg.Connection[Any],
    ) -> None:
        age(database, person)
        former = browser.cookies["bidwright"]
        assert (await sign_in(browser, device)).status_code == 200
        assert len((await browser.get("/api/auth/sessions")).json()["items"]) == 1
        assert (await browser.delete(f"/api/auth/passkeys/{passkey['id']}")).status_code == 204
        assert (await browser.get("/api/me", headers={"cookie": f"bidwright={former}"})).status_code == 401

    async def test_another_persons_are_not_there(
        self, stack: Any, passkey: dict[str, Any], browser: httpx.AsyncClient
    ) -> None:
        async with stack.client() as other:
            await stack.new_person(other)
            path = f"/api/auth/passkeys/{passkey['id']}"
            answers = [await other.delete(path), await other.patch(path, json={"name": "mine"})]
            assert {answer.status_code for answer in answers} == {404}
            assert (await other.get("/api/auth/passkeys")).json()["items"] == []
        assert (await browser.get("/api/auth/passkeys")).json()["items"] == [passkey]

    async def test_the_only_way_in_stays(
        self,
        person: dict[str, Any],
        passkey: dict[str, Any],
        browser: httpx.AsyncClient,
        database: psycopg.Connection[Any],
        device: Authenticator,
    ) -> None:
        database.execute("UPDATE users SET password_hash = NULL WHERE id = %s", (person["user"]["id"],))
        assert (await browser.get("/api/me")).json()["user"]["has_password"] is False
        answer = await browser.delete(f"/api/auth/passkeys/{passkey['id']}")
        assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
        await add(browser, Authenticator(device.origin), "another")
        assert (await browser.delete(f"/api/auth/passkeys/{passkey['id']}")).status_code == 204

    async def test_an_erased_persons_are_erased(
        self,
        stack: Any,
        passkey: dict[str, Any],
        browser: httpx.AsyncClient,
        device: Authenticator,
        database: psycopg.Connection[Any],
    ) -> None:
        assert (await browser.delete("/api/me")).status_code == 204
        async with stack.client() as other:
            assert (await sign_in(other, device)).status_code == 401
        assert database.execute("SELECT count(*) FROM passkeys WHERE id = %s", (passkey["id"],)).fetchone() == (0,)


class TestSigningIn:
    async def test_a_passkey_alone_signs_in(
        self, stack: Any, person: dict[str, Any], passkey: dict[str, Any], device: Authenticator
    ) -> None:
        async with stack.client() as other:
            for _ in range(2):
                answer = await sign_in(other, device)
                assert (answer.status_code, answer.json()["user"]) == (200, person["user"])
            assert (await other.get("/api/me")).status_code == 200
            [shown] = (await other.get("/api/auth/passkeys")).json()["items"]
            assert shown["last_used_at"] is not None

    async def test_one_that_keeps_no_counter_signs_in_again_and_again(
        self, stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, device: Authenticator
    ) -> None:
        device.counts = False
        await add(browser, device)
        async with stack.client() as other:
            assert [(await sign_in(other, device)).status_code for _ in range(3)] == [200, 200, 200]

    async def test_of_twenty_parallel_replays_one_signs_in(
        self, stack: Any, person: dict[str, Any], browser: httpx.AsyncClient, device: Authenticator
    ) -> None:
        device.counts = False
        await add(browser, device)
        async with stack.client() as other:
            body = await assertion(other, device)
            before = len((await browser.get("/api/auth/sessions")).json()["items"])
            clients = [stack.client() for _ in range(20)]
            answers = await asyncio.gather(
                *(client.post("/api/auth/passkeys/sign-in", json=body) for client in clients)
            )
            for client in clients:
                await client.aclose()
        codes = [answer.status_code for answer in answers]
        assert codes.count(200) == 1
        assert set(codes) <= {200, 401, 429}
        assert len((await browser.get("/api/auth/sessions")).json()["items"]) == before + 1

    async def test_a_counter_that_goes_backwards_is_refused_and_noted(
        self, stack: Any, passkey: dict[str, Any], browser: httpx.AsyncClient, device: Authenticator
    ) -> None:
        async with stack.client() as other:
            assert (await sign_in(other, device, count=7)).status_code == 200
            assert [(await sign_in(other, device, count=count)).status_code for count in (7, 6, 0)] == [401, 401, 401]
            assert (await sign_in(other, device, count=8)).status_code == 200
        assert (await actions(browser)).count("passkey.suspect") == 3

    async def test_a_forged_counter_is_not_noted(
        self, stack: Any, passkey: dict[str, Any], browser: httpx.AsyncClient, device: Authenticator
    ) -> None:
        async with stack.client() as other:
            assert (await sign_in(other, device, count=7)).status_code == 200
            forged = await sign_in(other, device, count=3, key=ec.generate_private_key(ec.SECP256R1()))
            assert forged.status_code == 401
        assert "passkey.suspect" not in await actions(browser)

    async def test_an_old_challenge_is_not_answered(
        self, stack: Any, passkey: dict[str, Any], device: Authenticator, database: psycopg.Connection[Any]
    ) -> None:
        async with stack.client() as other:
            body = await assertion(other, device)
            database.execute("UPDATE passkey_ceremonies SET expires_at = expires_at - interval '6 minutes'")
            assert (await other.post("/api/auth/passkeys/sign-in", json=body)).status_code == 401

    async def test_bad_assertions_are_throttled(
        self, stack: Any, passkey: dict[str, Any], device: Authenticator
    ) -> None:
        async with stack.client() as other:
            bad = [await sign_in(other, device, origin="https://evil.example") for _ in range(7)]
        assert [answer.status_code for answer in bad] == [401] * 5 + [429] * 2
        assert bad[-1].json()["error"] == "login_throttled"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"origin": "https://evil.example"},
            {"rp_id": "evil.example"},
            {"type": "webauthn.create"},
            {"challenge": encode(b"c" * 32)},
            {"cross_origin": True},
            {"flags": 0},
            {"flags": PRESENT},
            {"flags": 0xFF},
            {"user_handle": b"somebody else"},
            {"key": ec.generate_private_key(ec.SECP256R1())},
            {"key": ec.generate_private_key(ec.SECP384R1())},
        ],
        ids=lambda wrong: next(iter(wrong)),
    )
    async def test_what_does_not_verify_is_refused(
        self, wrong: dict[str, Any], stack: Any, passkey: dict[str, Any], device: Authenticator
    ) -> None:
        async with stack.client() as other:
            answer = await sign_in(other, device, **wrong)
            assert (answer.status_code, answer.json()["error"]) == (401, "unauthenticated")
            assert "bidwright" not in other.cookies

    async def test_without_the_name_of_its_owner_it_is_no_first_factor(
        self, stack: Any, passkey: dict[str, Any], device: Authenticator
    ) -> None:
        async with stack.client() as other:
            body = await assertion(other, device)
            del body["credential"]["response"]["userHandle"]
            assert (await other.post("/api/auth/passkeys/sign-in", json=body)).status_code == 401


@pytest.fixture
async def guarded(passkey: dict[str, Any], person: dict[str, Any], browser: httpx.AsyncClient) -> dict[str, Any]:
    """The person, with the second factor on."""
    answer = await browser.patch("/api/me", json={"second_factor": True})
    assert (answer.status_code, answer.json()["user"]["second_factor"]) == (200, True)
    return person


class TestSecondFactor:
    async def test_the_password_is_then_half_of_a_sign_in(
        self, stack: Any, guarded: dict[str, Any], device: Authenticator
    ) -> None:
        device.verifies = False
        async with stack.client() as other:
            answer = await log_in(other, guarded)
            half = answer.json()
            assert (answer.status_code, half["error"]) == (403, "second_factor_required")
            assert answer.headers["cache-control"] == "no-store"
            assert [decode(one["id"]) for one in half["options"]["allowCredentials"]] == list(device.kept)
            assert (await other.get("/api/me")).status_code == 401
            body = {"ticket": half["ticket"], "credential": device.get(half["options"])}
            answer = await other.post("/api/auth/passkeys/sign-in", json=body)
            assert (answer.status_code, answer.json()["user"]["second_factor"]) == (200, True)
            again = await other.post("/api/auth/passkeys/sign-in", json=body)
            assert again.status_code == 401

    async def test_a_wrong_password_learns_nothing_of_it(self, stack: Any, guarded: dict[str, Any]) -> None:
        async with stack.client() as other:
            answer = await log_in(other, guarded, "not this one")
            assert (answer.status_code, answer.json()["error"]) == (401, "unauthenticated")
            assert "ticket" not in answer.json()

    async def test_a_ticket_takes_only_its_own_persons_passkey(
        self, stack: Any, guarded: dict[str, Any], device: Authenticator
    ) -> None:
        async with stack.client() as thief:
            await stack.new_person(thief)
            own = Authenticator(device.origin)
            await add(thief, own)
            half = (await log_in(thief, guarded)).json()
            half["options"]["allowCredentials"] = []
            body = {"ticket": half["ticket"], "credential": own.get(half["options"])}
            await thief.post("/api/auth/logout")
            answer = await thief.post("/api/auth/passkeys/sign-in", json=body)
            assert answer.status_code == 401

    @pytest.mark.parametrize("ticket", [None, "another", "x" * 200])
    async def test_the_challenge_is_worth_nothing_without_its_ticket(
        self, ticket: str | None, stack: Any, guarded: dict[str, Any], device: Authenticator
    ) -> None:
        async with stack.client() as other:
            half = (await log_in(other, guarded)).json()
            body = {"ticket": ticket, "credential": device.get(half["options"])}
            assert (await other.post("/api/auth/passkeys/sign-in", json=body)).status_code == 401

    async def test_an_unverified_passkey_is_no_first_factor(
        self, stack: Any, guarded: dict[str, Any], device: Authenticator
    ) -> None:
        device.verifies = False
        async with stack.client() as other:
            assert (await sign_in(other, device)).status_code == 401

    async def test_a_new_password_does_not_get_round_it(self, stack: Any, guarded: dict[str, Any]) -> None:
        email = guarded["user"]["email"]
        async with stack.client() as other:
            await other.post("/api/auth/password/forgot", json={"email": email})
            token = await stack.mailed_token(email, "new password")
            body = {"token": token, "password": "brand new words"}
            assert (await other.post("/api/auth/password/reset", json=body)).status_code == 200
            assert (await other.get("/api/me")).status_code == 401
            answer = await log_in(other, guarded, "brand new words")
            assert (answer.status_code, answer.json()["error"]) == (403, "second_factor_required")

    async def test_a_ticket_dies_with_the_password(
        self, stack: Any, guarded: dict[str, Any], device: Authenticator
    ) -> None:
        email = guarded["user"]["email"]
        async with stack.client() as other:
            half = (await log_in(other, guarded)).json()
            await other.post("/api/auth/password/forgot", json={"email": email})
            token = await stack.mailed_token(email, "new password")
            await other.post("/api/auth/password/reset", json={"token": token, "password": "brand new words"})
            body = {"ticket": half["ticket"], "credential": device.get(half["options"])}
            assert (await other.post("/api/auth/passkeys/sign-in", json=body)).status_code == 401

    async def test_it_needs_a_passkey(self, person: dict[str, Any], browser: httpx.AsyncClient) -> None:
        answer = await browser.patch("/api/me", json={"second_factor": True})
        assert (answer.status_code, answer.json()["error"]) == (409, "conflict")

    @pytest.mark.parametrize("on", [True, False])
    async def test_switching_it_needs_a_fresh_sign_in(
        self,
        on: bool,
        person: dict[str, Any],
        passkey: dict[str, Any],
        browser: httpx.AsyncClient,
        database: psycopg.Connection[Any],
    ) -> None:
        if not on:
            await browser.patch("/api/me", json={"second_factor": True})
        age(database, person)
        answer = await browser.patch("/api/me", json={"second_factor": on})
        assert (answer.status_code, answer.json()["error"]) == (403, "fresh_sign_in_required")

    async def test_it_goes_off_when_asked(
        self, stack: Any, guarded: dict[str, Any], browser: httpx.AsyncClient
    ) -> None:
        await browser.patch("/api/me", json={"second_factor": False})
        assert {"second_factor.on", "second_factor.off"} <= set(await actions(browser))
        async with stack.client() as other:
            assert (await log_in(other, guarded)).status_code == 200

    async def test_it_goes_with_the_last_passkey(
        self, guarded: dict[str, Any], passkey: dict[str, Any], browser: httpx.AsyncClient
    ) -> None:
        assert (await browser.delete(f"/api/auth/passkeys/{passkey['id']}")).status_code == 204
        assert (await browser.get("/api/me")).json()["user"]["second_factor"] is False
        assert "second_factor.off" in await actions(browser)


RUBBISH: list[Any] = [
    None,
    7,
    "text",
    [],
    {},
    {"id": "AA", "rawId": "AA", "type": "public-key", "response": {}},
    {"id": 1, "rawId": 2, "type": "public-key", "response": []},
    {"id": "AA", "rawId": "AA", "type": "password", "response": {}},
]
IN_BOTH = ("id", "rawId", "clientDataJSON")
FIELDS = [
    *(("", name) for name in (*IN_BOTH, "attestationObject")),
    *(("/sign-in", name) for name in (*IN_BOTH, "authenticatorData", "signature", "userHandle")),
]
"""Of what is sent where, what we read."""
ODD: list[Any] = ["", "!", "é", "\x00", "\ud800", "A", "x" * 20_001, encode(b"{}"), encode(b"[" * 9000), 5, [], {}]


class TestRubbish:
    @pytest.mark.parametrize("credential", RUBBISH, ids=repr)
    async def test_what_is_no_credential_is_refused(
        self, credential: Any, person: dict[str, Any], browser: httpx.AsyncClient
    ) -> None:
        answers = [
            await browser.post("/api/auth/passkeys", json={"name": "x", "credential": credential}),
            await browser.post("/api/auth/passkeys/sign-in", json={"credential": credential}),
        ]
        assert {answer.status_code for answer in answers} == {422}

    @pytest.mark.parametrize(("path", "field"), FIELDS)
    async def test_a_field_that_is_odd_is_refused(
        self, path: str, field: str, person: dict[str, Any], browser: httpx.AsyncClient, device: Authenticator
    ) -> None:
        for odd in ODD:
            used = Authenticator(device.origin)
            options = (await browser.post("/api/auth/passkeys/options")).json()
            body: dict[str, Any] = {"name": "x", "credential": used.create(options)}
            if path == "/sign-in":
                assert (await browser.post("/api/auth/passkeys", json=body)).status_code == 201
                body = await assertion(browser, used)
            credential = body["credential"]
            (credential if field in credential else credential["response"])[field] = odd
            # Not by httpx, which cannot write half a surrogate.
            answer = await browser.post(
                f"/api/auth/passkeys{path}", content=json.dumps(body), headers={"content-type": "application/json"}
            )
            assert answer.status_code in (401 if path else 400, 422), (odd, answer.text)

    @pytest.mark.parametrize("value", ["yes", 1, "", []])
    async def test_the_second_factor_is_on_or_off(self, value: Any, passkey: Any, browser: httpx.AsyncClient) -> None:
        assert (await browser.patch("/api/me", json={"second_factor": value})).status_code == 422
