"""The approved sections as one Markdown document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from ai.proposals.models import Proposal
from ai.sections.models import Section

PLACEHOLDER: Final = re.compile(r"\[To complete:[^\]]*\]")


def assemble(proposal: Proposal, sections: Sequence[Section]) -> dict[str, Any]:
    """The document, and for each section whether it is in it and what it still leaves open."""
    approved = [section for section in sections if section.approved_revision is not None]
    parts = [f"# {proposal.title}", *(f"## {section.title}\n\n{section.text.strip()}" for section in approved)]
    text = "\n\n".join(parts) + "\n"
    return {
        "proposal_id": str(proposal.id),
        "revision": proposal.revision,
        "text": text,
        "words": len(text.split()),
        "sections": [
            {
                "section_id": str(section.id),
                "title": section.title,
                "included": section.approved_revision is not None,
                "placeholders": len(PLACEHOLDER.findall(section.text)),
            }
            for section in sections
        ],
    }
