"""Billing's worker: lifecycle only."""

from __future__ import annotations

from functools import partial

from billing.bootstrap import open_deps
from billing.deps import STRIPE_WAKE
from billing.handlers import EVENT_HANDLERS, JOB_KINDS
from billing.service import accounts, reconcile, webhook
from billing.settings import Settings
from common.worker import Timer, Worker

STRIPE_POLL_SECONDS = 2.0
"""Webhooks wake the worker; this is for those whose hint was lost, and for those that wait for a retry."""
REVIEW_SECONDS = 15.0
PURGE_SECONDS = 3600.0
BACKLOG_SECONDS = 5.0
RECONCILE_LOOK_SECONDS = 15.0
"""How often each worker looks whether it is time to compare with Stripe (`RECONCILE_MINUTES`), and its turn."""


async def run(settings: Settings) -> None:
    """Works until it is told to stop."""
    async with open_deps(settings) as deps:
        worker = Worker(
            service="billing",
            db=deps.db,
            bus=deps.bus,
            deps=deps,
            event_handlers=EVENT_HANDLERS,
            job_kinds=JOB_KINDS,
            timers=(
                Timer("stripe.apply", STRIPE_POLL_SECONDS, partial(webhook.apply_waiting, deps), wake=STRIPE_WAKE),
                Timer("stripe.purge", PURGE_SECONDS, partial(webhook.purge, deps)),
                Timer("stripe.backlog", BACKLOG_SECONDS, partial(webhook.measure, deps)),
                Timer("stripe.reconcile", RECONCILE_LOOK_SECONDS, partial(reconcile.run_due, deps)),
                Timer("accounts.review", REVIEW_SECONDS, partial(accounts.review_due, deps)),
            ),
        )
        await worker.run(host=settings.host, port=settings.port, grace_seconds=settings.shutdown_grace_seconds)
