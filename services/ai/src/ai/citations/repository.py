"""All SQL about the sources of one org's texts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from ai.answers.models import LibraryAnswer
from ai.generation.models import Answer
from ai.knowledge.models import Document, DocumentPage

MAX_LABEL = 80
"""As `ai.knowledge.service` labels a document."""


class SourceRepository:
    """What one org's citations can name."""

    def __init__(self, session: AsyncSession, org_id: UUID) -> None:
        self._session = session
        self._org_id = org_id

    async def documents(self, labels: Collection[str]) -> dict[str, list[UUID]]:
        """The ready documents whose file names are cited so; two files may have the same name."""
        if not labels:
            return {}
        label = _label(Document.filename)
        rows = await self._session.execute(
            select(label, Document.id)
            .where(Document.org_id == self._org_id, Document.status == "ready", label.in_(labels))
            .order_by(Document.id)
        )
        found: dict[str, list[UUID]] = {}
        for name, document_id in rows:
            found.setdefault(name, []).append(document_id)
        return found

    async def pages(self, places: Iterable[tuple[UUID, int]]) -> dict[tuple[UUID, int], str]:
        """The texts of these pages."""
        wanted = list(places)
        if not wanted:
            return {}
        rows = await self._session.execute(
            select(DocumentPage.document_id, DocumentPage.number, DocumentPage.text).where(
                DocumentPage.org_id == self._org_id,
                tuple_(DocumentPage.document_id, DocumentPage.number).in_(wanted),
            )
        )
        return {(document_id, number): text for document_id, number, text in rows}

    async def approved_answers(self, ids: Collection[UUID]) -> dict[UUID, str]:
        """The words of these answers of the library."""
        if not ids:
            return {}
        rows = await self._session.execute(
            select(LibraryAnswer.id, LibraryAnswer.answer).where(
                LibraryAnswer.org_id == self._org_id, LibraryAnswer.id.in_(ids)
            )
        )
        return {row.id: row.answer for row in rows}

    async def vouched(self, proposal_id: UUID) -> list[str]:
        """What people have answered for this proposal, and what of it the library keeps."""
        given = await self._session.scalars(
            select(Answer.text).where(Answer.org_id == self._org_id, Answer.proposal_id == proposal_id)
        )
        kept = await self._session.scalars(
            select(LibraryAnswer.answer).where(
                LibraryAnswer.org_id == self._org_id,
                or_(LibraryAnswer.proposal_id == proposal_id, LibraryAnswer.uses > 0),
                LibraryAnswer.state == "active",
            )
        )
        return [*given.all(), *kept.all()]


def _label(filename: InstrumentedAttribute[str]) -> ColumnElement[str]:
    plain = func.regexp_replace(func.translate(filename, "[]", "()"), r"\s+", " ", "g")
    return func.left(func.btrim(plain), MAX_LABEL)
