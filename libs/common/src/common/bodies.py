"""What a request may say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from common.errors import InvalidJSON, ValidationFailed

B = TypeVar("B", bound=BaseModel)


class RequestBody(BaseModel):
    """The base of every JSON body that is taken in: a field that we do not know is refused, since it may be a
    misspelt one."""

    model_config = ConfigDict(extra="forbid")


def parse_body(model: type[B], body: bytes) -> B:
    """A JSON body as `model`, for a route that reads its body itself. Raises InvalidJSON, ValidationFailed."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise InvalidJSON from error
        raise ValidationFailed(field_errors(error.errors())) from error


def field_errors(found: Iterable[Mapping[str, Any]], *, skip: int = 0) -> list[dict[str, str]]:
    """What pydantic found, as `errors` of the answer; `skip` leaves the first parts of each place out."""
    return [
        {
            "field": ".".join(str(part) for part in item["loc"][skip:]) or str((*item["loc"], "body")[0]),
            "message": item["msg"].removeprefix("Value error, "),
        }
        for item in found
    ]
