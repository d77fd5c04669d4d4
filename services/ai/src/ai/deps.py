"""What routes, handlers and jobs are given. `ai.bootstrap` makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from fastapi import Request

from ai.compliance.service import ComplianceService
from ai.generation.ports import JobDeps
from ai.generation.service import GenerationService
from ai.proposals.service import ProposalService
from ai.providers.port import Provider
from ai.sections.service import SectionService
from ai.settings import Settings
from common.jobs import JobRunner
from common.parts import ServiceDeps


@dataclass(frozen=True)
class Deps(ServiceDeps):
    """The service's parts, put together."""

    settings: Settings
    provider: Provider
    runner: JobRunner[JobDeps]
    job_deps: JobDeps
    proposals: ProposalService
    sections: SectionService
    compliance: ComplianceService
    generations: GenerationService


def get_deps(request: Request) -> Deps:
    """The deps of the app that serves this request."""
    return cast(Deps, request.app.state.deps)
