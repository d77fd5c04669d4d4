"""`events rebuild`: what a service said is said again, for a stream that has lost messages.

The outbox keeps a message for a while after it was sent (`OUTBOX_RETENTION`). Its relay sends these once more, in
order; who has had one drops it (`common.inbox`).
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select, update

from common.db import Database, Tenant
from common.operate.output import say
from common.plumbing import OutboxRow


async def rebuild(databases: Mapping[str, Database], services: list[str], *, dry_run: bool) -> int:
    """Has each service's relay send its events anew, all that its outbox still has."""
    sent = (OutboxRow.published_at.is_not(None), OutboxRow.subject.startswith("events."))
    for service in services:
        async with databases[service].unit_of_work(Tenant.none()) as uow:
            count, oldest = (
                await uow.session.execute(select(func.count(), func.min(OutboxRow.created_at)).where(*sent))
            ).one()
            if not dry_run:
                await uow.session.execute(update(OutboxRow).where(*sent).values(published_at=None))
                await uow.commit()
        since = f", the oldest of {oldest:%Y-%m-%d %H:%M}" if oldest is not None else ""
        say(f"{service}: {count} events {'would be' if dry_run else 'are'} sent again{since}")
    if dry_run:
        say("dry run: nothing was changed")
    return 0
