"""What is done on a person's own account page, and the device that their passkeys are on."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, expect

from .desk import Desk, step


class Authenticator:
    """A device with a fingerprint reader, as Chromium simulates one for a page."""

    def __init__(self, desk: Desk) -> None:
        self._session = desk.page.context.new_cdp_session(desk.page)
        self._session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made: dict[str, Any] = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self.id = made["authenticatorId"]

    def touch(self, on: bool) -> None:
        """Whether a finger lies on the reader. Lifted: a page that asks for a passkey by itself gets none."""
        self._session.send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": self.id, "enabled": on})

    def count(self) -> int:
        answer: dict[str, Any] = self._session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return len(answer["credentials"])


@step
def open_account(desk: Desk) -> None:
    desk.button(re.compile("^Account of "))
    desk.page.get_by_role("menuitem", name="Your account").click()
    expect(desk.heading("Your account")).to_be_visible()


def passkeys(desk: Desk) -> Locator:
    return desk.page.get_by_role("list", name="Passkeys").get_by_role("listitem")


@step
def add_passkey(desk: Desk, name: str) -> None:
    desk.button("Add a passkey")
    dialog = desk.page.get_by_role("dialog", name="Add a passkey")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_role("button", name="Continue").click()
    expect(passkeys(desk).filter(has_text=name)).to_be_visible()


@step
def sign_out(desk: Desk) -> None:
    desk.button(re.compile("^Account of "))
    desk.page.get_by_role("menuitem", name="Sign out").click()
    expect(desk.heading("Welcome back")).to_be_visible()


@step
def ask_for_passkey_after_password(desk: Desk) -> None:
    switch = desk.page.get_by_role("switch", name="Ask for a passkey after the password")
    switch.click()
    expect(switch).to_be_checked()
