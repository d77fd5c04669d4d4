"""Payment intents, their charges, what is refunded, and what ties a payment to an invoice."""

from __future__ import annotations

from typing import Any

from stripe_fake import forms
from stripe_fake.errors import InvalidRequest
from stripe_fake.store import Obj
from stripe_fake.world import World, new_id

_DECLINE = {
    "code": "card_declined",
    "decline_code": "generic_decline",
    "message": "Your card was declined.",
    "type": "card_error",
}


def intent(
    world: World,
    amount: int,
    currency: str,
    customer_id: str | None,
    method_id: str | None,
    metadata: dict[str, Any] | None = None,
) -> Obj:
    """A payment that is to be made."""
    intent_id = new_id("pi")
    made = world.store.put(
        {
            "id": intent_id,
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_received": 0,
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
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": metadata or {},
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": method_id,
            "payment_method_types": ["card"],
            "processing": None,
            "receipt_email": None,
            "setup_future_usage": None,
            "shipping": None,
            "statement_descriptor": None,
            "status": "requires_confirmation" if method_id else "requires_payment_method",
            "transfer_data": None,
            "transfer_group": None,
        }
    )
    world.emit("payment_intent.created", made)
    return made


def confirm(world: World, made: Obj, *, works: bool) -> Obj:
    """Charge the card; the intent succeeded, or wants another card."""
    charge = _charge(world, made, works=works)
    if works:
        made.update(status="succeeded", amount_received=made["amount"], latest_charge=charge["id"])
    else:
        made.update(
            status="requires_payment_method",
            last_payment_error=_DECLINE,
            latest_charge=charge["id"],
            payment_method=None,
        )
    world.store.put(made)
    world.emit("charge.succeeded" if works else "charge.failed", charge)
    world.emit("payment_intent.succeeded" if works else "payment_intent.payment_failed", made)
    return made


def wait_for_bank(world: World, made: Obj) -> None:
    """A debit that the bank answers in days."""
    made["status"] = "processing"
    world.store.put(made)
    world.emit("payment_intent.processing", made)


def cancel(world: World, made: Obj) -> Obj:
    """Give up an intent that is not paid."""
    if made["status"] in ("succeeded", "canceled"):
        raise InvalidRequest(
            f"You cannot cancel this PaymentIntent because it has a status of {made['status']}.",
            code="payment_intent_unexpected_state",
        )
    made.update(status="canceled", canceled_at=world.now())
    world.store.put(made)
    world.emit("payment_intent.canceled", made)
    return made


def _charge(world: World, made: Obj, *, works: bool) -> Obj:
    customer = world.store.get("customer", made["customer"] or "") or {}
    return world.store.put(
        {
            "id": new_id("ch"),
            "object": "charge",
            "amount": made["amount"],
            "amount_captured": made["amount"] if works else 0,
            "amount_refunded": 0,
            "application": None,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": None,
            "billing_details": {
                "address": None,
                "email": customer.get("email"),
                "name": customer.get("name"),
                "phone": None,
                "tax_id": None,
            },
            "calculated_statement_descriptor": "BIDWRIGHT",
            "captured": works,
            "created": world.now(),
            "currency": made["currency"],
            "customer": made["customer"],
            "description": made["description"],
            "disputed": False,
            "failure_code": None if works else _DECLINE["code"],
            "failure_message": None if works else _DECLINE["message"],
            "livemode": False,
            "metadata": made["metadata"],
            "paid": works,
            "payment_intent": made["id"],
            "payment_method": made["payment_method"],
            "receipt_email": None,
            "receipt_number": None,
            "receipt_url": None,
            "refunded": False,
            "status": "succeeded" if works else "failed",
        }
    )


def refund(world: World, params: dict[str, Any]) -> Obj:
    """`POST /v1/refunds`: a charge, or the charge of a payment intent, in part or in full."""
    charge_id, intent_id = forms.text(params, "charge"), forms.text(params, "payment_intent")
    if intent_id:
        charge_id = world.get("payment_intent", intent_id, param="payment_intent")["latest_charge"]
    if not charge_id:
        raise InvalidRequest("One of charge or payment_intent must be given.", param="charge", code="parameter_missing")
    charge = world.get("charge", charge_id, param="charge")
    left = charge["amount_captured"] - charge["amount_refunded"]
    if left == 0:
        raise InvalidRequest(f"Charge {charge_id} has already been refunded.", code="charge_already_refunded")
    amount = forms.integer(params, "amount", default=left, low=1, high=left)
    made = world.store.put(
        {
            "id": new_id("re"),
            "object": "refund",
            "amount": amount,
            "balance_transaction": None,
            "charge": charge_id,
            "created": world.now(),
            "currency": charge["currency"],
            "destination_details": None,
            "metadata": forms.merge_metadata({}, params),
            "payment_intent": charge["payment_intent"],
            "reason": forms.text(params, "reason"),
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": "succeeded",
            "transfer_reversal": None,
        }
    )
    before = charge["amount_refunded"]
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    world.store.put(charge)
    world.emit("refund.created", made)
    world.emit("charge.refunded", charge, {"amount_refunded": before})
    return made


def invoice_payment(world: World, invoice: Obj, paid: Obj) -> Obj:
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
            "payment": {"payment_intent": paid["id"], "type": "payment_intent"},
            "status": "paid",
            "status_transitions": {"canceled_at": None, "paid_at": world.now()},
        }
    )
