"""The passages of one org that answer a question: by their words, by what they are about, and both together.

Under row-level security PostgreSQL uses neither a GIN nor an HNSW index well (`@@` is not leakproof; an HNSW index
ranks all orgs' vectors and then throws the others' away). So both rankings read the org's rows and nothing else, by
`org_id` first. docs/decisions/0010 has the figures.

The statements are put together from constants and the names of parameters; every value is bound.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Uuid

from ai.knowledge.domain import asked_words, fuse
from ai.knowledge.embedding import Embedding, StaticEmbedding
from ai.knowledge.vectors import HalfVector

CANDIDATES: Final = 30
"""Of each ranking: what is further down in both has no chance among the first ten."""
SAMPLE: Final = 2_000
"""So many passages say how common a word is in the org; more would cost time and change no rank."""

_LEXEMES: Final = text(
    "SELECT tsvector_to_array(to_tsvector('english', word)), tsvector_to_array(to_tsvector('german', word))"
    " FROM unnest(CAST(:words AS text[])) WITH ORDINALITY AS asked (word, place) ORDER BY place"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A passage and where it stands."""

    passage_id: int
    document_id: UUID
    page: int
    text: str


@dataclass(frozen=True, slots=True)
class _Term:
    """A word of the question as a query in each language."""

    english: str
    german: str


class PassageSearch:
    """One org's passages within the caller's transaction."""

    def __init__(self, session: AsyncSession, org_id: UUID, embedding: Embedding | None = None) -> None:
        self._session = session
        self._org_id = org_id
        self._embedding = embedding or StaticEmbedding()

    async def best(self, question: str, documents: Collection[UUID] | None, *, limit: int) -> list[Found]:
        """The passages that fit best, best first; of these documents, or of all where None is given."""
        scope = self._scope(documents)
        by_words = await self.by_words(question, scope)
        by_vector = await self.by_vector(question, scope)
        chosen = fuse([by_words, by_vector])[:limit]
        return await self._read(chosen)

    def _scope(self, documents: Collection[UUID] | None) -> dict[str, Any]:
        return {"org_id": self._org_id} | ({} if documents is None else {"documents": list(documents)})

    async def by_words(self, question: str, scope: dict[str, Any]) -> list[int]:
        """By full text: the sum over the question's words of how often, weighed by how rare the word is in the org."""
        terms = await self._terms(asked_words(question))
        if not terms:
            return []
        names = {
            f"{language}{place}": getattr(term, language)
            for place, term in enumerate(terms)
            for language in ("english", "german")
        }
        holds = [
            f"(words @@ (:english{n})::tsquery OR words_german @@ (:german{n})::tsquery)" for n in range(len(terms))
        ]
        within = _within(scope)
        counts = ", ".join(f"count(*) FILTER (WHERE {one})" for one in holds)
        sample = f"SELECT words, words_german FROM passages WHERE {within} ORDER BY document_id, page LIMIT {SAMPLE}"  # noqa: S608  # constants
        row = (
            await self._session.execute(
                _bound(f"SELECT count(*), {counts} FROM ({sample}) AS sample", scope),  # noqa: S608  # constants
                {**scope, **names},
            )
        ).one()
        total, *holding = row
        weights = {f"weight{n}": _rarity(total, count) for n, count in enumerate(holding)}
        score = " + ".join(
            f":weight{n} * greatest(ts_rank(words, (:english{n})::tsquery),"
            f" coalesce(ts_rank(words_german, (:german{n})::tsquery), 0))"
            for n in range(len(terms))
        )
        either = {
            f"all_{language}": " | ".join(getattr(term, language) for term in terms)
            for language in ("english", "german")
        }
        found = await self._session.execute(
            _bound(
                f"SELECT id FROM passages WHERE {within}"  # noqa: S608  # constants
                " AND (words @@ (:all_english)::tsquery OR words_german @@ (:all_german)::tsquery)"
                f" ORDER BY {score} DESC, id LIMIT {CANDIDATES}",
                scope,
            ),
            {**scope, **names, **weights, **either},
        )
        return list(found.scalars())

    async def by_vector(self, question: str, scope: dict[str, Any]) -> list[int]:
        """By what they are about: exact, over all vectors in scope."""
        vector = self._embedding.embed(question)
        if vector is None:
            return []
        found = await self._session.execute(
            _bound(
                f"SELECT passage_id FROM passage_vectors WHERE {_within(scope)} AND embedding = :embedding"  # noqa: S608  # constants
                f" ORDER BY vector <#> (:vector)::halfvec, passage_id LIMIT {CANDIDATES}",
                scope,
                bindparam("vector", type_=HalfVector()),
            ),
            {**scope, "embedding": self._embedding.name, "vector": vector},
        )
        return list(found.scalars())

    async def _terms(self, words: Sequence[str]) -> list[_Term]:
        """What either language has for a stop word is none that tells anything."""
        if not words:
            return []
        rows = await self._session.execute(_LEXEMES, {"words": list(words)})
        terms = (_Term(_either(english), _either(german)) for english, german in rows if english and german)
        return list(dict.fromkeys(terms))

    async def _read(self, passage_ids: Sequence[int]) -> list[Found]:
        rows = await self._session.execute(
            text("SELECT id, document_id, page, text FROM passages WHERE org_id = :org_id AND id = ANY(:ids)"),
            {"org_id": self._org_id, "ids": list(passage_ids)},
        )
        by_id = {row.id: Found(row.id, row.document_id, row.page, row.text) for row in rows}
        return [by_id[passage_id] for passage_id in passage_ids if passage_id in by_id]


def _rarity(passages: int, holding: int) -> float:
    """BM25's weight of a word that so many of the passages hold."""
    return math.log(1 + (passages - holding + 0.5) / (holding + 0.5))


def _within(scope: Mapping[str, Any]) -> str:
    return "org_id = :org_id" + (" AND document_id = ANY(:documents)" if "documents" in scope else "")


def _bound(statement: str, scope: Mapping[str, Any], *parameters: Any) -> TextClause:
    types: dict[str, Any] = {"org_id": Uuid(), "documents": ARRAY(Uuid())}
    return text(statement).bindparams(*(bindparam(name, type_=types[name]) for name in scope), *parameters)


def _either(lexemes: Sequence[str]) -> str:
    """As a tsquery. A word with a hyphen has several lexemes."""
    quoted = ("'" + re.sub(r"(['\\])", r"\1\1", lexeme) + "'" for lexeme in lexemes)
    return "(" + " | ".join(quoted) + ")"
