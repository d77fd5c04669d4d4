"""What routes, handlers and jobs are given. `ai.bootstrap` makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from fastapi import Request

from ai.answers.service import AnswerService
from ai.citations.service import CitationService
from ai.compliance.service import ComplianceService
from ai.generation.live import Live
from ai.generation.pieces import Pieces
from ai.generation.ports import JobDeps
from ai.generation.service import GenerationService
from ai.proposals.service import ProposalService
from ai.provenance.service import ProvenanceService
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
    live: Live
    pieces: Pieces
    job_deps: JobDeps
    proposals: ProposalService
    sections: SectionService
    provenance: ProvenanceService
    citations: CitationService
    compliance: ComplianceService
    answers: AnswerService
    generations: GenerationService


def get_deps(request: Request) -> Deps:
    """The deps of the app that serves this request."""
    return cast(Deps, request.app.state.deps)
