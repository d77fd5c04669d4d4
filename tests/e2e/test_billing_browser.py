"""The money side in Chromium: what is full, what it costs, how a plan ends and what a failed payment looks like."""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, expect

from .desk import PASSWORD, Api, Desk, link_in_mail, step

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(180)]


def usage(desk: Desk, **wanted: Any) -> dict[str, Any]:
    """What the API says, once it says what is wanted."""
    end = time.monotonic() + 15
    while True:
        said: dict[str, Any] = desk.page.context.request.get(f"{desk.stack.base_url}/api/usage").json()
        if all(said[name] == value for name, value in wanted.items()):
            return said
        assert time.monotonic() < end, f"{wanted} did not come: {said}"
        time.sleep(0.1)


def banner(desk: Desk) -> Locator:
    return desk.page.get_by_role("complementary", name="About your plan")


@step
def arrive(desk: Desk) -> str:
    email = f"ada-{uuid.uuid4().hex[:12]}@example.com"
    Api(desk).post("/api/auth/register", email=email, password=PASSWORD, name="Ada Fenwick")
    desk.page.goto(link_in_mail(desk, email))
    expect(desk.heading("Start with a call")).to_be_visible()
    return email


@step
def use_up_free(desk: Desk) -> None:
    """The banner says so on every page but the billing page, which says it itself; put away it stays away."""
    Api(desk).post("/api/proposals", title="Water for all", call_text="Section 1: Need (20 points).")
    usage(desk, can_create_proposal=False)
    desk.open("/app/proposals")
    expect(banner(desk)).to_contain_text("You have used all of your proposals")
    desk.look("50-free-is-full")
    banner(desk).get_by_role("link", name="See the plans").click()
    expect(desk.heading("Plans")).to_be_visible()
    expect(banner(desk)).to_have_count(0)
    expect(desk.page.get_by_text("You have used all of your proposals")).to_be_visible()
    desk.look("51-free")
    desk.open("/app/uploads")
    banner(desk).get_by_role("button", name="Put this notice away").press("Enter")
    expect(banner(desk)).to_have_count(0)
    desk.page.reload()
    expect(desk.heading("Uploads")).to_be_visible()
    expect(banner(desk)).to_have_count(0)


@step
def buy(desk: Desk) -> None:
    page = Api(desk).post("/api/billing/checkout", price="pro_monthly")
    form = {"email": "ada@example.com", "card": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123"}
    assert httpx.post(page["url"], data=form).status_code == 303
    usage(desk, tier="pro")
    desk.open("/app/billing")
    expect(desk.page.get_by_role("list", name="Invoices")).to_contain_text("$29.00")
    desk.look("52-pro")


@step
def add_seats(desk: Desk) -> None:
    """By the keyboard alone; the price comes first."""
    page = desk.page
    page.get_by_role("button", name="Change seats").press("Enter")
    dialog = page.get_by_role("dialog", name="Change seats")
    seats = dialog.get_by_label("Seats")
    seats.fill("3")
    seats.press("Enter")
    expect(dialog.get_by_text("$87.00")).to_be_visible()
    expect(dialog.get_by_role("button", name=re.compile(r"^Pay \$5\d\.\d\d and change$"))).to_be_visible()
    desk.look("53-seats")
    assert usage(desk)["limits"]["seats"] == 1, "nothing has changed yet"
    seats.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("3 seats · renews on")).to_be_visible()
    expect(page.get_by_role("list", name="Invoices").get_by_role("listitem")).to_have_count(2)


@step
def cancel_and_resume(desk: Desk) -> None:
    page = desk.page
    desk.button("Cancel the plan")
    dialog = page.get_by_role("dialog", name="Cancel the plan?")
    expect(dialog.get_by_role("button", name="End it now")).to_be_visible()
    desk.look("54-cancel")
    dialog.get_by_role("button", name=re.compile("^End it on ")).click()
    expect(page.get_by_role("button", name="Resume the plan")).to_be_visible()
    expect(page.get_by_text(re.compile("^Ends "))).to_be_visible()
    desk.look("55-ends-with-the-period")
    desk.button("Resume the plan")
    expect(page.get_by_role("button", name="Cancel the plan")).to_be_visible()


@step
def fail_to_pay(desk: Desk) -> None:
    stripe = desk.stack.env["STRIPE_FAKE_URL"]
    [newest] = httpx.get(f"{stripe}/v1/subscriptions?limit=1", auth=("sk_test_1", "")).json()["data"]
    httpx.post(f"{stripe}/_fake/trigger/invoice.payment_failed", json={"subscription": newest["id"]}).raise_for_status()
    usage(desk, status="past_due", tier="pro")
    desk.open("/app/proposals")
    expect(banner(desk)).to_contain_text("Everything stays open until")
    expect(banner(desk).get_by_role("button")).to_have_count(0)
    desk.look("56-grace")
    banner(desk).get_by_role("link", name="Update the payment method").click()
    expect(desk.page.get_by_role("button", name="Update the payment method")).to_be_visible()
    desk.look("57-grace-billing")


def told(desk: Desk, email: str, count: int) -> list[str]:
    """The subjects of the mails that came, once there are so many."""
    end = time.monotonic() + 15
    while True:
        subjects = [mail["subject"] for mail in desk.stack.mails(email)]
        if len(subjects) >= count or time.monotonic() > end:
            return subjects
        time.sleep(0.2)


class TestMoney:
    def test_is_seen_to_and_told_of(self, desk: Desk) -> None:
        email = arrive(desk)
        use_up_free(desk)
        buy(desk)
        add_seats(desk)
        cancel_and_resume(desk)
        fail_to_pay(desk)
        mine = "Ada Fenwick's workspace"
        assert sorted(told(desk, email, 4)) == [
            f"A payment for {mine} failed",
            f"{mine} has used all of its proposals",
            "Confirm your e-mail address",
            f"The plan of {mine} was cancelled",
        ]
        assert desk.complaints == []

    def test_a_mail_leads_to_the_organisation_that_it_is_about(self, desk: Desk) -> None:
        arrive(desk)
        org = Api(desk).post("/api/orgs", name="Eldermoor Energy")
        desk.open(f"/app/billing?org={org['id']}")
        expect(desk.page.get_by_role("button", name="Organisation: Eldermoor Energy. Switch")).to_be_visible()
        expect(desk.heading("Eldermoor Energy")).to_be_visible()
        assert desk.complaints == []

    def test_fits_a_phone(self, phone: Desk) -> None:
        arrive(phone)
        use_up_free(phone)
        assert phone.complaints == []
