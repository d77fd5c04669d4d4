"""The first step of every job: its request, which from now on counts as begun."""

from __future__ import annotations

from typing import Final

from psycopg.rows import dict_row

from ai.generation.models import Generation
from ai.generation.ports import JobDeps
from common.jobs import JobContext, JobFailed

_BEGIN: Final = """
UPDATE generations SET started_at = coalesce(started_at, %(now)s) WHERE org_id = %(org_id)s AND id = %(id)s RETURNING *
"""


async def begin(context: JobContext[JobDeps]) -> Generation:
    """The request, for reading alone; raises JobFailed when it was erased."""
    parameters = {"now": context.deps.clock.now(), "org_id": context.job.org_id, "id": context.job.id}
    async with context.db.direct.transaction(context.tenant) as connection:
        cursor = connection.cursor(row_factory=dict_row)
        await cursor.execute(_BEGIN, parameters)
    row = await cursor.fetchone()
    if row is None:
        raise JobFailed("gone", "What this was asked for has been deleted.")
    # A column that only newer code knows is left alone: old processes run on while a migration is out.
    return Generation(**{column.name: row[column.name] for column in Generation.__table__.columns})
