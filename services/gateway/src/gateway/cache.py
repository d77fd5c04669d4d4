"""Dropping cached facts when they change, so that the next request sees the change and open streams end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, func
from sqlalchemy.exc import SQLAlchemyError

from common.bus import Bus
from common.db import Database, Tenant, UnitOfWork
from common.ids import new_id
from common.revocations import announce
from common.telemetry import get_logger
from gateway import telemetry
from gateway.decision.valkey import FactStore, ValkeyAway, reference
from gateway.models import StaleFacts

RETRY_SECONDS: Final = 0.5
LEFT_BEHIND: Final = timedelta(seconds=0.5)
"""A process that lives has forgotten its own by then."""

log = get_logger()


class FactCache:
    """Forgets; and when Valkey is away, keeps at it until it is back, before a stale fact could be read again.

    Decisions read PostgreSQL while Valkey is away, so only its return matters. What is to be forgotten is a row of the
    change's own transaction: should this process die between its commit and the forgetting, the worker does it.
    """

    def __init__(self, store: FactStore, db: Database, bus: Bus) -> None:
        self._store = store
        self._db = db
        self._bus = bus
        self._pending: set[str] = set()
        self._retrying: asyncio.Task[None] | None = None

    def forget(self, uow: UnitOfWork, keys: Iterable[str]) -> None:
        """Has the facts under these keys dropped when the transaction commits, before `commit()` returns."""
        wanted = list(keys)
        if not wanted:
            return
        row = StaleFacts(id=new_id(), keys=wanted)
        uow.session.add(row)

        async def forget() -> None:
            dropped = await self._drop(wanted)
            # Only now: who is cut off and comes back at once must not find the old fact.
            await announce(self._bus, map(reference, wanted))
            if dropped:
                await self._done(row)

        uow.after_commit(forget)

    async def forget_left_behind(self) -> None:
        """Forgets what a process that died had still to forget. Raises ValkeyAway: the rows stay."""
        async with self._db.unit_of_work(Tenant.none()) as uow:
            query = delete(StaleFacts).where(StaleFacts.at < func.now() - LEFT_BEHIND).returning(StaleFacts.keys)
            found = [key for keys in await uow.session.scalars(query) for key in keys]
            if found:
                await self._store.forget(found)
                await announce(self._bus, map(reference, found))
                await uow.commit()

    async def _drop(self, keys: list[str]) -> bool:
        try:
            await self._store.forget(keys)
        except ValkeyAway:
            self._pending.update(keys)
            telemetry.FORGET_PENDING.set(len(self._pending))
            if self._retrying is None or self._retrying.done():
                self._retrying = asyncio.create_task(self._retry())
            return False
        return True

    async def _done(self, row: StaleFacts) -> None:
        try:
            async with self._db.unit_of_work(Tenant.none()) as uow:
                await uow.session.execute(delete(StaleFacts).where(StaleFacts.id == row.id))
                await uow.commit()
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            # The worker finds it and forgets once more, which harms nobody.
            log.warning("facts.row_left", error=repr(error))

    async def _retry(self) -> None:
        while self._pending:
            await asyncio.sleep(RETRY_SECONDS)
            batch = list(self._pending)
            try:
                await self._store.forget(batch)
            except ValkeyAway:
                continue
            self._pending.difference_update(batch)
            telemetry.FORGET_PENDING.set(len(self._pending))

    async def close(self) -> None:
        """Stops trying."""
        if self._retrying is not None:
            self._retrying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._retrying
