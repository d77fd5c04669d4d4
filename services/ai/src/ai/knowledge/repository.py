"""All SQL about documents of one org."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ai.knowledge.domain import cleaned, passages_of
from ai.knowledge.models import Document, DocumentPage, PassageRow
from ai.planning.reading import PageText


class KnowledgeRepository:
    """One org's documents within the caller's transaction."""

    def __init__(self, session: AsyncSession, org_id: UUID) -> None:
        self._session = session
        self._org_id = org_id

    async def get(self, document_id: UUID) -> Document | None:
        """The document, or None when nothing is known of it."""
        return await self._session.scalar(
            select(Document).where(Document.org_id == self._org_id, Document.id == document_id)
        )

    async def announce(self, document_id: UUID, *, filename: str, proposal_id: UUID | None, at: datetime) -> Document:
        """The document's row, made when this is the first that is heard of it."""
        await self._session.execute(
            insert(Document)
            .values(
                id=document_id,
                org_id=self._org_id,
                filename=filename,
                proposal_id=proposal_id,
                status="processing",
                created_at=at,
            )
            .on_conflict_do_nothing()
        )
        document = await self._session.scalar(
            select(Document).where(Document.org_id == self._org_id, Document.id == document_id).with_for_update()
        )
        if document is None:
            raise LookupError(f"document {document_id} belongs to another org")
        return document

    async def add_pages(self, document_id: UUID, pages: Iterable[PageText]) -> None:
        """Stores pages and their passages; a page that comes in two parts is joined."""
        for page in pages:
            text = cleaned(page.text)
            await self._session.execute(
                insert(DocumentPage)
                .values(document_id=document_id, number=page.number, org_id=self._org_id, text=text)
                .on_conflict_do_update(
                    index_elements=[DocumentPage.document_id, DocumentPage.number],
                    set_={"text": DocumentPage.text + text},
                )
            )
            self._session.add_all(
                PassageRow(org_id=self._org_id, document_id=document_id, page=page.number, text=passage)
                for passage in passages_of(text)
            )
        await self._session.flush()

    async def clear_pages(self, document_id: UUID) -> None:
        """Drops the text, for one that is read anew."""
        for table in (DocumentPage, PassageRow):
            await self._session.execute(
                delete(table).where(table.org_id == self._org_id, table.document_id == document_id)
            )

    async def pages(self, document_id: UUID) -> list[PageText]:
        """The document's pages in order."""
        rows = await self._session.execute(
            select(DocumentPage.number, DocumentPage.text)
            .where(DocumentPage.org_id == self._org_id, DocumentPage.document_id == document_id)
            .order_by(DocumentPage.number)
        )
        return [PageText(number, text) for number, text in rows]

    async def of_proposal(self, proposal_id: UUID) -> Sequence[Document]:
        """The ready documents that were uploaded for this proposal."""
        found = await self._session.scalars(
            select(Document)
            .where(Document.org_id == self._org_id, Document.proposal_id == proposal_id, Document.status == "ready")
            .order_by(Document.id)
        )
        return found.all()

    async def delete_document(self, document_id: UUID) -> None:
        """Forgets the document with its pages, passages and their vectors."""
        await self._session.execute(delete(Document).where(Document.org_id == self._org_id, Document.id == document_id))
