"""What happens by itself as time passes: trials end, periods are renewed, debts are tried again, subscriptions end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stripe_fake import billing_runs, invoices, previews, subscriptions
from stripe_fake.errors import StripeError
from stripe_fake.store import Obj
from stripe_fake.world import World

_LOG = logging.getLogger("stripe_fake.passing")
_UPCOMING_NOTICE = 3 * 86_400
_INCOMPLETE_FOR = 23 * 3_600


@dataclass(frozen=True, order=True)
class _Due:
    """Something that is to happen; of two at the same moment the lower rank goes first."""

    at: int
    rank: int
    subject: str
    act: Callable[[World, str], None]

    def __hash__(self) -> int:
        return hash((self.at, self.rank, self.subject))


async def live(world: World, every: float) -> None:
    """Let the time of day pass for those who live by no clock; until cancelled."""
    while True:
        try:
            for _ in run(world, lambda row: row["test_clock"] is None, world.now()):
                world.store.commit()
        except StripeError as refusal:  # what cannot be billed must not stop the fake
            world.store.rollback()
            _LOG.warning("something that was due cannot be done: %s", refusal.message)
        world.wake.set()
        await asyncio.sleep(every)


def run(world: World, owns: Callable[[Obj], bool], until: int) -> Iterator[int]:
    """Do everything that comes due for the subscriptions that `owns` picks; yields each moment once it is done."""
    while True:
        rows = [row for row in world.store.all("subscription") if owns(row)]
        bills: dict[str, list[Obj]] = {}
        for invoice in world.store.all("invoice"):
            bills.setdefault(invoices.subscription_of(invoice) or "", []).append(invoice)
        found = [due for row in rows for due in _coming(row, bills.get(row["id"], []))]
        due = min((one for one in found if one.at <= until), key=lambda one: (one.at, one.rank), default=None)
        if due is None:
            return
        with world.at(due.at):
            due.act(world, due.subject)
        yield due.at


def _coming(row: Obj, bills: list[Obj]) -> Iterator[_Due]:
    """What is next for one subscription."""
    identity, status = row["id"], row["status"]
    if status in subscriptions.ENDED or status == "paused":
        return
    if status == "incomplete":
        yield _Due(row["created"] + _INCOMPLETE_FOR, 0, identity, _expire)
        return
    end_at = billing_runs.period_end(row)
    if status == "trialing" and not row.get("_trial_end_told"):
        yield _Due(row["trial_end"] - subscriptions.TRIAL_NOTICE, 0, identity, _tell_trial_end)
    if row["cancel_at"] is not None and row["cancel_at"] <= end_at:
        yield _Due(row["cancel_at"], 2, identity, _end)
    else:
        if row.get("_upcoming_told") != end_at:
            yield _Due(end_at - _UPCOMING_NOTICE, 1, identity, tell_upcoming)
        yield _Due(end_at, 3, identity, _renew)
    for invoice in bills:
        if invoice["status"] == "draft" and invoice["automatically_finalizes_at"] is not None:
            yield _Due(invoice["automatically_finalizes_at"], 4, invoice["id"], _finalize)
        elif invoice["status"] == "open" and invoice["next_payment_attempt"] is not None:
            yield _Due(invoice["next_payment_attempt"], 5, invoice["id"], _retry)


def _tell_trial_end(world: World, subscription_id: str) -> None:
    subscriptions.notice_trial_end(world, world.get("subscription", subscription_id))


def tell_upcoming(world: World, subscription_id: str) -> None:
    """Tell, once for each period, what the next invoice will be."""
    subscription = world.get("subscription", subscription_id)
    subscription["_upcoming_told"] = billing_runs.period_end(subscription)
    world.store.put(subscription)
    try:
        shown = previews.create(world, {"subscription": subscription_id})
    except StripeError:  # nothing to come, or nothing that could be reckoned: nobody is told then
        return
    world.emit("invoice.upcoming", shown)


def _end(world: World, subscription_id: str) -> None:
    subscriptions.cancel(world, world.get("subscription", subscription_id))


def _expire(world: World, subscription_id: str) -> None:
    """The first payment never came."""
    subscription = world.get("subscription", subscription_id)
    subscription["ended_at"] = world.now()
    subscriptions.set_status(world, subscription, "incomplete_expired")
    for invoice in world.store.all("invoice"):
        if invoices.subscription_of(invoice) == subscription_id and invoice["status"] == "open":
            invoices.void(world, invoice)


def _renew(world: World, subscription_id: str) -> None:
    """The next period begins; its invoice stays a draft for an hour, as Stripe leaves it."""
    subscription = world.get("subscription", subscription_id)
    ends_trial = subscription["status"] == "trialing"
    if ends_trial and billing_runs.method_of(world, subscription) is None:
        without_card = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
        if without_card == "cancel":
            subscriptions.cancel(world, subscription)
            return
        if without_card == "pause":
            subscriptions.set_status(world, subscription, "paused")
            world.emit("customer.subscription.paused", subscription)
            return
    billing_runs.cycle(world, subscription, final_at=world.now() + invoices.FINAL_AFTER)


def _finalize(world: World, invoice_id: str) -> None:
    _collect(world, invoices.finalize(world, world.get("invoice", invoice_id)))


def _retry(world: World, invoice_id: str) -> None:
    _collect(world, world.get("invoice", invoice_id))


def _collect(world: World, invoice: Obj) -> None:
    """Try the card; the last failure ends the subscription."""
    subscription = world.get("subscription", str(invoices.subscription_of(invoice)))
    invoice = billing_runs.attempt(world, invoice, subscription)
    if invoice["status"] == "paid":
        if subscription["status"] in ("past_due", "unpaid"):
            subscriptions.set_status(world, subscription, "active")
        return
    subscriptions.set_status(world, subscription, "past_due")
    if invoice["next_payment_attempt"] is None:
        subscriptions.cancel(world, subscription, reason="payment_failed")
