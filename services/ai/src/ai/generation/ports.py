"""What jobs are given."""

from __future__ import annotations

from dataclasses import dataclass

from ai.providers.port import Provider
from common.clock import Clock


@dataclass(frozen=True)
class JobDeps:
    """The clock that dates what a job does, and who writes the text."""

    clock: Clock
    provider: Provider
