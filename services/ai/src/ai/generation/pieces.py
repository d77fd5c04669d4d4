"""The stored pieces of streams. Those of all streams that are written in a process are stored together: while one
transaction commits, the pieces for the next one gather, so that a hundred streams need hardly more of them than one."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from common.db import Database, Tenant
from common.direct import set_tenant
from common.errors import NotFound

MAX_TOGETHER: Final = 200
"""Pieces in one transaction: about a hundred kilobytes."""

_KEEP: Final = """
INSERT INTO generation_chunks (generation_id, position, org_id, text)
SELECT generation_id, position, %(org_id)s, text
FROM unnest(%(ids)s::uuid[], %(places)s::bigint[], %(texts)s::text[]) AS piece (generation_id, position, text)
ON CONFLICT DO NOTHING
RETURNING generation_id, position
"""
_JOB: Final = "SELECT status, attempt FROM jobs WHERE org_id = %s AND id = %s"
_AFTER: Final = """
SELECT position, text FROM generation_chunks
WHERE org_id = %s AND generation_id = %s AND position > %s ORDER BY position
"""


@dataclass(frozen=True, slots=True)
class Look:
    """A job as it is, and the pieces of its stream after a place."""

    status: str
    attempt: int
    pieces: list[tuple[int, str | None]]


@dataclass(eq=False, slots=True)
class _Piece:
    org_id: UUID
    generation_id: UUID
    place: int
    text: str | None
    kept: asyncio.Future[bool]


class Pieces:
    """Stores and reads back.

    Args:
        tell: called with each piece once it is stored; must not raise.
    """

    def __init__(self, db: Database, tell: Callable[[UUID, int, str | None], Awaitable[None]] | None = None) -> None:
        self._db = db
        self._tell = tell
        self._waiting: list[_Piece] = []
        self._storing: asyncio.Task[None] | None = None

    async def keep(self, org_id: UUID, generation_id: UUID, place: int, text: str | None) -> bool:
        """Stores a piece; False when someone else has written that place. Raises psycopg.Error, TimeoutError."""
        piece = _Piece(org_id, generation_id, place, text, asyncio.get_running_loop().create_future())
        self._waiting.append(piece)
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store_all())
        return await piece.kept

    async def look(self, org_id: UUID, generation_id: UUID, *, after: int) -> Look:
        """Raises NotFound."""
        async with self._db.direct.transaction(Tenant(org_id=org_id)) as connection:
            # The job before the pieces: one that has ended has all of them.
            job = await connection.execute(_JOB, (org_id, generation_id))
            pieces = await connection.execute(_AFTER, (org_id, generation_id, after))
        found = await job.fetchone()
        if found is None:
            raise NotFound
        return Look(found[0], found[1], [(place, text) for place, text in await pieces.fetchall()])

    async def _store_all(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting[:MAX_TOGETHER], self._waiting[MAX_TOGETHER:]
            await self._store(together)

    async def _store(self, together: list[_Piece]) -> None:
        try:
            kept = await self._insert(together)
        except Exception as error:  # noqa: BLE001  # whoever waits for a piece is told what went wrong with it
            if len(together) > 1:  # one may be of a request that was erased: the others must not end with it
                for piece in together:
                    await self._store([piece])
            elif not together[0].kept.done():
                together[0].kept.set_exception(error)
            return
        for piece in together:
            is_kept = (piece.generation_id, piece.place) in kept
            if is_kept and self._tell is not None:
                await self._tell(piece.generation_id, piece.place, piece.text)
            if not piece.kept.done():  # its job may have been stopped meanwhile
                piece.kept.set_result(is_kept)

    async def _insert(self, together: list[_Piece]) -> set[tuple[UUID, int]]:
        by_org: dict[UUID, list[_Piece]] = defaultdict(list)
        for piece in together:
            by_org[piece.org_id].append(piece)
        cursors = []
        async with self._db.direct.transaction(Tenant.none()) as connection:
            for org_id, pieces in by_org.items():
                await set_tenant(connection, Tenant(org_id=org_id))
                parameters = {
                    "org_id": org_id,
                    "ids": [piece.generation_id for piece in pieces],
                    "places": [piece.place for piece in pieces],
                    "texts": [piece.text for piece in pieces],
                }
                cursors.append(await connection.execute(_KEEP, parameters))
        return {(row[0], row[1]) for cursor in cursors for row in await cursor.fetchall()}
