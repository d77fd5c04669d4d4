"""What a kind of job is, what it works with while it runs, and how it says that it failed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import update

from common.db import Database, Tenant, UnitOfWork
from common.plumbing import Job

D = TypeVar("D")


class JobFailed(Exception):
    """A job that need not be tried again; `code` is stable, `detail` is for the person who reads it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class LeaseLost(Exception):
    """Another worker has taken the job over; this one's result is thrown away."""


@dataclass
class JobContext(Generic[D]):
    """What a running job works with."""

    job: Job
    deps: D
    db: Database
    on_finish: Callable[[UnitOfWork], Awaitable[None]] | None = None
    """Set by the job: its effect, in the same transaction as its success."""
    is_first: bool = False
    """Nobody has held this job before, so there is nothing of an earlier attempt."""
    is_awaited: bool = False
    """It runs inline: who asked waits for the end, and hardly anybody looks before that."""
    outcome: Any = None
    """Left by the job for `JobRunner.run_held`, whose caller then need not read it back."""
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when its user has stopped it."""

    @property
    def tenant(self) -> Tenant:
        """Whose job it is."""
        return Tenant(org_id=self.job.org_id, user_id=self.job.user_id)

    def unit_of_work(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A transaction as the job's tenant."""
        return self.db.unit_of_work(self.tenant)

    async def progress(self, done: int, total: int) -> None:
        """Stores how far the job is, for those who wait for it."""
        async with self.unit_of_work() as uow:
            await uow.session.execute(
                update(Job).where(Job.id == self.job.id).values(progress_done=done, progress_total=total)
            )
            await uow.commit()


@dataclass(frozen=True)
class JobKind(Generic[D]):
    """How a kind of job is done.

    Args:
        run: does the work; what it returns becomes the job's result. Raises JobFailed for a final failure; any other
            exception is tried again until `max_attempts`.
        timeout_seconds: an attempt that takes longer fails.
        on_failure: in the transaction that ends the job as failed or cancelled (`job.status` says which).
    """

    run: Callable[[JobContext[D], dict[str, Any]], Awaitable[dict[str, Any]]]
    timeout_seconds: float
    on_failure: Callable[[UnitOfWork, Job, D], Awaitable[None]] | None = None
