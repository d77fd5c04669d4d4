"""Pure rules of signing in with another provider: what is asked of it, what it said, where one goes afterwards."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, get_args
from urllib.parse import unquote

from gateway.accounts.domain import normal_email

ProviderName = Literal["google", "github", "facebook"]
PROVIDER_NAMES: Final[tuple[ProviderName, ...]] = get_args(ProviderName)

STATE_LIFE: Final = timedelta(minutes=10)
MAX_NEXT: Final = 1000
MAX_CODE: Final = 4096
MAX_NAME: Final = 200
HOME: Final = "/"

# Printable ASCII without the backslash, which browsers read as a slash.
_PATH: Final = re.compile(r"/(?:[!-.0-\[\]-~][!-\[\]-~]*)?")


@dataclass(frozen=True, slots=True)
class Journey:
    """One way to a provider and back: what the browser carries, and what we keep to check it by."""

    state: str
    verifier: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Claim:
    """Who the provider says it is. `email` is None unless the provider has verified it."""

    subject: str
    email: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the browser brings back from the provider."""

    state: str = ""
    code: str = ""
    error: str = ""


def safe_next(asked: str | None) -> str:
    """The path within the app to go to afterwards; the app's first page when what is asked for could lead elsewhere."""
    if not asked or len(asked) > MAX_NEXT or not _PATH.fullmatch(asked):
        return HOME
    path = re.split(r"[?#]", asked, maxsplit=1)[0]
    # Also half decoded, as a browser reads it.
    segments = unquote(path).replace("\\", "/").split("/")
    return HOME if ".." in segments or "." in segments else asked


def verified_email(email: object, *, verified: bool) -> str | None:
    """The address in our spelling; None when it is not verified, or none that could be one."""
    if not verified or not isinstance(email, str):
        return None
    try:
        return normal_email(email)
    except ValueError:
        return None


def person_name(name: str | None, email: str) -> str:
    """What a new person is called: as the provider has it, in one line, else as their address begins."""
    visible = "".join(
        " " if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") else character for character in name or ""
    )
    return " ".join(visible.split())[:MAX_NAME].strip() or email.partition("@")[0][:MAX_NAME]


def primary_email(addresses: Sequence[Mapping[str, object]]) -> str | None:
    """GitHub's list: the primary address, when it is verified."""
    for address in addresses:
        if address.get("primary") is True:
            return verified_email(address.get("email"), verified=address.get("verified") is True)
    return None
