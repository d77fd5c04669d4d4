"""Somebody at a browser: what they click, what they see, and what the console and axe have to say about it."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

from devstack.running import RunningStack

ROOT = Path(__file__).parents[2]
PASSWORD = "a long enough pass phrase"
PATIENCE_MS = 10_000
WORK_MS = 40_000  # a worker reads a scan, drafts or renders

# The browser itself reports every answer of 400 and above. These are the product's way of saying no, and not yet.
EXPECTED = (
    re.compile(r"status of 402 .*/api/ai/write"),  # drafting needs Pro
    re.compile(r"status of 409 .*/api/(ai/(plan|write|revise)|proposals|exports)$"),  # asked again by the page itself
)

AXE_RUN = """async () => {
  const found = await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, impact, nodes }) =>
      `${id} (${impact}): ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`)
}"""

P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class Desk:
    """A person's browser window, watched."""

    page: Page
    stack: RunningStack
    shots: Path
    complaints: list[str] = field(default_factory=list)
    refusals: list[re.Pattern[str]] = field(default_factory=list)
    """Answers of 400 and above that this test causes on purpose."""

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        self.page.add_init_script(
            "document.addEventListener('securitypolicyviolation', e =>"
            " console.error(`CSP ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`))"
        )

    def _heard(self, message: ConsoleMessage) -> None:
        said = f"{message.type}: {message.text} {message.location.get('url', '')}"
        expected = (*EXPECTED, *self.refusals)
        if message.type in ("error", "warning") and not any(pattern.search(said) for pattern in expected):
            self.complaints.append(said)

    def shot(self, name: str) -> None:
        self.page.screenshot(path=self.shots / f"{name}.png", full_page=True)

    def look(self, name: str) -> None:
        """A screenshot, and a check of what it shows: readable for everyone, and no wider than the window."""
        expect(self.page.locator(".skeleton")).to_have_count(0)
        self.shot(name)
        self.page.evaluate(axe_source())  # through the debugger, so that the page's policy has nothing to say about it
        self.complaints += [f"axe, {name}: {violation}" for violation in self.page.evaluate(AXE_RUN)]
        over = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if over > 0:
            self.complaints.append(f"{name}: {over} pixels wider than the window")

    def open(self, path: str) -> None:
        self.page.goto(self.stack.base_url + path)

    def button(self, name: str | re.Pattern[str]) -> None:
        self.page.get_by_role("button", name=name, exact=isinstance(name, str)).click()

    def heading(self, name: str) -> Locator:
        return self.page.get_by_role("heading", name=name, exact=True)

    def go(self, name: str) -> None:
        """Follow a link of the main navigation."""
        self.page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()


def step(do: Callable[Concatenate[Desk, P], R]) -> Callable[Concatenate[Desk, P], R]:
    """A part of the way; where it fails, a screenshot is left and named in the report."""

    @functools.wraps(do)
    def watched(desk: Desk, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return do(desk, *args, **kwargs)
        except Exception as error:
            desk.shot(f"failed-{do.__name__}")
            error.add_note(f"Seen: {desk.shots / f'failed-{do.__name__}.png'} at {desk.page.url}")
            error.add_note("\n".join(["The page said:", *desk.complaints]))
            raise

    return watched


@functools.cache
def axe_source() -> str:
    return (ROOT / "web/node_modules/axe-core/axe.min.js").read_text()


def link_in_mail(desk: Desk, email: str) -> str:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        for mail in desk.stack.mails(email):
            return str(mail["links"][0])
        time.sleep(0.1)
    raise AssertionError(f"no mail came to {email}")


class Api:
    """What a test prepares without clicking, with the window's own session."""

    def __init__(self, desk: Desk) -> None:
        self.http, self.base = desk.page.context.request, desk.stack.base_url

    def post(self, path: str, **body: str) -> dict[str, Any]:
        """The answer; asks again while a service says that it has yet to hear of something."""
        end = time.monotonic() + 10
        while True:
            answer = self.http.post(self.base + path, data=body, headers={"Origin": self.base})
            said: dict[str, Any] = answer.json()
            if answer.ok:
                return said
            late = said.get("error") == "not_yet_consistent" and time.monotonic() < end
            assert late, f"{path}: {answer.status} {said}"
            time.sleep(0.1)
