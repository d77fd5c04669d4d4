"""Invoices: drafted, made final, then paid, failed, retried or voided."""

from __future__ import annotations

from collections.abc import Sequence

from stripe_fake import payments, taxes
from stripe_fake.errors import InvalidRequest
from stripe_fake.invoice_lines import Line, Off, fill, list_of, settle_balance
from stripe_fake.store import Obj
from stripe_fake.world import World, new_id

# When an unpaid invoice is tried again, counted from the last try; after the last of them there are no more.
RETRY_AFTER = (3 * 86_400, 5 * 86_400, 7 * 86_400)
FINAL_AFTER = 3_600


def build(
    world: World,
    customer: Obj,
    lines: Sequence[Line],
    reason: str,
    subscription: Obj | None = None,
    *,
    offs: Sequence[Off] = (),
    tax: bool = False,
    invoice_id: str | None = None,
) -> Obj:
    """A draft that nobody has stored or heard of yet."""
    now = world.now()
    invoice_id = invoice_id or new_id("in")
    parent = None
    if subscription is not None:
        parent = {
            "quote_details": None,
            "subscription_details": {"metadata": subscription["metadata"], "subscription": subscription["id"]},
            "type": "subscription_details",
        }
    rate = taxes.rate_for(customer) if tax else None
    invoice: Obj = {
        "id": invoice_id,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Bidwright",
        "account_tax_ids": None,
        "amount_due": 0,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": 0,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": taxes.on_invoice(rate),
        "automatically_finalizes_at": None,
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": now,
        "currency": lines[0].price["currency"],
        "custom_fields": None,
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": None,
        "customer_shipping": None,
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": None,
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
        "starting_balance": customer["balance"],
        "statement_descriptor": None,
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "test_clock": customer["test_clock"],
        "total_pretax_credit_amounts": [],
        "webhooks_delivered_at": None,
        "_payments": list_of([], "/v1/invoice_payments"),
    }
    fill(invoice, lines, subscription, offs, rate)
    return invoice


def create(
    world: World,
    customer: Obj,
    lines: Sequence[Line],
    reason: str,
    subscription: Obj | None = None,
    *,
    offs: Sequence[Off] = (),
    tax: bool = False,
) -> Obj:
    """An open invoice with its number, and the events that tell so."""
    return finalize(world, draft(world, build(world, customer, lines, reason, subscription, offs=offs, tax=tax)))


def draft(world: World, invoice: Obj, *, final_at: int | None = None) -> Obj:
    """Store a built invoice; `final_at`: when it is to become final by itself."""
    invoice["automatically_finalizes_at"] = final_at
    world.store.put(invoice)
    world.emit("invoice.created", invoice)
    return invoice


def finalize(world: World, invoice: Obj) -> Obj:
    """Give a draft its number and what it comes to, the customer's balance counted in; it is open from now on."""
    if invoice["status"] != "draft":
        raise InvalidRequest(
            f"This invoice is already finalized, you can't re-finalize a non-draft invoice: {invoice['status']}.",
            code="invoice_not_editable",
        )
    now, base = world.now(), world.config.public_url
    customer = world.get("customer", invoice["customer"])
    sequence = customer["next_invoice_sequence"]
    invoice.update(
        automatically_finalizes_at=None,
        effective_at=now,
        ending_balance=settle_balance(invoice, customer["balance"]),
        hosted_invoice_url=f"{base}/i/{invoice['id']}",
        invoice_pdf=f"{base}/i/{invoice['id']}/pdf",
        number=f"{customer['invoice_prefix']}-{sequence:04d}",
        status="open",
        webhooks_delivered_at=now,
    )
    invoice["status_transitions"]["finalized_at"] = now
    customer.update(next_invoice_sequence=sequence + 1, balance=invoice["ending_balance"])
    world.store.put(customer)
    world.store.put(invoice)
    world.emit("invoice.finalized", invoice)
    return invoice


def pay(world: World, invoice: Obj, method_id: str | None, metadata: dict[str, str] | None = None) -> Obj:
    """Settle an open invoice in full; `metadata` is for the payment."""
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
        paid = payments.intent(world, amount, invoice["currency"], invoice["customer"], method_id, metadata)
        payments.confirm(world, paid, works=True)
        payment = payments.invoice_payment(world, invoice, paid)
        invoice["_payments"] = list_of([payment], "/v1/invoice_payments")
    world.store.put(invoice)
    if payment is not None:
        world.emit("invoice_payment.paid", payment)
    world.emit("invoice.paid", invoice)
    world.emit("invoice.payment_succeeded", invoice)
    return invoice


def fail(world: World, invoice: Obj, method_id: str | None) -> Obj:
    """A failed attempt; the invoice stays open, and a test clock tries it again as long as there are tries left."""
    tries = invoice["attempt_count"]
    again = world.now() + RETRY_AFTER[tries] if tries < len(RETRY_AFTER) else None
    invoice.update(attempt_count=tries + 1, attempted=True, next_payment_attempt=again)
    world.store.put(invoice)
    tried = payments.intent(world, invoice["amount_due"], invoice["currency"], invoice["customer"], method_id)
    payments.confirm(world, tried, works=False)
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
