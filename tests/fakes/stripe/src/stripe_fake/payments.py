"""Payment intents and what ties them to invoices."""

from __future__ import annotations

from typing import Any

from stripe_fake.store import Obj
from stripe_fake.world import World, new_id


def intent(
    world: World,
    amount: int,
    currency: str,
    customer_id: str | None,
    method_id: str | None,
    status: str,
    metadata: dict[str, Any] | None = None,
) -> Obj:
    """A payment as far as it got."""
    intent_id = new_id("pi")
    failed = status != "succeeded"
    error = {
        "code": "card_declined",
        "decline_code": "generic_decline",
        "message": "Your card was declined.",
        "type": "card_error",
    }
    return world.store.put(
        {
            "id": intent_id,
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_received": 0 if failed else amount,
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": None,
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": "automatic",
            "client_secret": f"{intent_id}_secret_{new_id('x')[2:]}",
            "confirmation_method": "automatic",
            "created": world.now(),
            "currency": currency,
            "customer": customer_id,
            "description": None,
            "last_payment_error": error if failed else None,
            "latest_charge": None,
            "livemode": False,
            "metadata": metadata or {},
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None if failed else method_id,
            "payment_method_types": ["card"],
            "processing": None,
            "receipt_email": None,
            "setup_future_usage": None,
            "shipping": None,
            "statement_descriptor": None,
            "status": status,
            "transfer_data": None,
            "transfer_group": None,
        }
    )


def invoice_payment(world: World, invoice: Obj, intent: Obj) -> Obj:
    """The record that an intent settled an invoice."""
    return world.store.put(
        {
            "id": new_id("inpay"),
            "object": "invoice_payment",
            "amount_paid": invoice["amount_paid"],
            "amount_requested": invoice["amount_due"],
            "created": world.now(),
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "livemode": False,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": "paid",
            "status_transitions": {"canceled_at": None, "paid_at": world.now()},
        }
    )
