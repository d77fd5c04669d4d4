"""The one place that talks to Stripe. Its errors become ours by the table below; nothing of the SDK goes further in."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

import stripe

from billing.domain import PriceBook, SubscriptionState
from billing.errors import BillingUnavailable, InvalidSignature, PaymentRejected
from billing.ports import Checkout, InvoiceSummary
from billing.settings import Settings
from billing.stripe_objects import CheckoutSession, Invoice, Subscription
from common.telemetry import get_logger

SIGNATURE_MAX_AGE_SECONDS: Final = 300
SIGNATURE_MAX_FUTURE_SECONDS: Final = 60
"""The SDK takes a time stamp from the future; a clock may be off by a minute, not more."""
INVOICES_SHOWN: Final = 24

log = get_logger()

_UNAVAILABLE: Final = (
    stripe.APIConnectionError,
    stripe.RateLimitError,
    stripe.AuthenticationError,
    stripe.PermissionError,
)
_REJECTED: Final = (stripe.InvalidRequestError, stripe.CardError)


@asynccontextmanager
async def _mapped_errors(call: str) -> AsyncIterator[None]:
    try:
        yield
    except _REJECTED as error:
        log.warning("stripe.rejected", call=call, code=error.code, request=error.request_id)
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

    async def create_checkout(
        self,
        *,
        org_id: UUID,
        customer_id: str,
        price: str,
        quantity: int,
        subscription: bool,
        promotion_code: str | None,
        success_url: str,
        cancel_url: str,
    ) -> Checkout:
        """Opens Stripe's hosted page for buying `price` (our name)."""
        metadata = {"org_id": str(org_id), "price": price}
        params: dict[str, Any] = {
            "mode": "subscription" if subscription else "payment",
            "customer": customer_id,
            "client_reference_id": str(org_id),
            "line_items": [{"price": self._prices.id_of(price), "quantity": quantity}],
            "metadata": metadata,
            "success_url": success_url,
            "cancel_url": cancel_url,
        }
        if subscription:
            params["subscription_data"] = {"metadata": metadata}
        if promotion_code:
            params["discounts"] = [{"promotion_code": await self._promotion_code_id(promotion_code)}]
        async with _mapped_errors("checkout.sessions.create"):
            session = await self._client.v1.checkout.sessions.create_async(params)  # type: ignore[arg-type]
        opened = CheckoutSession.model_validate(session.to_dict())
        return Checkout(session_id=opened.id, url=opened.url or "")

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
            found = await self._client.v1.subscriptions.retrieve_async(
                subscription_id, {"expand": ["discounts.source.coupon"]}
            )
        parsed = Subscription.model_validate(found.to_dict())
        return parsed.state(self._prices), parsed.metadata

    async def set_cancel_at_period_end(self, subscription_id: str, cancel: bool) -> SubscriptionState:
        """Ends the subscription with its period, or takes that back."""
        async with _mapped_errors("subscriptions.update"):
            changed = await self._client.v1.subscriptions.update_async(
                subscription_id, {"cancel_at_period_end": cancel}
            )
        return Subscription.model_validate(changed.to_dict()).state(self._prices)

    async def cancel_now(self, subscription_id: str) -> SubscriptionState:
        """Ends the subscription at once."""
        async with _mapped_errors("subscriptions.cancel"):
            ended = await self._client.v1.subscriptions.cancel_async(subscription_id)
        return Subscription.model_validate(ended.to_dict()).state(self._prices)

    async def set_seats(self, subscription_id: str, seats: int) -> SubscriptionState:
        """Changes the quantity, prorated."""
        async with _mapped_errors("subscriptions.update"):
            found = await self._client.v1.subscriptions.retrieve_async(subscription_id)
            item_id = found["items"].data[0].id
            changed = await self._client.v1.subscriptions.update_async(
                subscription_id,
                {"items": [{"id": item_id, "quantity": seats}], "proration_behavior": "create_prorations"},
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
