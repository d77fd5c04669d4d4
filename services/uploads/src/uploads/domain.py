"""Pure rules: names, storage, what a text is worth and how it is sent."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from uploads.extraction import ExtractedPage

Status = Literal["processing", "ready", "unreadable"]
Reason = Literal["too_large_to_read", "no_text_found", "cannot_be_read"]

REASONS: Final[dict[Reason, str]] = {
    "too_large_to_read": "The file is stored, but it is larger than what is read for text.",
    "no_text_found": "The file is stored, but no text was found in it.",
    "cannot_be_read": "The file is stored, but reading it failed or took too much; upload a simpler copy of it.",
}
FILENAME_CHARACTERS: Final = 255
PART_BYTES: Final = 512 * 1024
"""How much text goes into one event; a message may have 1 MiB."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an extraction ended."""

    status: Literal["ready", "unreadable"]
    pages: tuple[ExtractedPage, ...] = ()
    reason: Reason | None = None


def verdict(pages: Sequence[ExtractedPage]) -> Verdict:
    """Ready when there is any text at all."""
    if any(page.text.strip() for page in pages):
        return Verdict("ready", tuple(pages))
    return Verdict("unreadable", (), "no_text_found")


def display_name(raw: str) -> str:
    """A file's name as it is shown and served: no path, no control or direction characters, 255 characters at most."""
    name = unicodedata.normalize("NFC", raw.replace("\\", "/").rpartition("/")[2])
    name = "".join(" " if character.isspace() else character for character in name)
    name = "".join(character for character in name if unicodedata.category(character)[0] != "C")
    name = " ".join(name.split())
    if len(name) > FILENAME_CHARACTERS:
        stem, dot, extension = name.rpartition(".")
        name = stem[: FILENAME_CHARACTERS - len(dot + extension)] + dot + extension if len(extension) < 16 else name
    return name[-FILENAME_CHARACTERS:]


def fits(*, used: int, reserved: int, size: int, limit: int | None) -> bool:
    """Whether `size` more bytes may be stored, counting what uploads that are still under way have reserved."""
    return limit is None or used + reserved + size <= limit


def in_parts(pages: Sequence[ExtractedPage]) -> list[list[ExtractedPage]]:
    """Pages in order, grouped so that each group fits into one event; one empty group when there are none."""
    parts: list[list[ExtractedPage]] = [[]]
    room = PART_BYTES
    for page in pages:
        weight = len(json.dumps(page.text)) + 64
        if parts[-1] and weight > room:
            parts.append([])
            room = PART_BYTES
        parts[-1].append(page)
        room -= weight
    return parts
