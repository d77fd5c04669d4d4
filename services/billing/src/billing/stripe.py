"""The one place that talks to Stripe. Its errors become ours by the table below; nothing of the SDK goes further in."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import stripe

from billing.domain import ENDED_STATUSES, PriceBook, SubscriptionState
from billing.errors import BillingUnavailable, InvalidSignature, PaymentRejected, UnknownToStripe
from billing.ports import Checkout, InvoiceSummary, Listed, ListPage, Order, Plans, SeatsPreview, StoredEvent
from billing.settings import Settings
from billing.stripe_objects import CheckoutSession, Invoice, InvoicePreview, Subscription
from common.ids import new_id
from common.telemetry import get_logger

SIGNATURE_MAX_AGE_SECONDS: Final = 300
SIGNATURE_MAX_FUTURE_SECONDS: Final = 60
"""The SDK takes a time stamp from the future; a clock may be off by a minute, not more."""
LISTED: Final = 100
"""The most that Stripe lists in one answer."""
INVOICES_SHOWN: Final = 24

log = get_logger()

_UNAVAILABLE: Final = (
    stripe.APIConnectionError,
    stripe.RateLimitError,
    stripe.AuthenticationError,
    stripe.PermissionError,
)
_WITH_DISCOUNT: Final = ["discounts.source.coupon"]
"""Without asking for it a subscription comes with the ids of its discounts alone."""
_NO_PLAN: Final = (*ENDED_STATUSES, "incomplete")
_REJECTED: Final = (stripe.InvalidRequestError, stripe.CardError)


@asynccontextmanager
async def _mapped_errors(call: str) -> AsyncIterator[None]:
    try:
        yield
    except _REJECTED as error:
        log.warning("stripe.rejected", call=call, code=error.code, request=error.request_id)
        if error.code == "resource_missing":
            raise UnknownToStripe(error.user_message or "Stripe does not know this.") from error
        raise PaymentRejected(error.user_message or "Stripe did not accept this.") from error
    except stripe.StripeError as error:
        level = log.warning if isinstance(error, _UNAVAILABLE) else log.error
        level("stripe.failed", call=call, error=type(error).__name__, request=error.request_id)
        raise BillingUnavailable from error


class StripeApi:
    """The calls that billing makes, with a time limit, retries and an idempotency key each where they create."""

    def __init__(self, settings: Settings) -> None:
        self._prices: PriceBook = settings.prices
        self._http = stripe.HTTPXClient(timeout=settings.stripe_timeout_seconds)
        self._client = stripe.StripeClient(
            settings.stripe_secret_key.get_secret_value(),
            base_addresses={"api": settings.stripe_api_base} if settings.stripe_api_base else {},
            http_client=self._http,
            max_network_retries=settings.stripe_max_retries,
        )

    async def create_customer(self, *, org_id: UUID, name: str, email: str) -> str:
        """Makes the org's customer and returns its id; made twice at once, it is one."""
        async with _mapped_errors("customers.create"):
            customer = await self._client.v1.customers.create_async(
                {"name": name, "email": email, "metadata": {"org_id": str(org_id)}},
                {"idempotency_key": f"customer:{org_id}"},
            )
        return customer.id

    async def plans(self, customer_id: str) -> Plans:
        """Whether the customer has a plan now, and whether they ever had one, as Stripe has it."""
        async with _mapped_errors("subscriptions.list"):
            found = await self._client.v1.subscriptions.list_async(
                {"customer": customer_id, "status": "all", "limit": 100}
            )
        statuses = [subscription.status for subscription in found.data]
        return Plans(running=any(status not in _NO_PLAN for status in statuses), any_before=bool(statuses))

    async def open_checkouts(self, customer_id: str) -> Sequence[Checkout]:
        """The hosted pages on which the customer could still pay."""
        async with _mapped_errors("checkout.sessions.list"):
            found = await self._client.v1.checkout.sessions.list_async(
                {"customer": customer_id, "status": "open", "limit": 100}
            )
        parsed = [CheckoutSession.model_validate(session.to_dict()) for session in found.data]
        return [_checkout(session) for session in parsed]

    async def close_checkout(self, session_id: str) -> None:
        """Makes a hosted page useless; one that was just paid, or is closed already, stays as it is."""
        try:
            async with _mapped_errors("checkout.sessions.expire"):
                await self._client.v1.checkout.sessions.expire_async(session_id)
        except PaymentRejected:
            log.info("stripe.checkout_was_closed", session_id=session_id)

    async def create_checkout(
        self,
        *,
        org_id: UUID,
        customer_id: str,
        order: Order,
        trial_days: int,
        automatic_tax: bool,
        success_url: str,
        cancel_url: str,
    ) -> Checkout:
        """Opens Stripe's hosted page for an order."""
        whose = {"org_id": str(org_id), "price": order.price}
        # The same on the session and its invoice, so that either credits a bundle, and the other not once more.
        metadata = {**whose, **order.as_metadata(), "purchase": str(new_id())}
        params: dict[str, Any] = {
            "mode": "subscription" if order.is_plan else "payment",
            "customer": customer_id,
            "client_reference_id": str(org_id),
            "line_items": [{"price": self._prices.id_of(order.price), "quantity": order.quantity}],
            "metadata": metadata,
            "success_url": success_url,
            "cancel_url": cancel_url,
        }
        if order.is_plan:
            params["subscription_data"] = {"metadata": whose}
            if trial_days:
                params["subscription_data"]["trial_period_days"] = trial_days
        else:
            params["invoice_creation"] = {"enabled": True, "invoice_data": {"metadata": metadata}}
            params["payment_intent_data"] = {"metadata": metadata}
        if order.promotion_code:
            params["discounts"] = [{"promotion_code": await self._promotion_code_id(order.promotion_code)}]
        else:
            params["allow_promotion_codes"] = True
        if automatic_tax:
            # The address that the tax goes by is asked for on the page, and kept for the invoices to come.
            params["automatic_tax"] = {"enabled": True}
            params["customer_update"] = {"address": "auto", "name": "auto"}
            params["tax_id_collection"] = {"enabled": True}
        async with _mapped_errors("checkout.sessions.create"):
            session = await self._client.v1.checkout.sessions.create_async(params)  # type: ignore[arg-type]
        return _checkout(CheckoutSession.model_validate(session.to_dict()))

    async def _promotion_code_id(self, code: str) -> str:
        async with _mapped_errors("promotion_codes.list"):
            found = await self._client.v1.promotion_codes.list_async({"code": code, "active": True, "limit": 1})
        if not found.data:
            raise PaymentRejected("This promotion code is not valid, or not any more.")
        return found.data[0].id

    async def create_portal(self, *, customer_id: str, return_url: str) -> str:
        """The address of Stripe's page where the org changes cards and sees invoices."""
        async with _mapped_errors("billing_portal.sessions.create"):
            session = await self._client.v1.billing_portal.sessions.create_async(
                {"customer": customer_id, "return_url": return_url}
            )
        return session.url

    async def subscription(self, subscription_id: str) -> tuple[SubscriptionState, Mapping[str, str]]:
        """The subscription as it is now, and its metadata."""
        async with _mapped_errors("subscriptions.retrieve"):
            found = await self._client.v1.subscriptions.retrieve_async(subscription_id, {"expand": _WITH_DISCOUNT})
        parsed = Subscription.model_validate(found.to_dict())
        return parsed.state(self._prices), parsed.metadata

    async def list_subscriptions(self, *, cursor: str | None, customer_id: str | None = None) -> ListPage[Listed]:
        """Every subscription that is not cancelled, a hundred at a time; or one customer's."""
        params: Any = {"limit": LISTED, "expand": ["data.discounts.source.coupon"]}
        params |= {"starting_after": cursor} if cursor else {}
        params |= {"customer": customer_id} if customer_id else {}
        async with _mapped_errors("subscriptions.list"):
            found = await self._client.v1.subscriptions.list_async(params)
        items = []
        for subscription in found.data:
            parsed = Subscription.model_validate(subscription.to_dict())
            items.append(Listed(parsed.state(self._prices), parsed.metadata.get("org_id")))
        return ListPage(items, found.data[-1].id if found.has_more and found.data else None)

    async def list_events(self, *, types: Sequence[str], since: datetime, cursor: str | None) -> ListPage[StoredEvent]:
        """The events of these types since then, the newest first, a hundred at a time."""
        params: Any = {"limit": LISTED, "types": list(types), "created": {"gte": int(since.timestamp())}}
        params |= {"starting_after": cursor} if cursor else {}
        async with _mapped_errors("events.list"):
            found = await self._client.v1.events.list_async(params)
        items = [
            StoredEvent(
                event_id=event.id,
                created=datetime.fromtimestamp(event.created, UTC),
                # The SDK reads decimals as such; as in a webhook they are strings.
                body=json.dumps(event.to_dict(), default=str).encode(),
            )
            for event in found.data
        ]
        return ListPage(items, items[-1].event_id if found.has_more and items else None)

    async def set_cancel_at_period_end(self, subscription_id: str, cancel: bool) -> SubscriptionState:
        """Ends the subscription with its period, or takes that back."""
        async with _mapped_errors("subscriptions.update"):
            changed = await self._client.v1.subscriptions.update_async(
                subscription_id, {"cancel_at_period_end": cancel, "expand": _WITH_DISCOUNT}
            )
        return Subscription.model_validate(changed.to_dict()).state(self._prices)

    async def cancel_now(self, subscription_id: str) -> SubscriptionState:
        """Ends the subscription at once."""
        async with _mapped_errors("subscriptions.cancel"):
            ended = await self._client.v1.subscriptions.cancel_async(subscription_id, {"expand": _WITH_DISCOUNT})
        return Subscription.model_validate(ended.to_dict()).state(self._prices)

    async def preview_seats(self, subscription_id: str, seats: int) -> SeatsPreview:
        """What another number of seats would cost, now and from the next period on; changes nothing."""
        async with _mapped_errors("invoices.create_preview"):
            found = await self._client.v1.subscriptions.retrieve_async(subscription_id)
            item: Any = {"id": found["items"].data[0].id, "quantity": seats}
            change = await self._client.v1.invoices.create_preview_async(
                {
                    "subscription": subscription_id,
                    "subscription_details": {"items": [item], "proration_behavior": "always_invoice"},
                }
            )
            renewal = await self._client.v1.invoices.create_preview_async(
                {
                    "subscription": subscription_id,
                    "preview_mode": "recurring",
                    "subscription_details": {"items": [item], "proration_behavior": "none"},
                }
            )
        now, later = (InvoicePreview.model_validate(invoice.to_dict()) for invoice in (change, renewal))
        prorated_at = now.prorated_at
        # Without a proration (in a trial, or for the seats that there are) the preview is the next period's invoice.
        return SeatsPreview(
            seats=seats,
            currency=later.currency,
            amount_due_now=now.amount_due if prorated_at else 0,
            credit=max(-now.total, 0) if prorated_at else 0,
            next_invoice_amount=later.total,
            next_invoice_at=Subscription.model_validate(found.to_dict()).state(self._prices).period_end,
            prorated_at=prorated_at,
        )

    async def set_seats(self, subscription_id: str, seats: int, *, prorated_at: datetime | None) -> SubscriptionState:
        """Changes the quantity; the rest of the period is billed, or credited, at once, and a payment that fails leaves
        everything as it was."""
        async with _mapped_errors("subscriptions.update"):
            found = await self._client.v1.subscriptions.retrieve_async(subscription_id)
            params: dict[str, Any] = {
                "items": [{"id": found["items"].data[0].id, "quantity": seats}],
                "proration_behavior": "always_invoice",
                "payment_behavior": "error_if_incomplete",
                "expand": _WITH_DISCOUNT,
            }
            if prorated_at is not None:
                params["proration_date"] = int(prorated_at.timestamp())
            changed = await self._client.v1.subscriptions.update_async(
                subscription_id,
                params,  # type: ignore[arg-type]
            )
        return Subscription.model_validate(changed.to_dict()).state(self._prices)

    async def invoices(self, customer_id: str) -> Sequence[InvoiceSummary]:
        """The customer's latest invoices."""
        async with _mapped_errors("invoices.list"):
            found = await self._client.v1.invoices.list_async({"customer": customer_id, "limit": INVOICES_SHOWN})
        parsed = [Invoice.model_validate(invoice.to_dict()) for invoice in found.data]
        return [
            InvoiceSummary(
                invoice_id=invoice.id,
                number=invoice.number,
                status=invoice.status,
                currency=invoice.currency,
                total=invoice.total,
                created=invoice.created,
                hosted_url=invoice.hosted_invoice_url,
                pdf_url=invoice.invoice_pdf,
            )
            for invoice in parsed
        ]

    async def close(self) -> None:
        """Closes the connections to Stripe."""
        await self._http.close_async()  # type: ignore[no-untyped-call]  # the SDK left it untyped


def _checkout(session: CheckoutSession) -> Checkout:
    return Checkout(session.id, session.url or "", Order.of_metadata(session.metadata))


class WebhookSignatures:
    """Checks a webhook's `Stripe-Signature` against any of the secrets.

    https://docs.stripe.com/webhooks/signature: five minutes into the past; a minute into the future is our own rule.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = tuple(secrets)

    def verify(self, payload: bytes, header: str | None) -> None:
        """Raises InvalidSignature when no secret fits, or the time stamp is too old or too new."""
        for secret in self._secrets:
            try:
                stripe.WebhookSignature.verify_header(payload, header, secret, tolerance=SIGNATURE_MAX_AGE_SECONDS)
            except (stripe.SignatureVerificationError, ValueError, TypeError):
                # ValueError: a body that is not UTF-8; TypeError: a signature that is not ASCII.
                continue
            stamped = dict(part.strip().split("=", 1) for part in (header or "").split(",") if "=" in part)
            if int(stamped["t"]) <= time.time() + SIGNATURE_MAX_FUTURE_SECONDS:
                return
        raise InvalidSignature
