"""pgvector's `halfvec` as a column: two bytes a number, which loses nothing that a ranking would notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType


class HalfVector(UserDefinedType[list[float]]):
    """Of any length, so that another embedding needs no other column; each row says which one made it."""

    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        return "halfvec"

    def bind_processor(self, dialect: Any) -> Callable[[Any], str | None]:
        def process(value: Any) -> str | None:
            return None if value is None else "[" + ",".join(f"{number:.6g}" for number in value) + "]"

        return process

    def result_processor(self, dialect: Any, coltype: Any) -> Callable[[Any], list[float] | None]:
        def process(value: Any) -> list[float] | None:
            return None if value is None else [float(number) for number in str(value).strip("[]").split(",")]

        return process


# The extension lies in a schema of its own, whose name a reader without it on the path sees.
ischema_names["halfvec"] = ischema_names["extensions.halfvec"] = HalfVector
