"""The account and what admins look after, in Chromium: passkeys of a virtual authenticator, sessions, keys, the audit.

As in the whole job: the console stays clean but for the refusals that a test names, and every page is checked with axe.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg
import pytest
from playwright.sync_api import expect

from .account_page import (
    Authenticator,
    add_passkey,
    ask_for_passkey_after_password,
    open_account,
    passkeys,
    sign_out,
)
from .desk import PASSWORD, Api, Desk, link_in_mail, step

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(180)]

REVOCATION_MS = 2_000
NEEDS_SECOND_FACTOR = re.compile(r"status of 403 .*/api/auth/login$")
NEEDS_FRESH_SIGN_IN = re.compile(r"status of 403 .*/api/auth/passkeys")
SIGNED_OUT = re.compile(r"status of 401 .*/api/")


def arrive(desk: Desk) -> str:
    """A new account, signed in; the address."""
    email = f"ada-{uuid.uuid4().hex[:12]}@example.com"
    Api(desk).post("/api/auth/register", email=email, password=PASSWORD, name="Ada Fenwick")
    desk.page.goto(link_in_mail(desk, email))
    expect(desk.heading("Proposals")).to_be_visible()
    return email


@step
def open_of_org(desk: Desk, item: str) -> None:
    desk.button(re.compile("^Organisation: "))
    desk.page.get_by_role("menuitem", name=item).click()
    expect(desk.heading(item)).to_be_visible()


@step
def type_password(desk: Desk, email: str) -> None:
    desk.page.get_by_label("Email").fill(email)
    desk.page.get_by_label("Password").fill(PASSWORD)
    desk.button("Sign in")


def make_stale(desk: Desk, email: str) -> None:
    """The account's sign-ins were an hour ago."""
    with psycopg.connect(desk.stack.env["GATEWAY_DATABASE_URL"]) as connection:
        connection.execute(
            "UPDATE gateway.sessions SET created_at = created_at - interval '1 hour'"
            " WHERE user_id = (SELECT id FROM gateway.users WHERE email = %s)",
            (email,),
        )


class TestAPasskey:
    def test_signs_in_alone(self, desk: Desk) -> None:
        arrive(desk)
        device = Authenticator(desk)
        open_account(desk)
        desk.look("40-account")
        add_passkey(desk, "Work laptop")
        assert device.count() == 1
        desk.look("41-account-passkey")
        device.touch(False)
        sign_out(desk)
        desk.look("42-sign-in")
        device.touch(True)
        desk.button("Sign in with a passkey")
        expect(desk.heading("Proposals")).to_be_visible()
        open_account(desk)
        expect(passkeys(desk).filter(has_text="used just now")).to_be_visible()
        assert desk.complaints == []

    def test_is_asked_for_after_the_password(self, desk: Desk) -> None:
        desk.refusals.append(NEEDS_SECOND_FACTOR)
        email = arrive(desk)
        device = Authenticator(desk)
        open_account(desk)
        add_passkey(desk, "Work laptop")
        ask_for_passkey_after_password(desk)
        device.touch(False)
        sign_out(desk)
        type_password(desk, email)
        expect(desk.heading("One more step")).to_be_visible()
        desk.look("43-second-factor")
        device.touch(True)
        desk.button("Confirm with your passkey")
        expect(desk.heading("Proposals")).to_be_visible()
        assert desk.complaints == []

    def test_is_removed_after_a_fresh_sign_in_only(self, desk: Desk) -> None:
        desk.refusals.append(NEEDS_FRESH_SIGN_IN)
        email = arrive(desk)
        Authenticator(desk)
        open_account(desk)
        add_passkey(desk, "Old phone")
        make_stale(desk, email)
        desk.button("Remove Old phone")
        desk.page.get_by_role("alertdialog").get_by_role("button", name="Remove passkey").click()
        again = desk.page.get_by_role("dialog", name="Please sign in again")
        expect(again).to_be_visible()
        desk.look("44-fresh-sign-in")
        again.get_by_label("Password").fill(PASSWORD)
        again.get_by_role("button", name="Continue").click()
        expect(desk.page.get_by_text("No passkeys yet.")).to_be_visible()
        assert desk.complaints == []


class TestASession:
    def test_is_ended_from_another_browser(self, desk: Desk, sit_down: Callable[..., Desk]) -> None:
        email = arrive(desk)
        other = sit_down(1300, 800)
        other.refusals.append(SIGNED_OUT)
        other.open("/app/sign-in")
        type_password(other, email)
        expect(other.heading("Proposals")).to_be_visible()
        open_account(desk)
        sessions = desk.page.get_by_role("list", name="Sessions").get_by_role("listitem")
        expect(sessions).to_have_count(2)
        expect(sessions.filter(has_text="This browser")).to_contain_text("Chrome on Linux")
        desk.look("45-sessions")
        desk.button(re.compile("^Sign out Chrome on Linux"))
        expect(sessions).to_have_count(1)
        other.go("Uploads")
        expect(other.heading("Welcome back")).to_be_visible(timeout=REVOCATION_MS)
        assert (desk.complaints, other.complaints) == ([], [])


