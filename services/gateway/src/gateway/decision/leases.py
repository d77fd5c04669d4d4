"""Leases: requests that are counted up front, so that the edge can let a known caller pass without asking each time.

Spoken between the edge (`gateway/edge/verdicts.lua`) and the decision, in headers that neither a client nor a service
ever sees. docs/decisions/0007-verdicts-by-lease.md says why the limits stay exact.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gateway.decision.facts import Facts, Lease
from gateway.decision.limits import Taken

LEASE_HEADER: Final = "x-bidwright-lease"
"""The edge would keep a verdict, and a lease with it."""
UNSPENT_HEADER: Final = "x-bidwright-unspent"
"""What the edge gives back, parted by commas: `user:org:window-end:requests`."""
VERDICT_HEADER: Final = "x-bidwright-verdict"
"""What the edge may keep: `user:org:window-end requests limit left resets-in-ms`."""

_UNSPENT: Final = re.compile(r"([0-9a-f-]{36}):([0-9a-f-]{36}):([0-9]{1,16}):([0-9]{1,4})")
_MOST_AT_ONCE: Final = 32


def verdict(facts: Facts, api: Taken, lease: Lease) -> str:
    """What the edge may keep."""
    window = f"{facts.caller.user_id}:{facts.place.org_id}:{lease.window_ends_ms}"
    return f"{window} {lease.requests} {api.limit} {api.left} {api.resets_in_ms}"


def read_unspent(header: str) -> Iterator[tuple[str, str, Lease]]:
    """User, org and lease of each that comes back; what is malformed is passed over."""
    for part in header.split(",")[:_MOST_AT_ONCE]:
        found = _UNSPENT.fullmatch(part.strip())
        if found is not None:
            user_id, org_id, window_ends_ms, requests = found.groups()
            yield user_id, org_id, Lease(int(requests), int(window_ends_ms))
