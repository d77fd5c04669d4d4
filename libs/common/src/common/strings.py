"""Text from outside, as a type: what PostgreSQL cannot store is refused at the border."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints

_HALF_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def _storable(value: str) -> str:
    if "\x00" in value or _HALF_SURROGATE.search(value):
        raise ValueError("contains characters that cannot be stored (NUL, or half of a surrogate pair)")
    return value


Storable = Annotated[str, AfterValidator(_storable)]
"""Any text that can be stored."""

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_storable)]
"""A title or a name: trimmed, not empty, 200 characters at most."""
