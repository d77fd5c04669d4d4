"""The whole job once in Chromium, clicking as a person would.

Screenshots of every step go to the test's temporary folder, or to BIDWRIGHT_SCREENSHOTS if that names one. The console
must stay clean: no error, no warning, nothing that the content security policy had to block.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect, sync_playwright

from devstack.running import RunningStack

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(420)]

SAMPLES = Path(__file__).parents[2] / "samples"
PASSWORD = "a long enough pass phrase"
PATIENCE_MS = 30_000
OCR_MS = 90_000

# The browser itself reports every answer of 400 and above. These two are the product's way of saying no.
EXPECTED = (
    re.compile(r"status of 401 .*/api/me"),  # nobody is signed in yet
    re.compile(r"status of 402 .*/api/ai/write"),  # drafting needs Pro
)


@dataclass
class Desk:
    """A person's browser window, watched."""

    page: Page
    stack: RunningStack
    shots: Path
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        self.page.add_init_script(
            "document.addEventListener('securitypolicyviolation', e =>"
            " console.error(`CSP ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`))"
        )

    def _heard(self, message: ConsoleMessage) -> None:
        said = f"{message.type}: {message.text} {message.location.get('url', '')}"
        if message.type in ("error", "warning") and not any(pattern.search(said) for pattern in EXPECTED):
            self.complaints.append(said)

    def shot(self, name: str) -> None:
        self.page.screenshot(path=self.shots / f"{name}.png", full_page=True)

    def button(self, name: str | re.Pattern[str], *, exact: bool = True) -> None:
        self.page.get_by_role("button", name=name, exact=exact and isinstance(name, str)).first.click()

    def go(self, name: str) -> None:
        """Follow a link of the main navigation."""
        self.page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.fail(
            "There is no chromium on PATH. Install it (Debian: apt-get install chromium) or leave out -m browser."
        )
    # As root Chromium runs only without its own sandbox; it opens nothing but our pages.
    opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
    yield opened
    opened.close()


