"""The documentation's pages and the commands in them.

A fenced block of sh, bash or console is commands, and a test runs them; one that cannot be run says so in the line
above it: `<!-- not run: the reason -->`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
OTHERS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
SHELLS = ("sh", "bash", "console", "shell")
_BLOCK = re.compile(r"(?:^<!-- not run: ([^\n]*) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """Commands on a page."""

    page: str
    language: str
    text: str
    excuse: str | None

    @property
    def script(self) -> str:
        """What a shell gets: of a console the lines after the prompt."""
        if self.language != "console":
            return self.text
        return "".join(f"{line[2:]}\n" for line in self.text.splitlines() if line.startswith("$ "))

    def __str__(self) -> str:
        return f"{self.page}: {self.script.splitlines()[0][:60]}"


def name_of(page: Path) -> str:
    """As `docs/runbook/mail.md`."""
    return str(page.relative_to(ROOT))


def blocks_of(page: Path) -> list[Block]:
    """The page's commands, in order."""
    return [
        Block(name_of(page), language, text, excuse or None)
        for excuse, language, text in _BLOCK.findall(page.read_text())
        if language in SHELLS
    ]


def spans_of(page: Path) -> list[str]:
    """What stands in the page's text as code, and each line of its commands."""
    text = page.read_text()
    prose = _BLOCK.sub("", text)
    lines = [line for block in blocks_of(page) for line in block.script.splitlines()]
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)] + lines
