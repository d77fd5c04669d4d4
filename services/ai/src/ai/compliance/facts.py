"""From a section's row to what the rules need to know of it."""

from __future__ import annotations

from ai.compliance.domain import SectionFacts
from ai.sections.domain import status_of
from ai.sections.models import Section


def facts_of(section: Section) -> SectionFacts:
    """The section as the rules see it."""
    return SectionFacts(
        id=section.id,
        title=section.title,
        status=status_of(text=section.text, approved_revision=section.approved_revision),
        text=section.text,
        guidance=section.guidance,
        criteria=tuple(str(criterion["title"]) for criterion in section.criteria),
        page_limit=section.page_limit,
    )
