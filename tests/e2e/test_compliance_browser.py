"""The compliance matrix in Chromium: planned, filtered, changed by hand, downloaded, checked, on a phone."""

from __future__ import annotations

import csv
import re
import uuid
from pathlib import Path
from typing import Any

import docx
import pytest
from playwright.sync_api import Locator, expect

from .desk import PASSWORD, WORK_MS, Api, Desk, link_in_mail, step

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(180)]

TITLE = "Light at the Creamery"
CALL = (
    "Call for proposals\n\nWhat to submit\nThe proposal must contain the following sections:\n\n"
    "1. Need (30 points, at most 2 pages)\nDescribe the community in no more than 12 words.\n\n"
    "2. Work plan (20 points, at most 3 pages)\nName the steps and who takes them.\n\n"
    "3. Evaluation (10 points, at most 1 page)\nSay how you will know that it worked.\n\f"
    "Attach letters of support from two partners.\nProposals must be submitted by 19 March 2027.\n"
)


@step
def come_in(desk: Desk) -> dict[str, Any]:
    """A new person with a proposal that is not planned yet."""
    api, email = Api(desk), f"ada-{uuid.uuid4().hex[:12]}@example.com"
    api.post("/api/auth/register", email=email, password=PASSWORD, name="Ada Fenwick")
    desk.page.goto(link_in_mail(desk, email))
    expect(desk.heading("Proposals")).to_be_visible()
    return api.post("/api/proposals", title=TITLE, call_text=CALL)


def table(desk: Desk) -> Locator:
    return desk.page.get_by_role("table", name="Requirements of the call")


def row(desk: Desk, words: str) -> Locator:
    return table(desk).get_by_role("row").filter(has_text=words)


@step
def plan_from_the_empty_page(desk: Desk, proposal_id: str) -> None:
    page = desk.page
    desk.open(f"/app/proposals/{proposal_id}")
    page.get_by_role("link", name="Compliance").click()
    expect(desk.heading("Compliance")).to_be_visible()
    expect(desk.heading("No requirements yet")).to_be_visible()
    desk.look("60-compliance-empty")
    desk.button("Plan sections")
    expect(row(desk, "Describe the community")).to_contain_text("Open", timeout=WORK_MS)
    expect(row(desk, "Describe the community")).to_contain_text("at most 12 words")
    desk.look("61-compliance-planned")


@step
def filter_by_state(desk: Desk) -> None:
    """The choice stands in the address, so that it outlives a reload."""
    page = desk.page
    choice = page.get_by_label("State")
    choice.select_option("uncovered")
    expect(row(desk, "Describe the community")).to_have_count(0)
    expect(row(desk, "19 March 2027")).to_be_visible()
    page.reload()
    expect(row(desk, "19 March 2027")).to_be_visible()
    expect(row(desk, "Describe the community")).to_have_count(0)
    choice.select_option("")
    expect(row(desk, "Describe the community")).to_be_visible()


@step
def map_by_keyboard(desk: Desk) -> None:
    page = desk.page
    change = row(desk, "19 March 2027").get_by_role("button", name=re.compile("^Change the sections for"))
    change.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Which sections answer this?")
    dialog.get_by_label("Work plan").focus()
    page.keyboard.press("Space")
    desk.look("62-compliance-mapping")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(row(desk, "19 March 2027").get_by_role("link", name="Work plan")).to_be_visible()


@step
def write_too_much(desk: Desk) -> None:
    """From the matrix to the section and back: the state follows the text."""
    page = desk.page
    row(desk, "Describe the community").get_by_role("link", name="Need").click()
    text = page.get_by_role("textbox", name="Text of Need")
    text.click()
    page.keyboard.type("We still have to say who lives here, in more words than are allowed: TBD. We dig 14 wells.")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    page.get_by_role("link", name="Compliance").click()
    expect(row(desk, "Describe the community")).to_contain_text("Over the limit")


@step
def download(desk: Desk) -> list[dict[str, str]]:
    with desk.page.expect_download() as arriving:
        desk.button("Download CSV")
    assert arriving.value.suggested_filename.endswith(".csv")
    with Path(arriving.value.path()).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@step
def download_for_word(desk: Desk) -> list[str]:
    """The requirements in the table of the document."""
    with desk.page.expect_download() as arriving:
        desk.button("Download DOCX")
    assert arriving.value.suggested_filename.endswith(".docx")
    (table,) = docx.Document(str(arriving.value.path())).tables
    return [row.cells[0].text for row in table.rows]


def marked_place(desk: Desk) -> list[str]:
    """What is highlighted, once it is."""
    for _ in range(50):
        marked = desk.page.evaluate("[...(CSS.highlights.get('place') ?? [])].map((range) => range.toString())")
        if marked:
            return list(marked)
        desk.page.wait_for_timeout(100)
    return []


@step
def check(desk: Desk) -> None:
    page = desk.page
    page.get_by_role("tab", name="Requirements").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Not ready to submit")).to_be_visible()
    to_fix = page.get_by_role("list", name="To fix")
    expect(to_fix).to_contain_text("“Need” still says “TBD”.")
    expect(to_fix).to_contain_text("allows 12 words; there are 19.")
    expect(page.get_by_role("list", name="To look at")).to_contain_text("letters of support")
    to_look_at = page.get_by_role("list", name="To look at")
    expect(to_look_at).to_contain_text("gives no source for “We dig 14 wells”.")
    desk.look("63-compliance-check")
    to_look_at.get_by_role("link", name=re.compile("no source for “We dig 14 wells")).click()
    text = page.get_by_role("textbox", name="Text of Need")
    expect(text).to_be_visible()
    assert marked_place(desk) == ["We dig 14 wells."]
    desk.look("65-the-place-of-a-finding")
    page.go_back()
    to_fix.get_by_role("link", name=re.compile("still says “TBD”")).click()
    expect(page.get_by_role("textbox", name="Text of Need")).to_be_visible()


@step
def who_wrote_it(desk: Desk) -> None:
    """By keyboard alone."""
    page = desk.page
    page.get_by_text("Who wrote this").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("19 words: 100% by people.")).to_be_visible()
    paragraphs = page.get_by_role("list", name="Paragraphs")
    expect(paragraphs.get_by_role("listitem")).to_contain_text("Ada Fenwick")
    desk.look("66-who-wrote-it")


class TestThePage:
    def test_leads_from_the_call_to_what_is_left(self, desk: Desk) -> None:
        proposal = come_in(desk)
        plan_from_the_empty_page(desk, proposal["id"])
        filter_by_state(desk)
        map_by_keyboard(desk)
        write_too_much(desk)
        states = {line["requirement"][:22]: line["state"] for line in download(desk)}
        assert states["Describe the community"] == "over_limit"
        assert any(words.startswith("Describe the community") for words in download_for_word(desk))
        check(desk)
        who_wrote_it(desk)
        assert desk.complaints == []

    def test_fits_a_phone(self, phone: Desk) -> None:
        proposal = come_in(phone)
        plan_from_the_empty_page(phone, proposal["id"])
        phone.open(f"/app/proposals/{proposal['id']}/compliance?view=check")
        expect(phone.page.get_by_role("list", name="To fix")).to_be_visible()
        phone.look("64-phone-compliance-check")
        assert phone.complaints == []
