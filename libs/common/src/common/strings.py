"""Text from outside, as a type: what PostgreSQL cannot store is refused at the border (half surrogates by pydantic)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints


def _storable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("contains a NUL character, which cannot be stored")
    return value


Storable = Annotated[str, AfterValidator(_storable)]
"""Any text that can be stored."""

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_storable)]
"""A title or a name: trimmed, not empty, 200 characters at most."""
