"""Windows of a real browser for the tests that click."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from devstack.running import RunningStack

from .desk import PATIENCE_MS, Desk

CHROMIUM_FLAGS = [
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.fail(
            "There is no chromium on PATH. Install it (Debian: apt-get install chromium) or leave out -m browser."
        )
    # As root Chromium runs only without its own sandbox; it opens nothing but our pages.
    flags = [*CHROMIUM_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=flags)
        yield opened
        opened.close()


@pytest.fixture
def sit_down(
    browser: Browser, stack: RunningStack, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Desk]]:
    """Open a window of its own, with the options of a Playwright context."""
    shots = Path(os.environ.get("BIDWRIGHT_SCREENSHOTS") or tmp_path / "screenshots")
    shots.mkdir(parents=True, exist_ok=True)
    opened: list[BrowserContext] = []

    def make(width: int, height: int, **options: Any) -> Desk:
        size = {"width": width, "height": height}
        context = browser.new_context(viewport=size, reduced_motion="reduce", **options)  # type: ignore[arg-type]
        opened.append(context)
        context.set_default_timeout(PATIENCE_MS)
        return Desk(context.new_page(), stack, shots)

    expect.set_options(timeout=PATIENCE_MS)
    yield make
    for context in opened:
        context.pages[0].screenshot(path=shots / f"last-{request.node.name}.png")
        context.close()


@pytest.fixture
def desk(sit_down: Callable[..., Desk]) -> Desk:
    return sit_down(1360, 860, color_scheme="light")


@pytest.fixture
def phone(sit_down: Callable[..., Desk]) -> Desk:
    """In the dark, so that the other set of colours is looked at too."""
    return sit_down(390, 844, color_scheme="dark", has_touch=True, is_mobile=True, device_scale_factor=2)
