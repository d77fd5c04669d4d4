"""What jobs are given."""

from __future__ import annotations

from dataclasses import dataclass

from ai.generation.models import Generation
from ai.generation.pieces import Pieces
from ai.providers.port import Provider
from ai.sections.models import Section
from common.clock import Clock


@dataclass(frozen=True)
class Outcome:
    """What a job that succeeded has left, for who waits for it."""

    generation: Generation
    section: Section | None = None


@dataclass(frozen=True)
class JobDeps:
    """The clock that dates what a job does, who writes the text, and how long a call a model may be given."""

    clock: Clock
    provider: Provider
    max_call_characters: int = 400_000
    pieces: Pieces | None = None
    """Where streams are stored, when somebody is to be told of them."""
