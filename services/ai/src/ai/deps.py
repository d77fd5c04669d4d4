"""What routes, handlers and jobs are given. `ai.bootstrap` makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from fastapi import Request

from ai.generation.ports import JobDeps
from ai.generation.service import GenerationService
from ai.proposals.service import ProposalService
from ai.providers.port import Provider
from ai.sections.service import SectionService
from ai.settings import Settings
from common.bus import Bus
from common.clock import Clock
from common.db import Database
from common.jobs import JobRunner


@dataclass(frozen=True)
class Deps:
    """The service's parts, put together."""

    settings: Settings
    clock: Clock
    db: Database
    bus: Bus
    provider: Provider
    runner: JobRunner[JobDeps]
    job_deps: JobDeps
    proposals: ProposalService
    sections: SectionService
    generations: GenerationService


def get_deps(request: Request) -> Deps:
    """The deps of the app that serves this request."""
    return cast(Deps, request.app.state.deps)
