"""The HTML of the checkout and the portal."""

from __future__ import annotations

from html import escape
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

from stripe_fake import html, subscriptions, taxes
from stripe_fake.store import Obj
from stripe_fake.world import World

_CARD_FIELDS = """<label for="card">Card number</label>
<input id="card" name="card" required inputmode="numeric" autocomplete="cc-number"
 value="4242 4242 4242 4242">
<div class="pair"><div><label for="expiry">Expiry (MM / YY)</label>
<input id="expiry" name="expiry" required autocomplete="cc-exp" value="12 / 34"></div>
<div><label for="cvc">CVC</label>
<input id="cvc" name="cvc" required inputmode="numeric" autocomplete="cc-csc" value="123"></div></div>"""
_CARD_FORM = f"""<h2>Card</h2><form method="post">{_CARD_FIELDS}
<div class="actions"><button type="submit" name="action" value="card">Change card</button></div></form>"""


def _alert(problem: str) -> str:
    return f'<p role="alert" id="problem">{escape(problem)}</p>' if problem else ""


def checkout_page(session: Obj, *, known: str = "", typed: str = "", problem: str = "") -> HTMLResponse:
    """The order, the card, and what was wrong with the last try."""
    items = session["_line_items"]["data"]
    subscribing = session["mode"] == "subscription"
    fixed = " readonly" if known else ""
    back = f'<a href="{escape(session["cancel_url"])}">Back</a>' if session["cancel_url"] else ""
    changing = any(item["adjustable_quantity"] for item in items) or asks_country(session)
    again = '<button class="quiet" name="update" value="1" formnovalidate>Update total</button>' if changing else ""
    every = f" per {items[0]['price']['recurring']['interval']}" if subscribing else ""
    body = f"""
<p class="note">Test payments: nothing is charged.</p>{_alert(problem)}
<h2>Order</h2>
<table><thead><tr><th scope="col">What</th><th scope="col">Quantity</th>
<th scope="col" class="num">Amount</th></tr></thead>
<tbody>{_order(session)}</tbody>
<tfoot><tr><th scope="row" colspan="2">Total</th>
<td class="num">{html.money(session["amount_total"], session["currency"])}{every}</td></tr></tfoot></table>
{_promotion(session)}
<form method="post" id="pay">
<h2>Contact and card</h2>
<label for="email">E-mail</label>
<input id="email" name="email" type="email" required autocomplete="email" value="{escape(known or typed)}"{fixed}>
{_country(session)}
{_CARD_FIELDS}
<div class="actions"><button type="submit">{"Subscribe" if subscribing else "Pay"}</button>{again}{back}</div>
</form>"""
    # Browsers hold the redirect after a form to `form-action` too, so the shop's own address must be in it.
    return html.page(
        "Subscribe" if subscribing else "Pay", body, 402 if problem else 200, _origin(session["success_url"])
    )


def asks_country(session: Obj) -> bool:
    """Whether the buyer is asked where they are: for tax, or because the seller wants an address."""
    return bool(session["automatic_tax"]["enabled"] or session["billing_address_collection"] == "required")


def _order(session: Obj) -> str:
    rows = "".join(_summary_row(item) for item in session["_line_items"]["data"])
    off, tax = session["total_details"]["amount_discount"], session["total_details"]["amount_tax"]
    if off:
        rows += f'<tr><td>Discount</td><td></td><td class="num">-{html.money(off, session["currency"])}</td></tr>'
    if session["automatic_tax"]["status"] == "complete":
        rows += f'<tr><td>Tax</td><td></td><td class="num">{html.money(tax, session["currency"])}</td></tr>'
    return rows