class TestAKey:
    def test_is_made_shown_once_and_revoked(self, desk: Desk) -> None:
        arrive(desk)
        open_of_org(desk, "API keys")
        desk.look("46-no-keys")
        desk.button("New key")
        dialog = desk.page.get_by_role("dialog", name="New API key")
        dialog.get_by_label("Name").fill("Nightly report")
        dialog.get_by_label("Read proposals").check()
        desk.look("47-new-key")
        dialog.get_by_role("button", name="Make key").click()
        ready = desk.page.get_by_role("dialog", name="Nightly report is ready")
        secret = ready.get_by_label("API key").input_value()
        desk.look("48-key")
        ready.get_by_role("button", name="I have copied it").click()
        expect(ready).to_be_hidden()
        assert secret not in desk.page.content()
        assert self._asks(desk, secret) == 200
        desk.page.reload()
        expect(desk.page.get_by_role("list", name="API keys")).to_contain_text("Used just now")
        desk.look("49-keys")
        desk.button("Revoke Nightly report")
        desk.page.get_by_role("alertdialog").get_by_role("button", name="Revoke key").click()
        expect(desk.page.get_by_role("heading", name="No keys yet")).to_be_visible()
        assert self._asks(desk, secret) == 401
        assert desk.complaints == []

    def _asks(self, desk: Desk, secret: str) -> int:
        headers = {"Authorization": f"Bearer {secret}"}
        return httpx.get(f"{desk.stack.base_url}/api/proposals", headers=headers).status_code


class TestTheAudit:
    def test_is_read_filtered_exported_and_checked(self, desk: Desk) -> None:
        arrive(desk)
        Api(desk).post("/api/orgs", name="Eldermoor Energy")
        desk.open("/app/organisation")
        desk.button(re.compile("^Organisation: "))
        desk.page.get_by_role("menuitemradio", name="Eldermoor Energy").click()
        expect(desk.heading("Proposals")).to_be_visible()
        open_of_org(desk, "Settings")
        desk.page.get_by_role("textbox", name="Name").fill("Eldermoor Power")
        desk.button("Save name")
        expect(desk.page.get_by_role("button", name="Organisation: Eldermoor Power. Switch")).to_be_visible()
        desk.look("50-organisation")
        open_of_org(desk, "Audit")
        entries = desk.page.get_by_role("list", name="Audit entries").get_by_role("listitem")
        expect(entries).to_have_text([re.compile("Renamed the organisation"), re.compile("Made the organisation")])
        desk.page.get_by_label("Action").select_option("org.created")
        expect(entries).to_have_text([re.compile("Made the organisation")])
        desk.button("Check the chain")
        expect(desk.page.get_by_role("status").filter(has_text="The chain is intact")).to_contain_text("All 2 entries")
        desk.look("51-audit")
        with desk.page.expect_download() as arriving:
            desk.button("Export JSONL, everything")
        rows = [json.loads(line) for line in Path(arriving.value.path()).read_text().splitlines()]
        assert [row["action"] for row in rows] == ["org.created", "org.renamed"]
        assert desk.complaints == []


class TestAnAccount:
    def test_is_deleted_once_its_address_is_typed(self, desk: Desk) -> None:
        email = arrive(desk)
        open_account(desk)
        desk.button("Delete account")
        dialog = desk.page.get_by_role("dialog", name="Delete your account?")
        confirm = dialog.get_by_role("button", name="Delete my account")
        expect(confirm).to_be_disabled()
        dialog.get_by_label(f"Type {email} to confirm").fill(email)
        desk.look("52-delete-account")
        confirm.click()
        expect(desk.heading("Welcome back")).to_be_visible()
        desk.refusals.append(SIGNED_OUT)
        type_password(desk, email)
        expect(desk.page.get_by_role("alert").filter(has_text="That did not match")).to_be_visible()
        assert desk.complaints == []


class TestAPhone:
    def test_shows_every_page(self, phone: Desk) -> None:
        arrive(phone)
        for name, heading in (("account", "Your account"), ("keys", "API keys"), ("organisation", "Settings")):
            phone.open(f"/app/{name}")
            expect(phone.heading(heading)).to_be_visible()
            phone.look(f"60-phone-{name}")
        phone.open("/app/audit")
        expect(phone.page.get_by_role("list", name="Audit entries")).to_be_visible()
        phone.look("61-phone-audit")
        phone.open("/app/sign-in?problem=email_unverified")
        expect(phone.page.get_by_role("alert").filter(has_text="Your address is not confirmed there")).to_be_visible()
        phone.look("62-phone-problem")
        assert phone.complaints == []
