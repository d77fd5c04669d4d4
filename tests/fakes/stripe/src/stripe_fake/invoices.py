"""Invoices: made final at once, then paid, failed, retried or voided."""

from __future__ import annotations

from dataclasses import dataclass

from stripe_fake import payments
from stripe_fake.errors import InvalidRequest
from stripe_fake.store import Obj
from stripe_fake.world import World, new_id

_RETRY_AFTER = 3 * 86_400


@dataclass(frozen=True)
class Line:
    """What one invoice line bills."""

    price: Obj
    quantity: int
    amount: int
    start: int
    end: int
    description: str
    subscription_item: str | None = None
    proration: bool = False


def list_of(rows: list[Obj], url: str) -> Obj:
    """A list inside another object."""
    return {"object": "list", "data": rows, "has_more": False, "url": url, "total_count": len(rows)}


def create(
    world: World, customer: Obj, lines: list[Line], reason: str, subscription: Obj | None = None, *, off: int = 0
) -> Obj:
    """An open invoice with its number, and the events that tell so; `off` is what discounts take off."""
    now = world.now()
    invoice_id = new_id("in")
    subtotal = sum(line.amount for line in lines)
    total = max(subtotal - off, 0)
    prefix, sequence = customer["invoice_prefix"], customer["next_invoice_sequence"]
    customer["next_invoice_sequence"] = sequence + 1
    world.store.put(customer)
    parent = None
    if subscription is not None:
        parent = {
            "quote_details": None,
            "subscription_details": {"metadata": subscription["metadata"], "subscription": subscription["id"]},
            "type": "subscription_details",
        }
    base = world.config.public_url
    invoice: Obj = {
        "id": invoice_id,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Bidwright",
        "account_tax_ids": None,
        "amount_due": total,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": total,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "automatically_finalizes_at": None,
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": now,
        "currency": lines[0].price["currency"],
        "custom_fields": None,
        "customer": customer["id"],
        "customer_address": None,
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": None,
        "customer_shipping": None,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": now,
        "ending_balance": 0,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": f"{base}/i/{invoice_id}",
        "invoice_pdf": f"{base}/i/{invoice_id}/pdf",
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": list_of([_line(invoice_id, line, subscription) for line in lines], f"/v1/invoices/{invoice_id}/lines"),
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": f"{prefix}-{sequence:04d}",
        "on_behalf_of": None,
        "parent": parent,
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "period_end": now if subscription is None else lines[0].start,
        "period_start": now if subscription is None else lines[0].start,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": "open",
        "status_transitions": {
            "finalized_at": now,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "test_clock": None,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": now,
        "_payments": list_of([], "/v1/invoice_payments"),
    }
    world.store.put(invoice)
    world.emit("invoice.created", {**invoice, "status": "draft"})
    world.emit("invoice.finalized", invoice)
    return invoice


def _line(invoice_id: str, line: Line, subscription: Obj | None) -> Obj:
    parent = None
    if subscription is not None:
        parent = {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": line.proration,
                "proration_details": {"credited_items": None},
                "subscription": subscription["id"],
                "subscription_item": line.subscription_item,
            },
            "type": "subscription_item_details",
        }
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": line.amount,
        "currency": line.price["currency"],
        "description": line.description,
        "discount_amounts": [],
        "discountable": not line.proration,
        "discounts": [],
        "invoice": invoice_id,
        "livemode": False,
        "metadata": {} if subscription is None else subscription["metadata"],
        "parent": parent,
        "period": {"end": line.end, "start": line.start},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": line.price["id"], "product": line.price["product"]},
            "type": "price_details",
            "unit_amount_decimal": line.price["unit_amount_decimal"],
        },
        "quantity": line.quantity,
        "subtotal": line.amount,
        "taxes": [],
    }


def pay(world: World, invoice: Obj, method_id: str | None) -> Obj:
    """Settle an open invoice in full."""
    if invoice["status"] == "paid":
        raise InvalidRequest("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] != "open":
        raise InvalidRequest(f"Invoice is {invoice['status']} and cannot be paid.", code="invoice_not_editable")
    now = world.now()
    amount = invoice["amount_due"]
    invoice.update(
        amount_paid=amount,
        amount_remaining=0,
        attempt_count=invoice["attempt_count"] + 1,
        attempted=True,
        auto_advance=False,
        next_payment_attempt=None,
        status="paid",
    )
    invoice["status_transitions"]["paid_at"] = now
    payment = None
    if amount > 0:
        intent = payments.intent(world, amount, invoice["currency"], invoice["customer"], method_id, "succeeded")
        world.emit("payment_intent.succeeded", intent)
        payment = payments.invoice_payment(world, invoice, intent)
        invoice["_payments"] = list_of([payment], "/v1/invoice_payments")
    world.store.put(invoice)
    if payment is not None:
        world.emit("invoice_payment.paid", payment)
    world.emit("invoice.paid", invoice)
    world.emit("invoice.payment_succeeded", invoice)
    return invoice


def fail(world: World, invoice: Obj, method_id: str | None) -> Obj:
    """A failed attempt; the invoice stays open and would be tried again three days later."""
    invoice.update(
        attempt_count=invoice["attempt_count"] + 1, attempted=True, next_payment_attempt=world.now() + _RETRY_AFTER
    )
    intent = payments.intent(
        world, invoice["amount_due"], invoice["currency"], invoice["customer"], method_id, "requires_payment_method"
    )
    world.store.put(invoice)
    world.emit("payment_intent.payment_failed", intent)
    world.emit("invoice.payment_failed", invoice)
    return invoice


def void(world: World, invoice: Obj) -> Obj:
    if invoice["status"] != "open":
        raise InvalidRequest(f"You can only pass in open invoices. This invoice isn't open; it is {invoice['status']}.")
    invoice.update(status="void", auto_advance=False, next_payment_attempt=None)
    invoice["status_transitions"]["voided_at"] = world.now()
    world.store.put(invoice)
    world.emit("invoice.voided", invoice)
    return invoice


def subscription_of(invoice: Obj) -> str | None:
    """The id of the subscription that an invoice bills."""
    parent = invoice["parent"]
    return None if parent is None else str(parent["subscription_details"]["subscription"])
