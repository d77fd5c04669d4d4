"""Request fields that several routes take."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from common.strings import Line, Storable
from gateway.accounts.domain import normal_email
from gateway.accounts.passwords import MAX_LENGTH
from gateway.tokens import MAX_TOKEN_LENGTH


def _visible(value: str) -> str:
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in value):
        raise ValueError("contains line breaks or control characters")
    return value


Name = Annotated[Line, AfterValidator(_visible)]
"""What a person, an org or a key is called: one line."""

Email = Annotated[Storable, StringConstraints(max_length=320), AfterValidator(normal_email)]
"""An address, in the spelling that is stored."""

LoginEmail = Annotated[Storable, StringConstraints(strip_whitespace=True, min_length=1, max_length=320, to_lower=True)]
"""An address to look for. One that cannot exist is simply not found."""

Password = Annotated[str, StringConstraints(min_length=1, max_length=MAX_LENGTH)]
"""A password; new ones are checked further by `password_problem`."""

Token = Annotated[Storable, StringConstraints(min_length=1, max_length=MAX_TOKEN_LENGTH)]
"""A secret from a link."""
