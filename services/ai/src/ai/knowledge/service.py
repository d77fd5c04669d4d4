"""What other use cases ask of the documents; each works in the caller's unit of work."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from ai.knowledge import indexing
from ai.knowledge.repository import KnowledgeRepository
from ai.knowledge.search import PassageSearch
from ai.planning.reading import PageText
from ai.providers.port import Passage
from common.db import UnitOfWork
from common.errors import NotYetConsistent, ValidationFailed

CALL_LABEL: Final = "call"
CALL_PASSAGES: Final = 3
OWN_PASSAGES: Final = 5
ARRIVAL_PATIENCE: Final = timedelta(minutes=2)
"""An upload that nothing was heard of for this long does not exist in this org."""


async def require_readable(uow: UnitOfWork, org_id: UUID, upload_id: UUID, field: str, now: datetime) -> None:
    """Raises NotYetConsistent while the upload's text is on its way, ValidationFailed when there is none to come."""
    document = await KnowledgeRepository(uow.session, org_id).get(upload_id)
    if document is None:
        if _made_at(upload_id, now) + ARRIVAL_PATIENCE > now:
            raise NotYetConsistent("The upload has not arrived here yet; try again in a moment.")
        raise ValidationFailed([{"field": field, "message": "there is no such upload in this organisation"}])
    if document.status == "unreadable":
        raise ValidationFailed([{"field": field, "message": "this upload has no readable text"}])
    if document.status != "ready":
        raise NotYetConsistent("The upload is still being read; try again in a moment.")


async def store_call_text(uow: UnitOfWork, org_id: UUID, proposal_id: UUID, text: str, now: datetime) -> None:
    """Keeps a pasted call as a document of the proposal; a form feed begins a new page."""
    repository = KnowledgeRepository(uow.session, org_id)
    document = await repository.announce(proposal_id, filename=CALL_LABEL, proposal_id=None, at=now)
    await repository.add_pages(
        proposal_id, [PageText(number, page) for number, page in enumerate(text.split("\f"), start=1)]
    )
    document.status = "ready"
    indexing.order(uow, org_id, proposal_id)
    await uow.flush()


async def call_pages(uow: UnitOfWork, org_id: UUID, proposal_id: UUID, call_upload_id: UUID | None) -> list[PageText]:
    """The pages of the proposal's call; none when it has no call."""
    return await KnowledgeRepository(uow.session, org_id).pages(call_upload_id or proposal_id)


async def find_passages(
    uow: UnitOfWork,
    org_id: UUID,
    *,
    proposal_id: UUID,
    call_upload_id: UUID | None,
    upload_ids: Collection[UUID],
    about: Sequence[str],
) -> list[Passage]:
    """What the call and the org's own documents say about a section, the call first, best first."""
    repository = KnowledgeRepository(uow.session, org_id)
    search = PassageSearch(uow.session, org_id)
    question = " ".join(about)
    call_id = call_upload_id or proposal_id
    asked = await search.best(question, [call_id], limit=CALL_PASSAGES)
    labels = {document.id: document.filename for document in await repository.of_proposal(proposal_id)}
    for upload_id in upload_ids:
        if document := await repository.get(upload_id):
            labels[upload_id] = document.filename
    labels.pop(call_id, None)
    own = await search.best(question, list(labels), limit=OWN_PASSAGES) if labels else []
    return [
        *(Passage(CALL_LABEL, one.page, one.text) for one in asked),
        *(Passage(_label(labels[one.document_id]), one.page, one.text) for one in own),
    ]


def _label(filename: str) -> str:
    """A file name that can stand in a citation: `[`, `]` and line feeds would break out of it."""
    return " ".join(filename.translate(str.maketrans("[]", "()")).split())[:80]


def _made_at(identifier: UUID, now: datetime) -> datetime:
    """When a UUIDv7 was made; long ago for any other."""
    if identifier.version != 7:
        return datetime(1970, 1, 1, tzinfo=UTC)
    made = datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)
    return min(made, now)
