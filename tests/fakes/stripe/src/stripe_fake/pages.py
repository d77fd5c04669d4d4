"""The hosted pages: checkout, customer portal, invoice. Plain HTML that works without script."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from stripe_fake import checkout, customers, html, subscriptions, views
from stripe_fake.errors import CardDeclined, StripeError
from stripe_fake.pdf import invoice_pdf
from stripe_fake.store import Obj
from stripe_fake.world import World


class Pages:
    """The pages of one account."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [
            Route("/c/pay/{id}", self.show_checkout, methods=["GET"]),
            Route("/c/pay/{id}", self.pay, methods=["POST"]),
            Route("/p/session/{id}", self.show_portal, methods=["GET"]),
            Route("/p/session/{id}", self.manage, methods=["POST"]),
            Route("/i/{id}", self.show_invoice, methods=["GET"]),
            Route("/i/{id}/pdf", self.show_pdf, methods=["GET"]),
            Route("/_static/page.css", html.stylesheet, methods=["GET"]),
        ]

    # ------------------------------------------------------------------ checkout

    async def show_checkout(self, request: Request) -> Response:
        session = self._session(request)
        if session is None:
            return html.notice("There is no such checkout", "The link is incomplete or belongs to another shop.", 404)
        if session["status"] != "open":
            return self._closed(session)
        return views.checkout_page(session, known=self._known_email(session))

    async def pay(self, request: Request) -> Response:
        session = self._session(request)
        form = await _form(request)
        if session is None:
            return html.notice("There is no such checkout", "The link is incomplete or belongs to another shop.", 404)
        if session["status"] == "complete":  # the second of two clicks
            return RedirectResponse(checkout.return_address(session), 303)
        if session["status"] != "open":
            return self._closed(session)
        world, today = self._world, datetime.now(UTC)
        known = self._known_email(session)
        email = known or form.get("email", "").strip()
        if "update" in form:  # the buyer wants to see what the changed quantity costs
            checkout.set_quantities(world, session, _quantities(form))
            world.store.put(session)
            world.store.commit()
            return views.checkout_page(session, known=known, typed=email)
        try:
            if "@" not in email:
                raise CardDeclined("Enter your e-mail address.", decline_code="email_missing")
            digits = customers.check_card(
                form.get("card", ""), form.get("expiry", ""), form.get("cvc", ""), today.year, today.month
            )
            checkout.set_quantities(world, session, _quantities(form))
            checkout.complete(world, session, email, digits)
            world.store.commit()
        except StripeError as refusal:
            world.store.rollback()
            return views.checkout_page(session, known=known, typed=email, problem=refusal.message)
        finally:
            world.wake.set()
        return RedirectResponse(checkout.return_address(session), 303)

    def _session(self, request: Request) -> Obj | None:
        found = self._world.store.get("checkout.session", request.path_params["id"])
        if found is None:
            return None
        found = checkout.current(self._world, found)
        self._world.store.commit()
        return found

    def _known_email(self, session: Obj) -> str:
        """The address that the shop gave, which the buyer cannot change; empty if it gave none."""
        customer = self._world.store.get("customer", session["customer"] or "")
        return str(session["customer_email"] or (customer and customer["email"]) or "")

    def _closed(self, session: Obj) -> Response:
        if session["status"] == "complete":
            return html.notice("This checkout is paid", "You can close this page.", 200)
        return html.notice("This checkout has expired", "Go back to the shop and start again.", 410)

    # ------------------------------------------------------------------ portal

    async def show_portal(self, request: Request) -> Response:
        session = self._world.store.get("billing_portal.session", request.path_params["id"])
        if session is None:
            return html.notice("This link has expired", "Go back to the shop and open billing again.", 404)
        owned = [row for row in self._world.store.all("subscription") if row["customer"] == session["customer"]]
        billed = [row for row in self._world.store.all("invoice") if row["customer"] == session["customer"]]
        return views.portal_page(self._world, session, owned, billed)

    async def manage(self, request: Request) -> Response:
        session = self._world.store.get("billing_portal.session", request.path_params["id"])
        form = await _form(request)
        subscription = self._world.store.get("subscription", form.get("subscription", ""))
        if session is None or subscription is None or subscription["customer"] != session["customer"]:
            return html.notice("There is no such subscription", "Go back to the shop and open billing again.", 404)
        wanted = {"cancel": "true", "resume": "false"}.get(form.get("action", ""))
        if wanted is not None and subscription["status"] in subscriptions.LIVE:
            subscriptions.update(self._world, subscription, {"cancel_at_period_end": wanted})
            self._world.store.commit()
            self._world.wake.set()
        return RedirectResponse(str(request.url.path), 303)

    # ------------------------------------------------------------------ invoice

    async def show_invoice(self, request: Request) -> Response:
        invoice = self._world.store.get("invoice", request.path_params["id"])
        if invoice is None:
            return html.notice("There is no such invoice", "The link is incomplete.", 404)
        rows = "".join(
            f"<tr><td>{escape(line['description'])}</td>"
            f"<td class=num>{html.money(line['amount'], line['currency'])}</td></tr>"
            for line in invoice["lines"]["data"]
        )
        body = (
            f"<p>{escape(invoice['status'].title())} · {html.date(invoice['created'])}</p>"
            f"<table><tbody>{rows}</tbody><tfoot><tr><th scope=row>Total</th>"
            f"<td class=num>{html.money(invoice['total'], invoice['currency'])}</td></tr></tfoot></table>"
            f'<p><a href="{escape(invoice["invoice_pdf"])}">Download as PDF</a></p>'
        )
        return html.page(f"Invoice {invoice['number']}", body)

    async def show_pdf(self, request: Request) -> Response:
        invoice = self._world.store.get("invoice", request.path_params["id"])
        if invoice is None:
            return html.notice("There is no such invoice", "The link is incomplete.", 404)
        headers = {"Content-Disposition": f'attachment; filename="Invoice-{invoice["number"]}.pdf"'}
        return Response(invoice_pdf(invoice), headers=headers, media_type="application/pdf")


def _quantities(form: dict[str, str]) -> dict[str, int]:
    given = {key[9:-1]: value for key, value in form.items() if key.startswith("quantity[") and key.endswith("]")}
    return {key: int(value) for key, value in given.items() if value.isascii() and value.isdigit() and len(value) < 8}


async def _form(request: Request) -> dict[str, str]:
    raw = (await request.body()).decode(errors="replace")
    return {key: values[-1] for key, values in parse_qs(raw, keep_blank_values=True).items()}
