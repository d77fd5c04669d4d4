"""A checkout that the buyer completes: the customer, the subscription or payment, and the events in Stripe's order."""

from __future__ import annotations

from stripe_fake import customers, forms, invoices, payments, promotions, subscriptions
from stripe_fake.errors import CardDeclined
from stripe_fake.invoice_lines import Line, Off
from stripe_fake.store import Obj
from stripe_fake.world import World

_PLACEHOLDER = "{CHECKOUT_SESSION_ID}"


def complete(
    world: World,
    session: Obj,
    email: str,
    card_digits: str,
    *,
    metadata: dict[str, str] | None = None,
    delayed: bool = False,
) -> Obj:
    """The buyer paid: make the customer, the subscription or payment, and tell so in Stripe's order.

    `metadata`: of a customer who has to be made. `delayed`: the bank takes its time, see `settle`.
    """
    if not session["_subscription_data"].get("trial_period_days"):
        customers.decline_unless_chargeable(card_digits)
    customer = None
    if session["customer"]:
        customer = world.get("customer", session["customer"])
        if customer["email"] is None:
            customer = customers.update(world, customer, {"email": email})
    elif session["customer_creation"] == "always":
        customer = customers.create(world, {"email": email, "metadata": metadata or {}})
        session["customer"] = customer["id"]
    method = customers.attach_card(world, None if customer is None else customer["id"], card_digits)
    if customer is not None:
        world.emit("payment_method.attached", method)
    _locate(world, session, customer)
    session["customer_details"] = {
        "address": session["_address"],
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }
    session.update(status="complete", payment_status="paid", url=None)
    with world.held() as parts:
        if session["mode"] == "subscription" and customer is not None:
            _subscribe(world, session, customer, method["id"])
        else:
            _charge(world, session, customer, method["id"], delayed=delayed)
    world.store.put(session)
    world.emit("checkout.session.completed", session)
    world.release(parts)
    return session


def return_address(session: Obj) -> str:
    """Where the buyer goes after paying."""
    return str(session["success_url"]).replace(_PLACEHOLDER, session["id"])


def _locate(world: World, session: Obj, customer: Obj | None) -> None:
    """Tax goes by the address from the page, which is kept for the invoices to come."""
    if customer is not None and session["_keeps_address"] and session["_address"] not in (None, customer["address"]):
        previous = {"address": customer["address"]}
        customer["address"] = session["_address"]
        world.store.put(customer)
        world.emit("customer.updated", customer, previous)
    if session["automatic_tax"]["enabled"] and session["automatic_tax"]["status"] != "complete":
        raise CardDeclined("Choose your country.", decline_code="address_missing")


def _subscribe(world: World, session: Obj, customer: Obj, method_id: str) -> None:
    data = session["_subscription_data"]
    subscription = subscriptions.build(
        world,
        customer,
        [(item["price"], item["quantity"]) for item in session["_line_items"]["data"] if item["price"]["recurring"]],
        forms.merge_metadata({}, data),
        method_id,
        trial_end=subscriptions.trial_of(world, data),
        automatic_tax=session["automatic_tax"]["enabled"],
        without_card=subscriptions.without_card(data),
    )
    subscriptions.start(world, customer, subscription, session["discounts"])
    session.update(subscription=subscription["id"], invoice=subscription["latest_invoice"])
    if subscription["status"] == "trialing":
        session["payment_status"] = "no_payment_required"


def _charge(world: World, session: Obj, customer: Obj | None, method_id: str, *, delayed: bool = False) -> None:
    customer_id = None if customer is None else customer["id"]
    promotions.redeem(world, session["discounts"])
    if session["invoice_creation"]["enabled"] and customer is not None:
        now = world.now()
        lines = [
            Line(item["price"], item["quantity"], item["amount_subtotal"], now, now, item["description"])
            for item in session["_line_items"]["data"]
        ]
        built = invoices.build(
            world,
            customer,
            lines,
            "manual",
            offs=[Off(None, session["total_details"]["amount_discount"])],
            tax=session["automatic_tax"]["enabled"],
        )
        built["metadata"] = session["invoice_creation"]["invoice_data"]["metadata"]
        invoice = invoices.finalize(world, invoices.draft(world, built))
        session["invoice"] = invoices.pay(world, invoice, method_id, session["_payment_metadata"])["id"]
        paid = invoice["_payments"]["data"]
        session["payment_intent"] = paid[0]["payment"]["payment_intent"] if paid else None
        return
    made = payments.intent(
        world, session["amount_total"], session["currency"], customer_id, method_id, session["_payment_metadata"]
    )
    session["payment_intent"] = made["id"]
    if delayed:
        session["payment_status"] = "unpaid"
        payments.wait_for_bank(world, made)
    else:
        payments.confirm(world, made, works=True)


def settle(world: World, session: Obj, *, works: bool) -> Obj:
    """The bank answers at last for a session that was completed with a delayed payment."""
    payments.confirm(world, world.get("payment_intent", session["payment_intent"]), works=works)
    if works:
        session["payment_status"] = "paid"
    world.store.put(session)
    world.emit(f"checkout.session.async_payment_{'succeeded' if works else 'failed'}", session)
    return session
