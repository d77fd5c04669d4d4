"""The HTML of the checkout and the portal."""

from __future__ import annotations

from html import escape
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

from stripe_fake import html, subscriptions
from stripe_fake.store import Obj
from stripe_fake.world import World


def checkout_page(session: Obj, *, known: str = "", typed: str = "", problem: str = "") -> HTMLResponse:
    """The order, the card, and what was wrong with the last try."""
    items = session["_line_items"]["data"]
    rows = "".join(_summary_row(item) for item in items)
    adjustable = any(item["adjustable_quantity"] for item in items)
    off = session["total_details"]["amount_discount"]
    if off:
        rows += f"<tr><td>Discount</td><td></td><td class=num>-{html.money(off, session['currency'])}</td></tr>"
    subscribing = session["mode"] == "subscription"
    every = f" per {items[0]['price']['recurring']['interval']}" if subscribing else ""
    fixed = " readonly" if known else ""
    back = f'<a href="{escape(session["cancel_url"])}">Back</a>' if session["cancel_url"] else ""
    again = '<button class="quiet" name="update" value="1" formnovalidate>Update total</button>' if adjustable else ""
    alert = f'<p role="alert" id="problem">{escape(problem)}</p>' if problem else ""
    total = f"{html.money(session['amount_total'], session['currency'])}{every}"
    body = f"""
<p class="note">Test payments: nothing is charged.</p>{alert}
<form method="post">
<h2>Order</h2>
<table><thead><tr><th scope="col">What</th><th scope="col">Quantity</th>
<th scope="col" class="num">Amount</th></tr></thead>
<tbody>{rows}</tbody>
<tfoot><tr><th scope="row" colspan="2">Total</th><td class="num">{total}</td></tr></tfoot></table>
<h2>Contact and card</h2>
<label for="email">E-mail</label>
<input id="email" name="email" type="email" required autocomplete="email" value="{escape(known or typed)}"{fixed}>
<label for="card">Card number</label>
<input id="card" name="card" required inputmode="numeric" autocomplete="cc-number"
 value="4242 4242 4242 4242">
<div class="pair"><div><label for="expiry">Expiry (MM / YY)</label>
<input id="expiry" name="expiry" required autocomplete="cc-exp" value="12 / 34"></div>
<div><label for="cvc">CVC</label>
<input id="cvc" name="cvc" required inputmode="numeric" autocomplete="cc-csc" value="123"></div></div>
<div class="actions"><button type="submit">{"Subscribe" if subscribing else "Pay"}</button>{again}{back}</div>
</form>"""
    # Browsers hold the redirect after a form to `form-action` too, so the shop's own address must be in it.
    return html.page(
        "Subscribe" if subscribing else "Pay", body, 402 if problem else 200, _origin(session["success_url"])
    )


def _summary_row(item: Obj) -> str:
    name, quantity = escape(item["description"]), str(item["quantity"])
    bounds = item["adjustable_quantity"]
    if bounds:
        quantity = (
            f'<input class="short" type="number" name="quantity[{escape(item["id"])}]" aria-label="Quantity of {name}"'
            f' min="{bounds["minimum"]}" max="{bounds["maximum"]}" value="{item["quantity"]}">'
        )
    amount = html.money(item["amount_subtotal"], item["currency"])
    return f'<tr><td>{name}</td><td>{quantity}</td><td class="num">{amount}</td></tr>'


def portal_page(world: World, session: Obj, owned: list[Obj], billed: list[Obj]) -> HTMLResponse:
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
        f"{back}{cards}<h2>Invoices</h2>{table if rows else '<p>None yet.</p>'}",
        200,
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
