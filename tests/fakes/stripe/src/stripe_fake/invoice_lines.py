"""The lines of an invoice, and its sums: discounts, tax, what the customer's balance pays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stripe_fake.store import Obj
from stripe_fake.taxes import Rate
from stripe_fake.world import new_id


@dataclass(frozen=True)
class Line:
    """What one invoice line bills; a negative amount gives something back.

    `invoice_item`: the pending item that it was until now. `credited`: for a credit, the invoice and the line that had
    billed what is given back.
    """

    price: Obj
    quantity: int
    amount: int
    start: int
    end: int
    description: str
    subscription_item: str | None = None
    proration: bool = False
    invoice_item: str | None = None
    credited: tuple[str, str] | None = None


@dataclass(frozen=True)
class Off:
    """What one discount takes off an invoice; without an id it is known to the checkout session only."""

    discount: str | None
    amount: int


def list_of(rows: list[Obj], url: str) -> Obj:
    """A list inside another object."""
    return {"object": "list", "data": rows, "has_more": False, "url": url, "total_count": len(rows)}


def discountable(lines: Sequence[Line]) -> int:
    """The part of the sum that discounts apply to: not prorations, which have them in their amounts already."""
    return sum(line.amount for line in lines if not line.proration)


def fill(invoice: Obj, lines: Sequence[Line], subscription: Obj | None, offs: Sequence[Off], rate: Rate | None) -> None:
    """Put the lines and every sum that follows from them into an invoice."""
    off = min(sum(one.amount for one in offs), max(discountable(lines), 0))
    shares = _shares(lines, off)
    discount = next((one.discount for one in offs if one.discount), None)
    rows = [
        _render(invoice["id"], line, share, discount, subscription, rate)
        for line, share in zip(lines, shares, strict=True)
    ]
    subtotal = sum(line.amount for line in lines)
    tax = sum(row["taxes"][0]["amount"] for row in rows if row["taxes"])
    total = subtotal - off + tax
    invoice.update(
        currency=lines[0].price["currency"],
        lines=list_of(rows, f"/v1/invoices/{invoice['id']}/lines"),
        subtotal=subtotal,
        subtotal_excluding_tax=subtotal,
        total=total,
        total_excluding_tax=subtotal - off,
        total_discount_amounts=[{"amount": off, "discount": discount}] if off and discount else [],
        total_taxes=[] if rate is None else [_tax(rate, tax, subtotal - off)],
    )
    settle_balance(invoice, invoice["starting_balance"])


def settle_balance(invoice: Obj, balance: int) -> int:
    """Take what the customer has as credit (a negative balance) into account; returns the balance after it."""
    due = max(invoice["total"] + balance, 0) if invoice["total"] > 0 else 0
    after = invoice["total"] + balance - due
    invoice.update(starting_balance=balance, amount_due=due, amount_remaining=due - invoice["amount_paid"])
    return int(after)


def _shares(lines: Sequence[Line], off: int) -> list[int]:
    """How much of the discount falls on each line; the last one takes what rounding leaves."""
    whole = discountable(lines)
    wanted = [0 if line.proration or not whole else round(off * line.amount / whole) for line in lines]
    last = max((index for index, line in enumerate(lines) if not line.proration), default=None)
    if last is not None:
        wanted[last] += off - sum(wanted)
    return wanted


def _render(
    invoice_id: str, line: Line, share: int, discount: str | None, subscription: Obj | None, rate: Rate | None
) -> Obj:
    taxable = line.amount - share
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": line.amount,
        "currency": line.price["currency"],
        "description": line.description,
        "discount_amounts": [{"amount": share, "discount": discount}] if share and discount else [],
        "discountable": not line.proration,
        "discounts": [],
        "invoice": invoice_id,
        "livemode": False,
        "metadata": {} if subscription is None else subscription["metadata"],
        "parent": _parent(line, subscription),
        "period": {"end": line.end, "start": line.start},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": line.price["id"], "product": line.price["product"]},
            "type": "price_details",
            "unit_amount_decimal": line.price["unit_amount_decimal"],
        },
        "quantity": line.quantity,
        "quantity_decimal": str(line.quantity),
        "subscription": None if subscription is None else subscription["id"],
        "subtotal": line.amount,
        "taxes": [] if rate is None else [_tax(rate, rate.of(taxable), taxable)],
    }


def _parent(line: Line, subscription: Obj | None) -> Obj | None:
    if subscription is None:
        return None
    credited = line.credited and {"invoice": line.credited[0], "invoice_line_items": [line.credited[1]]}
    return {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": line.invoice_item,
            "proration": line.proration,
            "proration_details": {"credited_items": credited},
            "subscription": subscription["id"],
            "subscription_item": line.subscription_item,
        },
        "type": "subscription_item_details",
    }


def _tax(rate: Rate, amount: int, taxable: int) -> Obj:
    return {
        "amount": amount,
        "tax_behavior": "exclusive",
        "tax_rate_details": {"tax_rate": rate.id},
        "taxability_reason": rate.reason,
        "taxable_amount": taxable,
        "type": "tax_rate_details",
    }
