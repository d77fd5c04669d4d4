"""What a funder prescribes of the page. Whatever is not set is as the template has it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

PAPERS: Final = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}
"""Width and height in millimetres."""

WORD_FONTS: Final = {"sans": "Noto Sans", "arial": "Arial", "serif": "Times New Roman"}
"""A font's name in Word; a PDF is set in what has the same widths, or nearly: Arimo is Arial's metric twin."""

DEFAULT_PAPER: Final = "a4"
DEFAULT_FONT: Final = "sans"
DEFAULT_SIZE_PT: Final = 10.5
DEFAULT_LANGUAGE: Final = "en"


@dataclass(frozen=True, slots=True)
class Layout:
    """Each None is the template's own."""

    paper: str | None = None
    margin_mm: float | None = None
    """On all four sides."""
    font: str | None = None
    size_pt: float | None = None
    line_spacing: float | None = None
    """1 is single: a line of 1.2 times the letter's size."""
    language: str | None = None
    """Of the text, for screen readers and hyphenation: `en`, `de`, `pt-BR`."""
    cover: bool = True
    contents: bool = True

    def as_data(self) -> dict[str, Any]:
        """What is set, for the canonical document: a new option changes no older document's spelling."""
        data = {name: value for name, value in asdict(self).items() if value is not None}
        return {name: value for name, value in data.items() if value is not True}
