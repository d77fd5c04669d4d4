"""What a customer has: the portal, where they end, resume and change the card, and the page of an invoice."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from stripe_fake import clocks, customers, html, subscriptions, views
from stripe_fake.errors import StripeError
from stripe_fake.pdf import invoice_pdf
from stripe_fake.store import Obj
from stripe_fake.world import World


class AccountPages:
    """The customers' pages of one account."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [
            Route("/p/session/{id}", self.show_portal, methods=["GET"]),
            Route("/p/session/{id}", self.manage, methods=["POST"]),
            Route("/i/{id}", self.show_invoice, methods=["GET"]),
            Route("/i/{id}", self.pay_invoice, methods=["POST"]),
            Route("/i/{id}/pdf", self.show_pdf, methods=["GET"]),
        ]

    async def show_portal(self, request: Request) -> Response:
        session = self._world.store.get("billing_portal.session", request.path_params["id"])
        if session is None:
            return html.notice("This link has expired", "Go back to the shop and open billing again.", 404)
        return self._portal(session)

    def _portal(self, session: Obj, problem: str = "") -> Response:
        world = self._world
        owned = [row for row in world.store.all("subscription") if row["customer"] == session["customer"]]
        billed = [row for row in world.store.all("invoice") if row["customer"] == session["customer"]]
        final = [row for row in billed if row["status"] != "draft"]
        return views.portal_page(world, session, owned, final, problem)

    async def manage(self, request: Request) -> Response:
        world = self._world
        session = world.store.get("billing_portal.session", request.path_params["id"])
        form = await html.form_of(request)
        if session is None:
            return html.notice("This link has expired", "Go back to the shop and open billing again.", 404)
        customer = world.get("customer", session["customer"])
        try:
            with world.at(clocks.moment(world, customer)):
                if form.get("action") == "card":
                    self._change_card(customer, form)
                elif not self._end_or_resume(customer, form):
                    return html.notice(
                        "There is no such subscription", "Go back to the shop and open billing again.", 404
                    )
            world.store.commit()
        except StripeError as refusal:
            world.store.rollback()
            return self._portal(session, refusal.message)
        finally:
            world.wake.set()
        return RedirectResponse(str(request.url.path), 303)

    def _end_or_resume(self, customer: Obj, form: dict[str, str]) -> bool:
        subscription = self._world.store.get("subscription", form.get("subscription", ""))
        if subscription is None or subscription["customer"] != customer["id"]:
            return False
        wanted = {"cancel": "true", "resume": "false"}.get(form.get("action", ""))
        if wanted is not None and subscription["status"] in subscriptions.LIVE:
            subscriptions.update(self._world, subscription, {"cancel_at_period_end": wanted})
        return True

    def _change_card(self, customer: Obj, form: dict[str, str]) -> None:
        """The new card is for everything from now on, and what is owed is tried with it at once."""
        world, today = self._world, datetime.now(UTC)
        card, expiry, cvc = (form.get(name, "") for name in ("card", "expiry", "cvc"))
        digits = customers.check_card(card, expiry, cvc, today.year, today.month)
        method = customers.attach_card(world, customer["id"], digits)
        world.emit("payment_method.attached", method)
        customers.update(world, customer, {"invoice_settings": {"default_payment_method": method["id"]}})
        for subscription in world.store.all("subscription"):
            if subscription["customer"] == customer["id"] and subscription["status"] in subscriptions.LIVE:
                subscriptions.update(world, subscription, {"default_payment_method": method["id"]})
        for invoice in world.store.all("invoice"):
            if invoice["customer"] == customer["id"] and invoice["status"] == "open":
                subscriptions.collect(world, invoice)

    async def pay_invoice(self, request: Request) -> Response:
        world = self._world
        invoice = world.store.get("invoice", request.path_params["id"])
        if invoice is None:
            return html.notice("There is no such invoice", "The link is incomplete.", 404)
        if invoice["status"] == "open":
            with world.at(clocks.moment(world, invoice)):
                subscriptions.collect(world, invoice)
            world.store.commit()
            world.wake.set()
        return RedirectResponse(str(request.url.path), 303)

    async def show_invoice(self, request: Request) -> Response:
        invoice = self._world.store.get("invoice", request.path_params["id"])
        if invoice is None:
            return html.notice("There is no such invoice", "The link is incomplete.", 404)
        rows = "".join(
            f"<tr><td>{escape(line['description'])}</td>"
            f"<td class=num>{html.money(line['amount'], line['currency'])}</td></tr>"
            for line in invoice["lines"]["data"]
        )
        off = sum(one["amount"] for one in invoice["total_discount_amounts"])
        tax = sum(one["amount"] for one in invoice["total_taxes"])
        for name, amount in (("Discount", -off), ("Tax", tax)):
            if amount:
                rows += f"<tr><td>{name}</td><td class=num>{html.money(amount, invoice['currency'])}</td></tr>"
        body = (
            f"<p>{escape(invoice['status'].title())} · {html.date(invoice['created'])}</p>"
            f"<table><tbody>{rows}</tbody><tfoot><tr><th scope=row>Total</th>"
            f"<td class=num>{html.money(invoice['total'], invoice['currency'])}</td></tr></tfoot></table>"
            f'<p><a href="/i/{invoice["id"]}/pdf">Download as PDF</a></p>'
        )
        if invoice["status"] == "open":
            body += '<form method="post"><div class="actions"><button>Pay with the card on file</button></div></form>'
        return html.page(f"Invoice {invoice['number'] or 'draft'}", body)

    async def show_pdf(self, request: Request) -> Response:
        invoice = self._world.store.get("invoice", request.path_params["id"])
        if invoice is None or invoice["status"] == "draft":
            return html.notice("There is no such invoice", "The link is incomplete, or it is not final yet.", 404)
        headers = {"Content-Disposition": f'attachment; filename="Invoice-{invoice["number"]}.pdf"'}
        return Response(invoice_pdf(invoice), headers=headers, media_type="application/pdf")
