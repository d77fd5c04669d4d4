"""The whole job once in Chromium, clicking as a person would, then every page again on a phone.

Screenshots of the steps go to the test's temporary folder, or to BIDWRIGHT_SCREENSHOTS if that names one; a step that
fails leaves one as well. The console must stay clean: no error, no warning, nothing that the content security policy
had to block. Every page is checked with axe.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from .desk import PASSWORD, ROOT, WORK_MS, Api, Desk, link_in_mail, step

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(180)]

SAMPLES = ROOT / "samples"


@step
def sign_up(desk: Desk) -> str:
    """Register, find the mail, follow its link; the address."""
    page, email = desk.page, f"ada-{uuid.uuid4().hex[:12]}@example.com"
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Name").fill("Ada Fenwick")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    desk.look("01-sign-up")
    desk.button("Create account")
    expect(desk.heading("Check your mail")).to_be_visible()
    desk.look("02-check-your-mail")
    page.goto(link_in_mail(desk, email))
    expect(desk.heading("Proposals")).to_be_visible()
    expect(desk.heading("Start with a call")).to_be_visible()
    return email


@step
def create_org(desk: Desk) -> None:
    page = desk.page
    desk.button(re.compile("^Organisation: "))
    page.get_by_role("menuitem", name="New organisation").click()
    page.get_by_role("dialog", name="New organisation").get_by_label("Name").fill("Eldermoor Energy")
    desk.shot("03-new-organisation")
    desk.button("Create organisation")
    expect(page.get_by_role("button", name="Organisation: Eldermoor Energy. Switch")).to_be_visible()
    expect(desk.heading("Start with a call")).to_be_visible()
    desk.look("04-empty")


@step
def bring_documents(desk: Desk) -> None:
    """Upload the call and the scanned letter, and read what the scan says."""
    page = desk.page
    desk.go("Uploads")
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Choose files").click()
    chooser.value.set_files([SAMPLES / "community-energy-call.pdf", SAMPLES / "scanned-letter.pdf"])
    for name in ("community-energy-call.pdf", "scanned-letter.pdf"):
        row = page.get_by_role("list", name="Uploads").get_by_role("listitem").filter(has_text=name)
        expect(row.get_by_text("Ready", exact=True)).to_be_visible(timeout=WORK_MS)
    desk.look("05-uploads")
    desk.button("Read the text of scanned-letter.pdf")
    text = page.get_by_role("dialog", name="scanned-letter.pdf")
    expect(text).to_contain_text("42,000")
    desk.look("06-scan-text")
    text.get_by_role("button", name="Close").click()
    expect(text).to_be_hidden()


@step
def start_proposal(desk: Desk) -> None:
    page = desk.page
    desk.go("Proposals")
    desk.button("New proposal")
    dialog = page.get_by_role("dialog", name="New proposal")
    dialog.get_by_label("Title").fill("Light at the Creamery")
    dialog.get_by_role("radiogroup", name="Your uploads").get_by_text("community-energy-call.pdf").click()
    desk.look("07-new-proposal")
    dialog.get_by_role("button", name="Create proposal").click()
    expect(desk.heading("Light at the Creamery")).to_be_visible()
    desk.look("08-unplanned")
    desk.button("Plan sections")
    sections = page.get_by_role("navigation", name="Sections").get_by_role("link")
    expect(sections.nth(2)).to_be_visible(timeout=WORK_MS)
    expect(page.get_by_role("textbox", name=re.compile("^Text of "))).to_be_visible()
    desk.look("09-planned")
    page.get_by_role("tab", name="Call").click()
    expect(page.get_by_role("region", name="The call")).to_contain_text("19 March 2027")
    desk.look("10-call")
    page.get_by_role("tab", name="Assistant").click()


def give_notes(desk: Desk, text: str) -> None:
    desk.page.get_by_role("textbox", name=re.compile("^(Notes|Anything else)$")).fill(text)


@step
def draft_is_refused(desk: Desk) -> None:
    give_notes(desk, "612 members.")
    desk.button("Draft with AI")
    expect(desk.page.get_by_role("alert").filter(has_text="Drafting needs Pro")).to_be_visible()
    desk.look("11-needs-pro")


@step
def upgrade(desk: Desk) -> None:
    """From the refusal to the payment page and back."""
    page = desk.page
    page.get_by_role("alert").get_by_role("link", name="Upgrade").click()
    expect(desk.heading("Plans")).to_be_visible()
    desk.look("12-plans")
    desk.button("Upgrade to Pro, monthly")
    page.wait_for_url(re.compile("/c/pay/"))
    if page.get_by_label("E-mail").get_attribute("readonly") is None:
        page.get_by_label("E-mail").fill("ada@example.com")
    desk.look("13-payment")
    desk.button("Subscribe")
    page.wait_for_url(re.compile("/app/billing"))
    expect(page.get_by_role("status").filter(has_text="You are on Pro")).to_be_visible()
    expect(page.get_by_role("link", name="Plan: pro")).to_be_visible()
    desk.look("14-pro")
    page.get_by_role("link", name="Continue with your proposals").click()


@step
def draft_revise_approve(desk: Desk) -> None:
    page = desk.page
    page.get_by_role("link", name=re.compile("Light at the Creamery")).click()
    give_notes(desk, "612 members; 31 kW of critical local loads.")
    page.get_by_label("scanned-letter.pdf").check()
    desk.button("Draft with AI")
    approve = page.get_by_role("button", name="Approve", exact=True)
    expect(approve).to_be_enabled(timeout=WORK_MS)
    desk.look("15-drafted")
    desk.button("Make it shorter")
    desk.button("Revise")
    expect(page.get_by_role("region", name="Suggested revision")).to_be_visible(timeout=WORK_MS)
    desk.look("16-revision")
    desk.button("Accept")
    expect(page.get_by_role("dialog", name="Revision accepted")).to_be_visible()
    page.get_by_role("textbox", name=re.compile("^Text of ")).click()
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.type(" Added by hand.")
    expect(page.get_by_role("dialog", name="Revision accepted")).to_be_hidden()  # there is nothing to undo any more
    approve.click()
    expect(page.get_by_role("button", name="Withdraw approval")).to_be_visible()
    desk.look("17-approved")


def files(desk: Desk) -> Locator:
    return desk.page.get_by_role("region", name="Files").get_by_role("listitem")


@step
def export(desk: Desk, kind: str) -> bytes:
    """Export and download; the bytes, which have the hash that the page says."""
    page = desk.page
    page.get_by_role("tab", name="Export").click()
    before = files(desk).count()
    desk.button(re.compile(f"^Export as {kind}"))
    expect(files(desk)).to_have_count(before + 1, timeout=WORK_MS)
    download = files(desk).first.get_by_role("button", name=f"Download {kind}")
    expect(download).to_be_visible(timeout=WORK_MS)
    with page.expect_download() as arriving:
        download.click()
    data = Path(arriving.value.path()).read_bytes()
    assert hashlib.sha256(data).hexdigest() == files(desk).first.locator("code").get_attribute("title")
    return data


@step
def export_unchanged(desk: Desk) -> None:
    """Nothing to do when nothing has changed since; the page says so."""
    before = files(desk).count()
    desk.button(re.compile("^Export as Markdown"))
    expect(desk.page.get_by_role("dialog", name="The Markdown file is up to date")).to_be_visible()
    assert files(desk).count() == before
    desk.look("18-exports")


@step
def approve_again(desk: Desk) -> None:
    """The same text under another revision of the proposal."""
    desk.button("Withdraw approval")
    desk.button("Approve")
    expect(desk.page.get_by_role("button", name="Withdraw approval")).to_be_visible()


@step
def sign_out(desk: Desk) -> None:
    desk.button(re.compile("^Account of Ada Fenwick"))
    desk.page.get_by_role("menuitem", name="Sign out").click()
    expect(desk.heading("Welcome back")).to_be_visible()


@step
def sign_in(desk: Desk, email: str) -> None:
    desk.page.get_by_label("Email").fill(email)
    desk.page.get_by_label("Password").fill(PASSWORD)
    desk.look("20-sign-in")
    desk.button("Sign in")


@step
def see(desk: Desk, name: str, path: str, heading: str) -> None:
    """Open an address and look at it once it has loaded."""
    desk.open(path)
    expect(desk.page.get_by_role("heading", name=heading).first).to_be_visible()
    desk.look(name)


class TestAPerson:
    def test_does_the_whole_job(self, desk: Desk) -> None:
        desk.open("/app")
        sign_up(desk)
        create_org(desk)
        bring_documents(desk)
        start_proposal(desk)
        draft_is_refused(desk)
        upgrade(desk)
        draft_revise_approve(desk)
        made = {kind: export(desk, kind) for kind in ("PDF", "Word", "Markdown")}
        assert {kind: data[:2] for kind, data in made.items()} == {"PDF": b"%P", "Word": b"PK", "Markdown": b"# "}
        assert b"Added by hand." in made["Markdown"]
        export_unchanged(desk)
        approve_again(desk)
        assert export(desk, "PDF") == made["PDF"]
        desk.go("Proposals")
        expect(desk.page.get_by_role("list", name="Proposals")).to_contain_text("1 of ")
        desk.look("19-proposals")
        assert desk.complaints == []

    def test_is_led_back_from_a_deep_link_and_out_again(self, desk: Desk) -> None:
        desk.open("/app/billing")
        expect(desk.heading("Welcome back")).to_be_visible()
        email = sign_up(desk)
        sign_out(desk)
        desk.open("/app/billing")
        sign_in(desk, email)
        expect(desk.heading("Plans")).to_be_visible()
        desk.look("21-billing")
        assert desk.complaints == []


class TestAPhone:
    TITLE = "A proposal with a title as long as those that funders ask for, which never fit into one line of anything"

    def test_shows_every_page(self, phone: Desk) -> None:
        api, email = Api(phone), f"ada-{uuid.uuid4().hex[:12]}@example.com"
        api.post("/api/auth/register", email=email, password=PASSWORD, name="Ada Fenwick")
        phone.open("/app")
        expect(phone.heading("Welcome back")).to_be_visible()
        phone.look("30-phone-sign-in")
        phone.page.goto(link_in_mail(phone, email))
        expect(phone.heading("Start with a call")).to_be_visible()
        phone.look("31-phone-empty")
        proposal = api.post("/api/proposals", title=self.TITLE, call_text="Section 1: Need (20 points).")
        path = f"/app/proposals/{proposal['id']}"
        see(phone, "32-phone-unplanned", path, self.TITLE)
        api.post(f"/api/proposals/{proposal['id']}/sections", title=self.TITLE)
        api.post(f"/api/proposals/{proposal['id']}/sections", title="Budget", text="We ask for **42,000**.")
        see(phone, "33-phone-proposal", path, self.TITLE)
        phone.button("Export")
        expect(phone.page.get_by_role("button", name=re.compile("^Export as PDF"))).to_be_in_viewport()
        see(phone, "34-phone-proposals", "/app/proposals", "Proposals")
        see(phone, "35-phone-uploads", "/app/uploads", "No uploads yet")
        see(phone, "36-phone-billing", "/app/billing", "Plans")
        see(phone, "37-phone-members", "/app/members", "This space is yours alone")
        see(phone, "38-phone-nowhere", "/app/nowhere", "There is no page here")
        assert phone.complaints == []
