"""The hosted checkout. Plain HTML that works without script."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from stripe_fake import (
    checkout,
    checkout_items,
    clocks,
    completion,
    customers,
    html,
    promotion_codes,
    taxes,
    views,
)
from stripe_fake.errors import CardDeclined, StripeError
from stripe_fake.store import Obj
from stripe_fake.world import World

_CHANGES = {"update", "apply", "remove"}


class CheckoutPages:
    """The checkout pages of one account."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [
            Route("/c/pay/{id}", self.show_checkout, methods=["GET"]),
            Route("/c/pay/{id}", self.pay, methods=["POST"]),
            Route("/_static/page.css", html.stylesheet, methods=["GET"]),
        ]

    async def show_checkout(self, request: Request) -> Response:
        session = self._session(request)
        if session is None:
            return html.notice("There is no such checkout", "The link is incomplete or belongs to another shop.", 404)
        if session["status"] != "open":
            return self._closed(session)
        return views.checkout_page(session, known=self._known_email(session))

    async def pay(self, request: Request) -> Response:
        session = self._session(request)
        form = await html.form_of(request)
        if session is None:
            return html.notice("There is no such checkout", "The link is incomplete or belongs to another shop.", 404)
        if session["status"] == "complete":  # the second of two clicks
            return RedirectResponse(completion.return_address(session), 303)
        if session["status"] != "open":
            return self._closed(session)
        world, known = self._world, self._known_email(session)
        email = known or form.get("email", "").strip()
        try:
            with world.at(clocks.moment(world, session)):
                self._take(session, form)
                if not _CHANGES.isdisjoint(form):  # the buyer wants to see what it costs now
                    world.store.put(session)
                    world.store.commit()
                    return views.checkout_page(session, known=known, typed=email)
                if "@" not in email:
                    raise CardDeclined("Enter your e-mail address.", decline_code="email_missing")
                today = datetime.now(UTC)
                card, expiry, cvc = (form.get(name, "") for name in ("card", "expiry", "cvc"))
                digits = customers.check_card(card, expiry, cvc, today.year, today.month)
                completion.complete(world, session, email, digits)
            world.store.commit()
        except StripeError as refusal:
            world.store.rollback()
            return views.checkout_page(session, known=known, typed=email, problem=refusal.message)
        finally:
            world.wake.set()
        return RedirectResponse(completion.return_address(session), 303)

    def _take(self, session: Obj, form: dict[str, str]) -> None:
        """What the buyer chose on the page: quantities, country, promotion code."""
        world = self._world
        country = form.get("country", "").upper()
        if country in taxes.COUNTRIES and views.asks_country(session):
            session["_address"] = {
                **dict.fromkeys(customers.ADDRESS),
                **(session["_address"] or {}),
                "country": country,
            }
        if "remove" in form:
            session["discounts"] = []
        elif form.get("promotion_code", "").strip() and session["allow_promotion_codes"]:
            code, amount = form["promotion_code"], session["amount_subtotal"]
            session["discounts"] = promotion_codes.typed(world, code, session["customer"], amount)
        checkout_items.set_quantities(world, session, _quantities(form))

    def _session(self, request: Request) -> Obj | None:
        found = self._world.store.get("checkout.session", request.path_params["id"])
        if found is None:
            return None
        with self._world.at(clocks.moment(self._world, found)):
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


def _quantities(form: dict[str, str]) -> dict[str, int]:
    given = {key[9:-1]: value for key, value in form.items() if key.startswith("quantity[") and key.endswith("]")}
    return {key: int(value) for key, value in given.items() if value.isascii() and value.isdigit() and len(value) < 8}
