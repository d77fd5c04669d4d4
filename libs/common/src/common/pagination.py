"""Lists answer `{items, next_cursor}`; a cursor is opaque and only valid for the list that gave it."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

from common.errors import InvalidCursor

T = TypeVar("T")

DEFAULT_LIMIT = 50
MAX_LIMIT = 100
MAX_CURSOR = 512

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many items at most")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before")]


class Page(BaseModel, Generic[T]):
    """One page of a list; `next_cursor` is null on the last."""

    items: list[T]
    next_cursor: str | None = None


def encode_cursor(*parts: str) -> str:
    """A cursor that carries these parts."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, parts: int) -> tuple[str, ...]:
    """The parts of a cursor; raises InvalidCursor unless it has exactly `parts` of them."""
    if len(cursor) > MAX_CURSOR:
        raise InvalidCursor
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise InvalidCursor from error
    if not isinstance(values, list) or len(values) != parts or not all(isinstance(value, str) for value in values):
        raise InvalidCursor
    return tuple(values)
