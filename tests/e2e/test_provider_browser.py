"""Signing in with another account, in Chromium, against a small OpenID provider."""

from __future__ import annotations

import importlib.util
import re
import sys
import uuid
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from playwright.sync_api import expect

from devstack.running import RunningStack, running_stack

from .account_page import Authenticator, add_passkey, ask_for_passkey_after_password, sign_out
from .desk import ROOT, Desk

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(180)]

ONLY_WAY_IN = re.compile(r"status of 409 .*/api/auth/identities/google$")


def _provider_module() -> ModuleType:
    """The provider of the gateway's own tests, which is no part of any package."""
    file = ROOT / "services/gateway/tests/integration/openid_provider.py"
    spec = importlib.util.spec_from_file_location("openid_provider", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def openid() -> ModuleType:
    return _provider_module()


@pytest.fixture(scope="module")
def provider(openid: ModuleType) -> Iterator[Any]:
    with openid.running_provider() as running:
        yield running


@pytest.fixture(scope="module")
def stack(openid: ModuleType, provider: Any) -> Iterator[RunningStack]:
    """A product at which this provider is set up under Google's name."""
    settings = (
        f"GOOGLE_CLIENT_ID={openid.CLIENT_ID}",
        f"GOOGLE_CLIENT_SECRET={openid.CLIENT_SECRET}",
        f"OAUTH_GOOGLE_ISSUER={provider.issuer}",
    )
    with running_stack(ROOT, *settings) as running:
        yield running


class TestAProvider:
    def test_signs_a_new_person_in_where_they_were_headed(self, desk: Desk, openid: ModuleType, provider: Any) -> None:
        email = f"grace-{uuid.uuid4().hex[:12]}@example.org"
        provider.person = openid.Person(uuid.uuid4().hex, email)
        desk.open("/app/account")
        expect(desk.heading("Welcome back")).to_be_visible()
        desk.look("70-sign-in-providers")
        desk.page.get_by_role("link", name="Continue with Google").click()
        expect(desk.heading("Your account")).to_be_visible()
        accounts = desk.page.get_by_role("list", name="Connected accounts").get_by_role("listitem")
        expect(accounts).to_contain_text(["Google"])
        desk.look("71-account-connected")
        desk.refusals.append(ONLY_WAY_IN)
        desk.button("Disconnect Google")
        desk.page.get_by_role("alertdialog").get_by_role("button", name="Disconnect").click()
        expect(desk.page.get_by_role("alert").filter(has_text="This is your only way in")).to_be_visible()
        desk.button("Mail me a link to set a password")
        expect(desk.page.get_by_role("status").filter(has_text="Check your mail")).to_be_visible()
        assert desk.complaints == []

    def test_asks_for_the_passkey_of_who_wants_it_as_well(self, desk: Desk, openid: ModuleType, provider: Any) -> None:
        provider.person = openid.Person(uuid.uuid4().hex, f"grace-{uuid.uuid4().hex[:12]}@example.org")
        device = Authenticator(desk)
        desk.open("/app/account")
        desk.page.get_by_role("link", name="Continue with Google").click()
        expect(desk.heading("Your account")).to_be_visible()
        add_passkey(desk, "Phone")
        ask_for_passkey_after_password(desk)
        device.touch(False)
        sign_out(desk)
        desk.open("/app/audit")
        desk.page.get_by_role("link", name="Continue with Google").click()
        expect(desk.heading("One more step")).to_be_visible()
        assert "#" not in desk.page.url, "the ticket stays in no history"
        desk.look("73-second-step-after-a-provider")
        device.touch(True)
        desk.button("Confirm with your passkey")
        expect(desk.heading("Audit")).to_be_visible()
        assert desk.complaints == []

    def test_says_why_it_did_not_work(self, desk: Desk, openid: ModuleType, provider: Any) -> None:
        provider.person = openid.Person(uuid.uuid4().hex, "grace@example.org", verified=False)
        desk.open("/app/sign-in")
        desk.page.get_by_role("link", name="Continue with Google").click()
        expect(desk.page.get_by_role("alert").filter(has_text="Your address is not confirmed there")).to_be_visible()
        desk.look("72-sign-in-problem")
        assert desk.complaints == []
