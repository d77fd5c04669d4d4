"""Somebody at a browser: what they click, what they see, and what the console and axe have to say about it."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

from devstack.running import RunningStack

ROOT = Path(__file__).parents[2]
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
