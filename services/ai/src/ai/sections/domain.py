"""Rules of sections: what state a section is in, and which If-Match may change it."""

from __future__ import annotations

import re
from typing import Final, Literal

from common.errors import InvalidRequest, PreconditionRequired

Status = Literal["empty", "draft", "approved"]
Origin = Literal["user", "write", "plan"]

_ETAG: Final = re.compile(r'^\s*(?:W/)?"?(\d{1,18})"?\s*$')


def status_of(*, text: str, approved_revision: int | None) -> Status:
    """empty until it has text, approved while its approval holds."""
    if approved_revision is not None:
        return "approved"
    return "draft" if text.strip() else "empty"


def etag(revision: int) -> str:
    """The revision as an entity tag."""
    return f'"{revision}"'


def expected_revision(if_match: str | None) -> int:
    """The revision that the client saw.

    Raises PreconditionRequired without the header, InvalidRequest for another tag.
    """
    if if_match is None or not if_match.strip():
        raise PreconditionRequired
    match = _ETAG.match(if_match)
    if match is None:
        raise InvalidRequest('If-Match must be the revision that you loaded, for example "3".')
    return int(match[1])
