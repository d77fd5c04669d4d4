"""What is kept of requests that have ended: tokens instead of what is about people.

The words of a request are needed until it has succeeded, and, after a failure, while it can be tried again. Then the
worker's timer puts tokens in their place, away from the request itself: finding names takes longer than all else that a
short request costs us.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import select, text

from ai.generation.models import Generation
from ai.knowledge.models import Document
from ai.redaction.tokens import Redactor
from common.db import Database, Tenant, UnitOfWork

EVERY_SECONDS: Final = 30.0
AT_ONCE: Final = 200
"""Requests in a round: some 24,000 an hour."""
PATIENCE: Final = timedelta(hours=1)
"""A request that may be tried again until now is left alone for so much longer, so that no try meets its redaction."""
MAX_CURRICULA: Final = 200

_ENDED: Final = text(
    "SELECT id, org_id FROM generations WHERE NOT request_redacted AND finished_at IS NOT NULL"
    " AND (status = 'succeeded' OR finished_at < :failed_before) ORDER BY finished_at LIMIT :limit"
)
_KIND: Final = r"(?:cv|curriculum[ _-]vitae|résumé|resume|lebenslauf)"
_CURRICULUM: Final = re.compile(
    rf"(?:^|[ _.-]){_KIND}(?:[ _-]+(?:of|von|de))?[ _-]+(?P<name>[^.]{{3,60}})\."
    rf"|^(?P<before>[^.]{{3,60}}?)[ _-]+{_KIND}\.",
    re.IGNORECASE,
)


async def redact_ended(db: Database, secret: SecretStr, now: datetime, *, retry_hours: float) -> int:
    """Redacts requests that have ended; returns how many. Needs the worker role."""
    failed_before = now - timedelta(hours=retry_hours) - PATIENCE
    async with db.unit_of_work(Tenant.none()) as uow:
        await uow.session.execute(text("SELECT set_config('app.redact_ended', '1', true)"))
        rows = (await uow.session.execute(_ENDED, {"failed_before": failed_before, "limit": AT_ONCE})).all()
    by_org: dict[UUID, list[UUID]] = defaultdict(list)
    for generation_id, org_id in rows:
        by_org[org_id].append(generation_id)
    return sum([await _redact(db, secret, org_id, ids) for org_id, ids in by_org.items()])


def names_in(filenames: Sequence[str]) -> list[str]:
    """The people whose curricula these are, as `CV Ada Lovelace.pdf` says."""
    found = (_CURRICULUM.search(filename) for filename in filenames)
    return [
        " ".join(re.sub(r"[_-]+", " ", match["name"] or match["before"]).split())
        for match in found
        if match is not None
    ]


async def _redact(db: Database, secret: SecretStr, org_id: UUID, ids: Sequence[UUID]) -> int:
    async with db.unit_of_work(Tenant(org_id=org_id)) as uow:
        generations = (
            await uow.session.scalars(
                select(Generation)
                .where(
                    Generation.org_id == org_id,
                    Generation.id.in_(ids),
                    Generation.finished_at.is_not(None),
                    ~Generation.request_redacted,
                )
                .with_for_update(skip_locked=True)
            )
        ).all()
        redactor = Redactor(secret.get_secret_value().encode(), org_id, await _curricula(uow, org_id))
        for generation in generations:
            generation.request = await asyncio.to_thread(_redacted, redactor, generation.request)
            generation.request_redacted = True
        await uow.commit()
    return len(generations)


def _redacted(redactor: Redactor, request: dict[str, Any]) -> dict[str, Any]:
    """Without the ids of uploads, which are nobody's words."""
    return {key: value if key == "upload_ids" else redactor.redact_all(value) for key, value in request.items()}


async def _curricula(uow: UnitOfWork, org_id: UUID) -> list[str]:
    filenames = await uow.session.scalars(
        select(Document.filename)
        .where(Document.org_id == org_id, Document.filename.op("~*")(r"(cv|vitae|r[eé]sum[eé]|lebenslauf)"))
        .order_by(Document.id.desc())
        .limit(MAX_CURRICULA)
    )
    return names_in(filenames.all())
