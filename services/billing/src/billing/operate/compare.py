"""The comparison with Stripe, by hand."""

from __future__ import annotations

from uuid import UUID

from billing.deps import Deps
from billing.operate.output import changes, say
from billing.service import reconcile as service


async def reconcile(deps: Deps, org_id: UUID | None, *, dry_run: bool) -> int:
    """Compares everything, or one org; 1 when something is left that a person must look at."""
    if org_id is not None:
        found = await service.run_org(deps, org_id, dry_run=dry_run)
    else:
        found = await service.run_now(deps, dry_run=dry_run)
    for event_id, event_type in found.missed_events:
        say(f"{event_id}  {event_type}: {'was never delivered' if dry_run else 'fetched and applied'}")
    for change in found.changes:
        before = change.before or {}
        differing = {
            name: (before.get(name), after) for name, after in change.after.items() if before.get(name) != after
        }
        say(f"{change.org_id}  {change.subscription_id}: {changes(differing)}")
    for subscription_id, reason in found.left_alone:
        say(f"{subscription_id}: left alone ({reason})")
    say(
        f"{len(found.missed_events)} missed events, {len(found.changes)} subscriptions that differed,"
        f" {len(found.left_alone)} left alone, {found.calls} calls to Stripe"
    )
    if dry_run:
        say("dry run: nothing was changed")
    return 1 if found.left_alone else 0
