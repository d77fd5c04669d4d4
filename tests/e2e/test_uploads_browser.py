"""A large upload in Chromium: paused by keyboard, offline, reloaded and gone on with, given up; also on a phone."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from .desk import PASSWORD, WORK_MS, Api, Desk, link_in_mail, step

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(180)]

NAME = "annual-report.txt"
SIZE = 8_000_000


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / NAME
    line = f"{uuid.uuid4()} is what this line says.\n".encode()
    path.write_bytes((line * (SIZE // len(line) + 1))[:SIZE])
    return path


@step
def come_in(desk: Desk) -> None:
    email = f"ada-{uuid.uuid4().hex[:12]}@example.com"
    Api(desk).post("/api/auth/register", email=email, password=PASSWORD, name="Ada Fenwick")
    desk.page.goto(link_in_mail(desk, email))
    expect(desk.heading("Proposals")).to_be_visible()
    desk.open("/app/uploads")
    expect(desk.heading("Uploads")).to_be_visible()


def line_of(page: Page, *, kilobytes_a_second: int) -> None:
    """How fast the window may send; 0: as fast as it can."""
    speed = kilobytes_a_second * 1000 or -1
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": speed}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", limits)


def choose(desk: Desk, file: Path) -> None:
    desk.page.locator("input[type=file]").set_input_files(file)


def appends(page: Page) -> list[int]:
    """Where each append begins, as they are sent."""
    seen: list[int] = []

    def note(request: Request) -> None:
        if request.method == "PATCH":
            seen.append(int(request.headers["upload-offset"]))

    page.on("request", note)
    return seen


def percent(desk: Desk) -> int:
    return int(desk.page.get_by_role("progressbar").get_attribute("aria-valuenow") or 0)


@step
def pause_by_keyboard(desk: Desk, name: str) -> None:
    page = desk.page
    pause = page.get_by_role("button", name=f"Pause {NAME}")
    pause.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"Paused at \d+%"))).to_be_visible()
    before = percent(desk)
    desk.look(name)
    page.wait_for_timeout(500)
    assert percent(desk) == before
    resume = page.get_by_role("button", name=f"Resume {NAME}")
    resume.focus()
    page.keyboard.press("Enter")
    expect(pause).to_be_visible()


@step
def lose_the_line(desk: Desk) -> None:
    page = desk.page
    desk.refusals.append(re.compile(r"net::ERR_|status of 0"))
    page.context.set_offline(True)
    page.wait_for_timeout(1500)
    page.context.set_offline(False)


@step
def leave_and_come_back(desk: Desk, report: Path) -> None:
    page = desk.page
    page.reload()
    unfinished = page.get_by_role("list", name="Unfinished uploads")
    expect(unfinished.get_by_role("listitem")).to_have_count(1)
    expect(unfinished).to_contain_text(NAME)
    desk.look("81-upload-unfinished")
    line_of(page, kilobytes_a_second=0)
    choose(desk, report)
    expect(page.get_by_role("list", name="Uploads", exact=True)).to_contain_text(NAME, timeout=WORK_MS)
    expect(unfinished).to_have_count(0)


class TestALargeUpload:
    def test_it_goes_on_after_a_pause_a_lost_line_and_a_reload(self, desk: Desk, report: Path) -> None:
        page = desk.page
        come_in(desk)
        starts = appends(page)
        line_of(page, kilobytes_a_second=900)
        choose(desk, report)
        expect(page.get_by_role("progressbar")).not_to_have_attribute("aria-valuenow", "0")
        page.wait_for_timeout(2000)
        pause_by_keyboard(desk, "80-upload-paused")
        page.wait_for_timeout(1500)
        lose_the_line(desk)
        page.wait_for_timeout(2000)
        leave_and_come_back(desk, report)
        assert len(starts) >= 3
        assert starts[0] == 0
        assert starts[-1] > 2_000_000
        assert starts == sorted(starts)
        assert desk.complaints == []

    def test_on_a_phone_it_can_be_given_up(self, phone: Desk, report: Path) -> None:
        page = phone.page
        come_in(phone)
        line_of(page, kilobytes_a_second=500)
        choose(phone, report)
        pause_by_keyboard(phone, "82-upload-paused-phone")
        gone: list[Any] = []
        page.on("request", lambda request: gone.append(request.url) if request.method == "DELETE" else None)
        page.get_by_role("button", name=f"Cancel {NAME}").click()
        expect(page.get_by_role("progressbar")).to_have_count(0)
        page.wait_for_timeout(500)
        assert len(gone) == 1
        page.reload()
        expect(phone.heading("Uploads")).to_be_visible()
        expect(page.get_by_role("list", name="Unfinished uploads")).to_have_count(0)
        assert phone.complaints == []
