"""What the service publishes: from its rows to the contract's events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, cast
from uuid import UUID

from ai.generation.models import Generation
from ai.proposals.models import Proposal
from ai.provenance.service import Traced
from ai.sections.models import Section
from contracts.ai import (
    GenerationFinished,
    OrgErased,
    OutlineSection,
    ParagraphOrigin,
    ProposalArchived,
    ProposalChanged,
    ProposalCreated,
    ProposalDeleted,
    SectionApproved,
    UserErased,
)

State = Literal["active", "archived"]


def proposal_created(proposal: Proposal, *, created_by: UUID, charged_to: Literal["cap", "extras"]) -> ProposalCreated:
    """A proposal exists and an allowance paid for it."""
    return ProposalCreated(
        org_id=proposal.org_id,
        version=proposal.event_version,
        proposal_id=proposal.id,
        title=proposal.title,
        state=cast(State, proposal.state),
        revision=proposal.revision,
        sections=(),
        created_by=created_by,
        created_at=proposal.created_at,
        charged_to=charged_to,
    )


def proposal_changed(proposal: Proposal, sections: Sequence[Section]) -> ProposalChanged:
    """The outline as it is now."""
    return ProposalChanged(
        org_id=proposal.org_id,
        version=proposal.event_version,
        proposal_id=proposal.id,
        title=proposal.title,
        state=cast(State, proposal.state),
        revision=proposal.revision,
        sections=_outline(sections),
    )


def proposal_archived(proposal: Proposal, sections: Sequence[Section]) -> ProposalArchived:
    """The proposal is set aside."""
    return ProposalArchived(
        org_id=proposal.org_id,
        version=proposal.event_version,
        proposal_id=proposal.id,
        title=proposal.title,
        state=cast(State, proposal.state),
        revision=proposal.revision,
        sections=_outline(sections),
    )


def proposal_deleted(proposal: Proposal) -> ProposalDeleted:
    """The proposal is gone."""
    return ProposalDeleted(org_id=proposal.org_id, version=proposal.event_version, proposal_id=proposal.id)


def section_approved(
    section: Section, *, approved_by: UUID, approved_at: datetime, paragraphs: Sequence[Traced]
) -> SectionApproved:
    """This text may be exported; who wrote its paragraphs may be disclosed with it."""
    return SectionApproved(
        org_id=section.org_id,
        version=section.event_version,
        section_id=section.id,
        proposal_id=section.proposal_id,
        revision=section.revision,
        title=section.title,
        text=section.text,
        approved_by=approved_by,
        approved_at=approved_at,
        paragraphs=tuple(
            ParagraphOrigin(
                by=one.origin.by,
                words=one.paragraph.words,
                model=one.generation.model if one.generation else None,
                prompt=one.generation.prompt if one.generation else None,
                generation_id=one.origin.generation_id,
            )
            for one in paragraphs
        ),
    )


def generation_finished(generation: Generation, *, user_id: UUID, finished_at: datetime) -> GenerationFinished:
    """An AI request ended; a failed one costs no tokens."""
    began = generation.started_at or generation.accepted_at
    return GenerationFinished(
        org_id=generation.org_id,
        version=generation.event_version,
        generation_id=generation.id,
        kind=cast(Literal["plan", "write", "revise", "format"], generation.kind),
        status=cast(Literal["succeeded", "failed", "cancelled"], generation.status),
        user_id=user_id,
        model=generation.model,
        tokens=generation.tokens or 0,
        duration_ms=max(0, int((finished_at - began).total_seconds() * 1000)),
        accepted_at=generation.accepted_at,
    )


def org_erased(org_id: UUID, at: datetime) -> OrgErased:
    """Receipt of an org's erasure."""
    return OrgErased(org_id=org_id, version=1, erased_at=at)


def user_erased(org_id: UUID, user_id: UUID, at: datetime) -> UserErased:
    """Receipt of a person's erasure."""
    return UserErased(org_id=org_id, version=1, user_id=user_id, erased_at=at)


def _outline(sections: Sequence[Section]) -> tuple[OutlineSection, ...]:
    return tuple(
        OutlineSection(
            section_id=section.id,
            title=section.title,
            position=section.position,
            approved_revision=section.approved_revision,
        )
        for section in sections
    )