@pytest.fixture
def desk(browser: Browser, stack: RunningStack, tmp_path: Path) -> Iterator[Desk]:
    shots = Path(os.environ.get("BIDWRIGHT_SCREENSHOTS") or tmp_path / "screenshots")
    shots.mkdir(parents=True, exist_ok=True)
    context = browser.new_context(viewport={"width": 1360, "height": 900}, accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    desk = Desk(context.new_page(), stack, shots)
    try:
        yield desk
    finally:
        desk.shot("99-last")
        context.close()


def sign_up(desk: Desk) -> str:
    """Register, find the mail, follow its link."""
    page, email = desk.page, f"ada-{uuid.uuid4().hex[:12]}@example.com"
    page.goto(f"{desk.stack.base_url}/app")
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Name").fill("Ada Fenwick")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    desk.shot("01-sign-up")
    desk.button("Create account")
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    page.goto(link_in_mail(desk, email))
    expect(page.get_by_role("heading", name="Proposals", exact=True)).to_be_visible()
    desk.shot("02-empty")
    return email


def link_in_mail(desk: Desk, email: str) -> str:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for mail in desk.stack.mails(email):
            return str(mail["links"][0])
        time.sleep(0.2)
    raise AssertionError("no mail came")


def create_org(desk: Desk) -> None:
    page = desk.page
    desk.button(re.compile("^Organisation: "))
    page.get_by_role("menuitem", name="New organisation").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Eldermoor Energy")
    desk.button("Create organisation")
    expect(page.get_by_role("button", name="Organisation: Eldermoor Energy. Switch")).to_be_visible()


def bring_documents(desk: Desk) -> None:
    """Upload the call and the scanned letter, and read what the scan says."""
    page = desk.page
    desk.go("Uploads")
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Choose files").click()
    chooser.value.set_files([SAMPLES / "community-energy-call.pdf", SAMPLES / "scanned-letter.pdf"])
    for name in ("community-energy-call.pdf", "scanned-letter.pdf"):
        row = page.get_by_role("list", name="Uploads").get_by_role("listitem").filter(has_text=name)
        expect(row.get_by_text("Ready", exact=True)).to_be_visible(timeout=OCR_MS)
    desk.shot("03-uploads")
    desk.button("Read the text of scanned-letter.pdf")
    expect(page.get_by_role("dialog")).to_contain_text("42,000")
    desk.shot("04-scan-text")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def start_proposal(desk: Desk) -> None:
    page = desk.page
    desk.go("Proposals")
    desk.button("New proposal")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill("Light at the Creamery")
    dialog.get_by_role("radiogroup", name="Your uploads").get_by_text("community-energy-call.pdf").click()
    desk.shot("05-new-proposal")
    dialog.get_by_role("button", name="Create proposal").click()
    expect(page.get_by_role("heading", name="Light at the Creamery")).to_be_visible()
    desk.button("Plan sections")
    sections = page.get_by_role("navigation", name="Sections").get_by_role("link")
    expect(sections.nth(2)).to_be_visible()
    desk.shot("06-planned")


def draft_is_refused(desk: Desk) -> None:
    page = desk.page
    page.get_by_role("textbox", name=re.compile("Notes|Anything else")).fill("612 members.")
    desk.button("Draft with AI")
    expect(page.get_by_role("alert").filter(has_text="Drafting needs Pro")).to_be_visible()
    desk.shot("07-needs-pro")


def upgrade(desk: Desk) -> None:
    """From the refusal to the payment page and back."""
    page = desk.page
    page.get_by_role("alert").get_by_role("link", name="Upgrade").click()
    expect(page.get_by_role("heading", name="Plans")).to_be_visible()
    desk.shot("08-plans")
    desk.button("Upgrade to Pro, monthly")
    page.wait_for_url(re.compile("/c/pay/"))
    if page.get_by_label("E-mail").get_attribute("readonly") is None:
        page.get_by_label("E-mail").fill("ada@example.com")
    desk.shot("09-payment")
    desk.button("Subscribe")
    page.wait_for_url(re.compile("/app/billing"))
    expect(page.get_by_role("link", name="Plan: pro")).to_be_visible(timeout=10_000)
    desk.shot("10-pro")


def draft_revise_approve(desk: Desk) -> None:
    page = desk.page
    desk.go("Proposals")
    page.get_by_role("link", name=re.compile("Light at the Creamery")).click()
    page.get_by_role("textbox", name=re.compile("Notes|Anything else")).fill(
        "612 members; 31 kW of critical local loads."
    )
    page.get_by_label("scanned-letter.pdf").check()
    desk.button("Draft with AI")
    approve = page.get_by_role("button", name="Approve", exact=True)
    expect(approve).to_be_enabled(timeout=60_000)
    desk.shot("11-drafted")
    desk.button("Make it shorter")
    desk.button("Revise")
    expect(page.get_by_role("region", name="Suggested revision")).to_be_visible(timeout=60_000)
    desk.shot("12-revision")
    desk.button("Accept")
    expect(approve).to_be_enabled()
    approve.click()
    expect(page.get_by_role("button", name="Withdraw approval")).to_be_visible()
    desk.shot("13-approved")


def export(desk: Desk, kind: str) -> tuple[bytes, str]:
    """Export and download; the bytes and the hash that the page says."""
    page = desk.page
    page.get_by_role("tab", name="Export").click()
    files = page.get_by_role("region", name="Files").get_by_role("listitem")
    before = files.count()
    page.get_by_role("button", name=re.compile(f"^Export as {kind}")).click()
    expect(files).to_have_count(before + 1)
    newest = files.first
    download = newest.get_by_role("button", name=f"Download {kind}")
    expect(download).to_be_visible()
    with page.expect_download() as arriving:
        download.click()
    said = newest.locator("code").get_attribute("title") or ""
    return Path(arriving.value.path()).read_bytes(), said


class TestAPerson:
    def test_does_the_whole_job(self, desk: Desk) -> None:
        sign_up(desk)
        create_org(desk)
        bring_documents(desk)
        start_proposal(desk)
        draft_is_refused(desk)
        upgrade(desk)
        draft_revise_approve(desk)
        for kind, start in (("PDF", b"%PDF-"), ("Word", b"PK"), ("Markdown", b"#")):
            data, said = export(desk, kind)
            assert data.startswith(start), kind
            assert hashlib.sha256(data).hexdigest() == said, kind
        first, _ = export(desk, "PDF")
        second, _ = export(desk, "PDF")
        assert first == second
        desk.shot("14-exports")
        assert desk.complaints == []

    def test_is_led_back_from_a_deep_link_and_out_again(self, desk: Desk) -> None:
        page = desk.page
        page.goto(f"{desk.stack.base_url}/app/billing")
        expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
        page.get_by_role("link", name="Create an account").click()
        email = sign_up(desk)
        desk.button(re.compile("^Account of "))
        page.get_by_role("menuitem", name="Sign out").click()
        expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
        page.goto(f"{desk.stack.base_url}/app/billing")
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        desk.button("Sign in")
        expect(page.get_by_role("heading", name="Usage & billing")).to_be_visible()
        desk.shot("20-billing")
        assert desk.complaints == []
