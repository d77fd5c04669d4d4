"""Where each service listens: `<SERVICE>_UPSTREAM`, for the edge and for whoever sums up the services."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from contracts import SERVICES

FIRST_PORT: Final = 8101


def _complete(given: Any) -> dict[str, tuple[str, ...]]:
    """Every service's addresses: as given, else from the environment, else a port on this machine."""
    upstreams: Mapping[str, str] = given or {}
    complete = {}
    for index, service in enumerate(SERVICES):
        key = f"{service.upper()}_UPSTREAM"
        listed = upstreams.get(service) or os.environ.get(key) or f"127.0.0.1:{FIRST_PORT + index}"
        complete[service] = tuple(_address(key, part.strip()) for part in listed.split(","))
    return complete


def _address(key: str, address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise ValueError(f"{key}: {address!r} is not host:port")
    return address


Upstreams = Annotated[
    dict[str, tuple[str, ...]], BeforeValidator(_complete), Field(default_factory=dict, validate_default=True)
]
"""host:port of each replica of each service: `<SERVICE>_UPSTREAM`, parted by commas."""
