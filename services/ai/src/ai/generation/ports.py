"""What jobs are given."""

from __future__ import annotations

from dataclasses import dataclass

from ai.providers.port import Provider
from common.clock import Clock


@dataclass(frozen=True)
class JobDeps:
    """The clock that dates what a job does, who writes the text, and how long a call a model may be given."""

    clock: Clock
    provider: Provider
    max_call_characters: int = 400_000
