"""For tests: webhooks as Stripe sends them."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from common.ids import new_id

SECRET: Final = "whsec_test"  # noqa: S105  # of tests alone
NOW: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)


def sign(body: bytes, *, secret: str = SECRET, at: float | None = None) -> str:
    """A Stripe-Signature header, https://docs.stripe.com/webhooks#verify-manually."""
    stamp = int(at if at is not None else time.time())
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def stripe_event(
    kind: str,
    obj: dict[str, Any],
    *,
    event_id: str | None = None,
    created: datetime = NOW,
    before: dict[str, Any] | None = None,
    **changes: Any,
) -> bytes:
    """A webhook's body; `before` are its `previous_attributes`."""
    data = {"object": obj, **({} if before is None else {"previous_attributes": before})}
    return json.dumps(
        {
            "id": event_id or f"evt_{new_id()}",
            "object": "event",
            "type": kind,
            "created": int(created.timestamp()),
            "data": data,
            **changes,
        }
    ).encode()


def subscription(org_id: UUID, *, status: str = "active", price: str = "price_pro", **changes: Any) -> dict[str, Any]:
    """A subscription as Stripe sends it."""
    return {
        "id": f"sub_{org_id}",
        "object": "subscription",
        "customer": f"cus_{org_id}",
        "status": status,
        "cancel_at_period_end": False,
        "metadata": {"org_id": str(org_id)},
        "items": {
            "object": "list",
            "data": [
                {
                    "id": "si_1",
                    "price": {"id": price},
                    "quantity": changes.pop("quantity", 2),
                    "current_period_start": int(datetime(2026, 11, 20, tzinfo=UTC).timestamp()),
                    "current_period_end": int(datetime(2026, 12, 20, tzinfo=UTC).timestamp()),
                }
            ],
        },
        **changes,
    }


@dataclass
class Life:
    """What happens to one customer at Stripe, and the events that tell of it, in the order in which it happened.

    A step that the present state does not allow does nothing. `state` and `first_failed_at` are the truth at the end.
    """

    org_id: UUID
    at: datetime = NOW - timedelta(days=90)
    tells_before: bool = True
    """Whether events carry `previous_attributes`."""
    events: list[tuple[str, bytes]] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    first_failed_at: datetime | None = None
    bundles: int = 0
    _subscriptions: int = 0
    _invoices: int = 0
    _owed: str | None = None

    def step(self, name: str, seconds: int = 0, number: int = 1) -> None:
        """Lets one thing happen, so many seconds after the last."""
        self.at += timedelta(seconds=seconds)
        getattr(self, f"_{name}")(number)

    def _subscribe(self, number: int) -> None:
        if self.state and self.state["status"] != "canceled":
            return
        self._subscriptions += 1
        status = ("active", "incomplete", "trialing")[number % 3]
        self.state = subscription(self.org_id, status=status, quantity=number, id=self._id("sub"))
        self._set_period(self.at)
        self._tell("customer.subscription.created", self.state)
        self._bill()
        if status == "incomplete":
            self._tell_invoice("payment_failed")
        else:
            self._settle()

    def _pay(self, number: int) -> None:
        if self._owed is None:
            return
        if number % 2:
            self._settle()
            self._change(status="active")
        else:
            self._change(status="active")
            self._settle()

    def _renew(self, number: int) -> None:
        if self._runs():
            self._next_period()
            self._bill()
            self._settle()

    def _fail(self, number: int) -> None:
        if self._runs():
            self._next_period()
            self._bill()
        elif self._owed is None or self.state["status"] == "incomplete":
            return
        self.first_failed_at = self.first_failed_at or self.at
        if number % 2:
            self._tell_invoice("payment_failed")
            self._change(status="past_due")
        else:
            self._change(status="past_due")
            self._tell_invoice("payment_failed")

    def _give_up(self, number: int) -> None:
        if self.state and self.state["status"] == "past_due":
            self._change(status="unpaid")

    def _seats(self, number: int) -> None:
        self._change_item(quantity=number)

    def _plan(self, number: int) -> None:
        self._change_item(price={"id": ("price_pro", "price_ent")[number % 2]})

    def _cancel_at_end(self, number: int) -> None:
        self._change(cancel_at_period_end=bool(number % 2))

    def _delete(self, number: int) -> None:
        if self.state and self.state["status"] != "canceled":
            self.state["status"] = "canceled"
            self.first_failed_at = self._owed = None
            self._tell("customer.subscription.deleted", self.state)

    def _bundle(self, number: int) -> None:
        self.bundles += 1
        session = {
            "id": f"cs_{self.org_id}_{self.bundles}",
            "mode": "payment",
            "payment_status": "paid",
            "customer": f"cus_{self.org_id}",
            "metadata": {"org_id": str(self.org_id), "price": "bundle_10"},
        }
        self._tell("checkout.session.completed", session)
        self._tell("checkout.session.async_payment_succeeded", session)

    def _runs(self) -> bool:
        return bool(self.state) and self.state["status"] in ("active", "trialing")

    def _change(self, **changes: Any) -> None:
        if not self.state or self.state["status"] == "canceled":
            return
        before = {name: self.state[name] for name, value in changes.items() if self.state[name] != value}
        if before:
            self.state = {**self.state, **changes}
            self._tell("customer.subscription.updated", self.state, before)

    def _change_item(self, **changes: Any) -> None:
        if self.state:
            items = self.state["items"]
            self._change(items={**items, "data": [{**items["data"][0], **changes}]})

    def _set_period(self, start: datetime) -> None:
        end = start + timedelta(days=30)
        period = {"current_period_start": int(start.timestamp()), "current_period_end": int(end.timestamp())}
        items = self.state["items"]
        self.state = {**self.state, "items": {**items, "data": [{**items["data"][0], **period}]}}

    def _next_period(self) -> None:
        before = {name: self.state[name] for name in ("items", "status")}
        self._set_period(self.at)
        self.state["status"] = "active"
        changed = {name: value for name, value in before.items() if self.state[name] != value}
        self._tell("customer.subscription.updated", self.state, changed)

    def _bill(self) -> None:
        self._invoices += 1
        self._owed = self._id("in", self._invoices)

    def _settle(self) -> None:
        self._tell_invoice("paid")
        self._owed = self.first_failed_at = None

    def _id(self, prefix: str, number: int | None = None) -> str:
        return f"{prefix}_{self.org_id}_{number or self._subscriptions}"

    def _tell_invoice(self, fact: str) -> None:
        details = {"subscription": self.state["id"], "metadata": {"org_id": str(self.org_id)}}
        self._tell(
            f"invoice.{fact}",
            {
                "id": self._owed,
                "customer": f"cus_{self.org_id}",
                "created": int(self.at.timestamp()),
                "parent": {"subscription_details": details},
            },
        )

    def _tell(self, kind: str, obj: dict[str, Any], before: dict[str, Any] | None = None) -> None:
        event_id = f"evt_{self.org_id}_{len(self.events)}"
        known = before if self.tells_before else None
        self.events.append((event_id, stripe_event(kind, obj, event_id=event_id, created=self.at, before=known)))
