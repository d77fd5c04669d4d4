"""Making the vectors of passages: a job for each document, and the timer that orders those that are missing.

The job takes what has no vector of the present embedding, a batch at a time, so it may be killed and run again at any
moment. The timer finds documents from before there were vectors, those of another embedding, and those whose job was
lost; a document is found by its words meanwhile.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from ai.knowledge.embedding import Embedding, StaticEmbedding, Vector
from ai.knowledge.models import Document, PassageRow, PassageVector
from common.db import Database, Tenant, UnitOfWork
from common.jobs import JobContext

KIND: Final = "index"
TIMEOUT_SECONDS: Final = 300.0
"""The largest text that is read (8 MB) has some 12,000 passages of a millisecond or two."""
BATCH: Final = 64
"""About 0.1 s of work between two looks at whether to stop."""
EVERY_SECONDS: Final = 60.0
ORDERED_AT_ONCE: Final = 50
"""Documents in a round: an hour for 3,000, beside the day's work."""

_MISSING: Final = text(
    "SELECT id, org_id FROM documents"
    " WHERE status = 'ready' AND indexed_with IS DISTINCT FROM :embedding AND NOT EXISTS ("
    "   SELECT 1 FROM jobs WHERE jobs.kind = :kind AND jobs.org_id = documents.org_id"
    "   AND jobs.payload ->> 'document_id' = documents.id::text"
    "   AND (jobs.status IN ('queued', 'running')"
    "        OR jobs.status = 'failed' AND jobs.finished_at > now() - interval '1 hour'))"
    " ORDER BY id LIMIT :limit"
)


def order(uow: UnitOfWork, org_id: UUID, document_id: UUID) -> None:
    """Has the document's vectors made, after the commit."""
    uow.enqueue(KIND, {"document_id": str(document_id)}, org_id=org_id)


async def order_missing(db: Database, embedding: Embedding | None = None) -> int:
    """Orders what no job is at work on; returns how many documents. Needs the worker role."""
    name = (embedding or StaticEmbedding()).name
    async with db.unit_of_work(Tenant.none()) as uow:
        # Of several workers one is enough.
        if not await uow.session.scalar(text("SELECT pg_try_advisory_xact_lock(hashtextextended('ai-index', 0))")):
            return 0
        await uow.session.execute(text("SELECT set_config('app.embedding', :name, true)"), {"name": name})
        rows = (await uow.session.execute(_MISSING, {"embedding": name, "kind": KIND, "limit": ORDERED_AT_ONCE})).all()
        for document_id, org_id in rows:
            order(uow, org_id, document_id)
        await uow.commit()
    return len(rows)


async def index(context: JobContext[Any], payload: dict[str, Any]) -> dict[str, Any]:
    """Makes the vectors that the document lacks."""
    document_id = UUID(payload["document_id"])
    embedding: Embedding = StaticEmbedding()
    made = 0
    while texts := await _lacking(context, document_id, embedding):
        vectors = await asyncio.to_thread(_vectors, embedding, texts)
        await _store(context, document_id, embedding, vectors)
        made += len(vectors)

    async def finish(uow: UnitOfWork) -> None:
        # Text that came meanwhile has a job of its own, which says so then.
        left = select(PassageRow.id).where(
            PassageRow.document_id == document_id, PassageRow.org_id == context.job.org_id, ~_has_vector(embedding)
        )
        await uow.session.execute(
            update(Document)
            .where(Document.org_id == context.job.org_id, Document.id == document_id, ~left.exists())
            .values(indexed_with=embedding.name)
        )

    context.on_finish = finish
    return {"passages": made}


def _vectors(embedding: Embedding, texts: list[tuple[int, str]]) -> list[tuple[int, Vector | None]]:
    return [(key, embedding.embed(one)) for key, one in texts]


def _has_vector(embedding: Embedding) -> Any:
    return (
        select(PassageVector.passage_id)
        .where(PassageVector.passage_id == PassageRow.id, PassageVector.embedding == embedding.name)
        .exists()
    )


async def _lacking(context: JobContext[Any], document_id: UUID, embedding: Embedding) -> list[tuple[int, str]]:
    async with context.unit_of_work() as uow:
        rows = await uow.session.execute(
            select(PassageRow.id, PassageRow.text)
            .where(
                PassageRow.org_id == context.job.org_id, PassageRow.document_id == document_id, ~_has_vector(embedding)
            )
            .order_by(PassageRow.id)
            .limit(BATCH)
        )
        return [(passage_id, words) for passage_id, words in rows]


async def _store(
    context: JobContext[Any], document_id: UUID, embedding: Embedding, vectors: list[tuple[int, Any]]
) -> None:
    nothing = [0.0] * StaticEmbedding.dimensions  # a passage of figures alone; near to no question
    async with context.unit_of_work() as uow:
        keys = [key for key, _ in vectors]
        # A passage that was deleted meanwhile must not come back.
        alive = set(
            await uow.session.scalars(
                select(PassageRow.id).where(PassageRow.id.in_(keys)).with_for_update(read=True, key_share=True)
            )
        )
        rows = [
            {
                "passage_id": key,
                "org_id": context.job.org_id,
                "document_id": document_id,
                "embedding": embedding.name,
                "vector": vector or nothing,
            }
            for key, vector in vectors
            if key in alive
        ]
        if rows:
            statement = insert(PassageVector).values(rows)
            await uow.session.execute(
                statement.on_conflict_do_update(
                    index_elements=[PassageVector.passage_id],
                    set_={"embedding": statement.excluded.embedding, "vector": statement.excluded.vector},
                )
            )
        await uow.session.execute(
            update(PassageRow)
            .where(PassageRow.id.in_(keys), PassageRow.words_german.is_(None))
            .values(words_german=func.to_tsvector("german", PassageRow.text))
        )
        await uow.commit()
