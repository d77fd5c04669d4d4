"""Identifiers: UUIDv7 (RFC 9562), which sort by the time they were made and so keep indexes dense."""

from __future__ import annotations

from uuid import UUID

from uuid_utils import compat


def new_id() -> UUID:
    """A new UUIDv7."""
    return compat.uuid7()


def parse_id(text: str) -> UUID | None:
    """The UUID that `text` spells in its canonical form, or None."""
    try:
        value = UUID(text)
    except ValueError:
        return None
    return value if str(value) == text.lower() else None
