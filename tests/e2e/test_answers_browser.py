"""The answer library and the outline in Chromium: kept, found, changed, suggested; moved, removed, put back."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from playwright.sync_api import expect

from .desk import PASSWORD, WORK_MS, Api, Desk, link_in_mail, step

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(240)]

QUESTION = "What is your safeguarding policy?"
ANSWER = "Two **trained officers** are on site."
CALL = (
    "Call for proposals\n\nWhat to submit\nThe proposal must contain the following sections:\n\n"
    "1. Need (30 points, at most 2 pages)\nDescribe the community in no more than 12 words.\n\n"
    "2. Work plan (20 points, at most 3 pages)\nName the steps and who takes them.\n\n"
    "3. Evaluation (10 points, at most 1 page)\nSay how you will know that it worked.\n"
)


@step
def come_in(desk: Desk) -> Api:
    api, email = Api(desk), f"ada-{uuid.uuid4().hex[:12]}@example.com"
    api.post("/api/auth/register", email=email, password=PASSWORD, name="Ada Fenwick")
    desk.page.goto(link_in_mail(desk, email))
    expect(desk.heading("Proposals")).to_be_visible()
    return api


@step
def keep_the_first_by_keyboard(desk: Desk) -> None:
    page = desk.page
    desk.go("Answers")
    expect(desk.heading("Keep your first answer")).to_be_visible()
    desk.look("70-answers-empty")
    page.get_by_role("button", name="New answer").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Keep an answer")
    expect(dialog.get_by_label("Question")).to_be_focused()
    page.keyboard.type(QUESTION)
    page.keyboard.press("Tab")
    page.keyboard.type(ANSWER)
    page.keyboard.press("Tab")
    page.keyboard.type("people, risk, People")
    desk.look("71-answers-dialog")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    row = page.get_by_role("list", name="Answers").get_by_role("listitem")
    expect(row).to_contain_text("Two trained officers are on site.")
    expect(row).to_contain_text("Not used yet · Owner: Ada Fenwick · Review on")


@step
def search(desk: Desk) -> None:
    """What is looked for stands in the address."""
    page = desk.page
    box = page.get_by_role("searchbox", name="Search answers")
    box.fill("zebra")
    expect(desk.heading("Nothing matches")).to_be_visible()
    box.fill("RISK")
    expect(page.get_by_role("button", name=QUESTION, exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_role("searchbox", name="Search answers")).to_have_value("RISK")
    page.get_by_role("searchbox", name="Search answers").fill("")


@step
def change_what_someone_else_changed(desk: Desk, answer_id: str) -> None:
    """The second one is shown what the first one wrote, and loses nothing."""
    page = desk.page
    desk.refusals.append(re.compile(r"status of 412 .*/api/answers/"))
    page.get_by_role("button", name=QUESTION, exact=True).click()
    dialog = page.get_by_role("dialog", name="Change the answer")
    dialog.get_by_label("Answer", exact=True).fill("Three trained officers are on site.")
    changed = page.context.request.patch(
        f"{desk.stack.base_url}/api/answers/{answer_id}",
        data={"answer": "Four officers."},
        headers={"Origin": desk.stack.base_url, "If-Match": '"1"'},
    )
    assert changed.ok, changed.text()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Four officers.")
    expect(dialog.get_by_label("Answer", exact=True)).to_have_value("Three trained officers are on site.")
    desk.look("72-answers-conflict")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("Three trained officers are on site.")).to_be_visible()


@step
def archive_and_undo(desk: Desk) -> None:
    page = desk.page
    desk.button(f"Archive “{QUESTION}”")
    expect(page.get_by_role("button", name=QUESTION, exact=True)).to_have_count(0)
    desk.button("Undo")
    expect(page.get_by_role("button", name=QUESTION, exact=True)).to_be_visible()
    desk.button(f"Archive “{QUESTION}”")
    page.get_by_label("Which answers").select_option("archived")
    desk.button(f"Delete “{QUESTION}”")
    page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(desk.heading("Nothing is archived")).to_be_visible()


@step
def see_what_is_due(desk: Desk, api: Api) -> None:
    page = desk.page
    api.post("/api/answers", question="How old is this?", answer="Too old.", review_on="2020-01-31")
    api.post("/api/answers", question="How young is this?", answer="Young.")
    desk.open("/app/answers?view=due")
    expect(page.get_by_role("list", name="Answers").get_by_role("listitem")).to_have_count(1)
    expect(page.get_by_text("Review due")).to_be_visible()
    desk.look("73-answers-due")


@step
def give_the_call_later(desk: Desk, api: Api) -> dict[str, Any]:
    page = desk.page
    proposal = api.post("/api/proposals", title="Light at the Creamery")
    desk.open(f"/app/proposals/{proposal['id']}")
    page.get_by_role("tab", name="Call").click()
    desk.button("Add the call")
    dialog = page.get_by_role("dialog", name="Add the call")
    dialog.get_by_text("Pasted text").click()
    dialog.get_by_label("Text of the call").fill(CALL)
    desk.look("74-call-later")
    dialog.get_by_role("button", name="Add call").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Plan sections").click()
    expect(page.get_by_role("navigation", name="Sections").get_by_role("link", name="Evaluation")).to_be_visible(
        timeout=WORK_MS
    )
    return proposal


def titles(desk: Desk) -> list[str]:
    links = desk.page.get_by_role("navigation", name="Sections").get_by_role("link")
    return [re.sub(r"^\d+\. ", "", text.splitlines()[0]) for text in links.all_inner_texts()]


@step
def move_by_keyboard(desk: Desk) -> None:
    page = desk.page
    before = titles(desk)
    page.get_by_role("navigation", name="Sections").get_by_role("link", name=before[0]).click()
    down = page.get_by_role("button", name=f"Move “{before[0]}” down")
    down.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="Sections").get_by_role("link").first).to_contain_text(before[1])
    expect(down).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="Sections").get_by_role("link").nth(1)).to_contain_text(before[2])
    desk.look("75-sections-moved")
    page.reload()
    expect(page.get_by_role("navigation", name="Sections").get_by_role("link").first).to_contain_text(before[1])
    assert titles(desk) == [before[1], before[2], before[0], *before[3:]]


@step
def remove_and_put_back(desk: Desk) -> None:
    page = desk.page
    before = titles(desk)
    gone = before[1]
    links = page.get_by_role("navigation", name="Sections").get_by_role("link")
    links.nth(1).click()
    desk.button("Remove this section")
    expect(links).to_have_count(len(before) - 1)
    page.get_by_text("Undo", exact=True).click()  # of the message; the editor has a button of that name
    expect(links).to_have_count(len(before))
    assert titles(desk) == before
    desk.button("Remove this section")
    expect(links).to_have_count(len(before) - 1)
    desk.button("Removed sections (1)")
    desk.look("76-sections-removed")
    desk.button(f"Put back “{gone}”")
    expect(links).to_have_count(len(before))
    assert titles(desk) == before


@step
def insert_a_suggestion(desk: Desk, api: Api, proposal_id: str) -> None:
    page, base = desk.page, desk.stack.base_url
    sections = page.context.request.get(f"{base}/api/proposals/{proposal_id}/sections").json()["items"]
    section = next(one for one in sections if one["questions"])
    asked = section["questions"][0]["text"]
    kept = api.post("/api/answers", question=asked, answer="612 people live in Eldermoor.")
    desk.open(f"/app/proposals/{proposal_id}?section={section['id']}")
    insert = page.get_by_role("button", name=f"Insert the answer to “{asked}”")
    expect(insert).to_be_visible()
    desk.look("77-answer-suggested")
    insert.click()
    expect(page.get_by_label(asked, exact=True)).to_have_value("612 people live in Eldermoor.")
    expect(insert).to_have_count(0)
    for _ in range(50):
        uses = page.context.request.get(f"{base}/api/answers/{kept['id']}").json()["uses"]
        if uses:
            break
        page.wait_for_timeout(50)
    assert uses == 1
    page.get_by_label(asked, exact=True).fill("Only 600 now.")
    desk.button(f"Keep your answer to “{asked}”")
    dialog = page.get_by_role("dialog", name="Keep an answer")
    expect(dialog.get_by_label("Answer", exact=True)).to_have_value("Only 600 now.")
    dialog.get_by_role("button", name="Keep answer").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_label(asked, exact=True)).to_have_value("Only 600 now.")
    expect(page.get_by_text("Writing…")).to_have_count(0)


@step
def save_an_approved_section(desk: Desk, api: Api, proposal_id: str) -> None:
    page = desk.page
    section = api.post(f"/api/proposals/{proposal_id}/sections", title="Safety", text="All staff are trained.")
    api.post(f"/api/sections/{section['id']}/approve")
    desk.open(f"/app/proposals/{proposal_id}?section={section['id']}")
    desk.button("Save as answer")
    dialog = page.get_by_role("dialog", name="Keep an answer")
    expect(dialog.get_by_label("Question")).to_have_value("Safety")
    dialog.get_by_role("button", name="Keep answer").click()
    expect(dialog).to_be_hidden()
    desk.look("78-section-kept")
    desk.go("Answers")
    row = page.get_by_role("list", name="Answers").get_by_role("listitem").filter(has_text="All staff are trained.")
    expect(row).to_contain_text("From Light at the Creamery, Safety")
    desk.look("79-answers-list")


class TestTheLibrary:
    def test_keeps_what_was_approved_and_says_it_again(self, desk: Desk) -> None:
        api = come_in(desk)
        keep_the_first_by_keyboard(desk)
        search(desk)
        found = desk.page.context.request.get(f"{desk.stack.base_url}/api/answers").json()["items"]
        assert found[0]["tags"] == ["people", "risk"]
        change_what_someone_else_changed(desk, found[0]["id"])
        archive_and_undo(desk)
        see_what_is_due(desk, api)
        assert desk.complaints == []

    def test_is_at_hand_where_a_proposal_is_written(self, desk: Desk) -> None:
        api = come_in(desk)
        proposal = give_the_call_later(desk, api)
        move_by_keyboard(desk)
        remove_and_put_back(desk)
        insert_a_suggestion(desk, api, proposal["id"])
        save_an_approved_section(desk, api, proposal["id"])
        assert desk.complaints == []

    def test_fits_a_phone(self, phone: Desk) -> None:
        api = come_in(phone)
        api.post("/api/answers", question="W" * 300, answer="x" * 900, review_on="2020-01-31")
        proposal = api.post("/api/proposals", title="Light", call_text=CALL)
        for title in ("Need", "A very long title of a section that goes on and on"):
            api.post(f"/api/proposals/{proposal['id']}/sections", title=title, text="Words.")
        phone.open("/app/answers")
        expect(phone.page.get_by_text("Review due")).to_be_visible()
        phone.look("80-phone-answers")
        phone.button("New answer")
        phone.look("81-phone-answers-dialog")
        phone.open(f"/app/proposals/{proposal['id']}")
        expect(phone.page.get_by_role("button", name="Move “Need” down")).to_be_visible()
        phone.look("82-phone-sections")
        assert phone.complaints == []