def _promotion(session: Obj) -> str:
    """A form of its own, so that Enter in it applies the code and does not pay."""
    if not session["allow_promotion_codes"]:
        return ""
    if session["discounts"]:
        return (
            '<form method="post"><div class="actions"><button class="quiet" name="remove" value="1">Remove promotion '
            "code</button></div></form>"
        )
    return (
        '<form method="post"><label for="promotion_code">Promotion code</label><div class="pair">'
        '<input id="promotion_code" name="promotion_code" required autocomplete="off">'
        '<button class="quiet" name="apply" value="1">Apply</button></div></form>'
    )


def _country(session: Obj) -> str:
    if not asks_country(session):
        return ""
    chosen = (session["_address"] or {}).get("country")
    options = "".join(
        f'<option value="{code}"{" selected" if code == chosen else ""}>{code}</option>' for code in taxes.COUNTRIES
    )
    return (
        f'<label for="country">Country</label><select id="country" name="country" required autocomplete="country">'
        f'<option value="">Choose</option>{options}</select>'
    )


def _summary_row(item: Obj) -> str:
    name, quantity = escape(item["description"]), str(item["quantity"])
    bounds = item["adjustable_quantity"]
    if bounds:
        quantity = (
            f'<input class="short" type="number" form="pay" name="quantity[{escape(item["id"])}]"'
            f' aria-label="Quantity of {name}"'
            f' min="{bounds["minimum"]}" max="{bounds["maximum"]}" value="{item["quantity"]}">'
        )
    amount = html.money(item["amount_subtotal"], item["currency"])
    return f'<tr><td>{name}</td><td>{quantity}</td><td class="num">{amount}</td></tr>'


def portal_page(world: World, session: Obj, owned: list[Obj], billed: list[Obj], problem: str = "") -> HTMLResponse:
    """What a customer has, with a button for each change, and what was billed."""
    cards = "".join(_subscription_card(world, row) for row in owned) or "<p>No subscription.</p>"
    rows = "".join(
        f"<tr><td>{html.date(row['created'])}</td>"
        f'<td><a href="{escape(row["hosted_invoice_url"])}">{escape(row["number"])}</a></td>'
        f'<td>{escape(row["status"])}</td><td class="num">{html.money(row["total"], row["currency"])}</td></tr>'
        for row in billed
    )
    table = (
        '<table><thead><tr><th scope="col">Date</th><th scope="col">Invoice</th><th scope="col">Status</th>'
        f'<th scope="col" class="num">Total</th></tr></thead><tbody>{rows}</tbody></table>'
    )
    address = session["return_url"]
    back = f'<p><a href="{escape(address)}">Return to {escape(urlsplit(address).netloc)}</a></p>' if address else ""
    return html.page(
        "Your subscription",
        f"{back}{_alert(problem)}{cards}{_CARD_FORM}<h2>Invoices</h2>{table if rows else '<p>None yet.</p>'}",
        402 if problem else 200,
        _origin(session["return_url"]),
    )


def _subscription_card(world: World, subscription: Obj) -> str:
    item = subscription["items"]["data"][0]
    name = world.get("product", item["price"]["product"])["name"]
    ending = subscription["cancel_at_period_end"]
    live = subscription["status"] in subscriptions.LIVE
    when = f"{'Ends' if ending else 'Renews'} on {html.date(item['current_period_end'])}" if live else "Ended"
    button = ""
    if live:
        action, label = ("resume", "Resume subscription") if ending else ("cancel", "Cancel subscription")
        button = (
            f'<form method="post"><input type="hidden" name="subscription" value="{escape(subscription["id"])}">'
            f'<div class="actions"><button type="submit" name="action" value="{action}">{label}</button></div></form>'
        )
    return (
        f"<section><h2>{escape(name)}</h2><p>{escape(subscription['status'])} · {item['quantity']} seat(s) · "
        f"{html.money(item['price']['unit_amount'] * item['quantity'], item['price']['currency'])} per "
        f"{item['price']['recurring']['interval']} · {when}</p>{button}</section>"
    )


def _origin(address: str | None) -> str:
    parts = urlsplit(address or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") and parts.netloc else ""
