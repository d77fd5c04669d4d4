"""Billing's routes: parse, authorise, one use case, map the result."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request

from billing.deps import Deps
from billing.domain import SubscriptionState
from billing.schemas import (
    CancelRequest,
    CheckoutRequest,
    CheckoutView,
    InvoiceView,
    LimitsView,
    OffersView,
    Period,
    PortalView,
    Received,
    Scope,
    SeatsPreviewRequest,
    SeatsPreviewView,
    SeatsRequest,
    SubscriptionSummary,
    SubscriptionView,
    UsageCounters,
    UsageView,
)
from billing.service import purchases, usage, webhook
from common.errors import TooLarge
from common.identity import Identity, require
from common.pagination import Page

router = APIRouter(prefix="/api", tags=["billing"])


def get_deps(request: Request) -> Deps:
    """The process's dependencies."""
    deps: Deps = request.app.state.deps
    return deps


WithDeps = Annotated[Deps, Depends(get_deps)]
Reader = Annotated[Identity, Depends(require("viewer", "billing:read"))]
AdminReader = Annotated[Identity, Depends(require("admin", "billing:read"))]
# No API key has a scope for these: money is spent by people.
Admin = Annotated[Identity, Depends(require("admin", "billing:write"))]


@router.get("/usage", operation_id="get_usage")
async def get_usage(deps: WithDeps, identity: Reader) -> UsageView:
    """What the org may do, what it has used, and whether it can make another proposal."""
    report = await usage.report(deps, identity)
    return UsageView(
        scope=Scope(org_id=identity.org_id, name=report.name, personal=report.personal),
        tier=report.tier,
        status=report.status,
        grace_ends_at=report.grace_ends_at,
        limits=LimitsView(**report.limits.model_dump(), extras=report.usage.extras_left),
        usage=UsageCounters.model_validate(report.usage, from_attributes=True),
        period=Period(start=report.period_start, end=report.period_end),
        can_create_proposal=report.refusal is None,
        reason=report.refusal,
        subscription=_summary(report.subscription) if report.subscription else None,
    )


@router.post("/billing/checkout", operation_id="start_checkout")
async def start_checkout(deps: WithDeps, identity: Admin, body: CheckoutRequest) -> CheckoutView:
    """Opens Stripe's page for a plan or a bundle."""
    checkout = await purchases.start_checkout(
        deps, identity, price=body.price, seats=body.seats, promotion_code=body.promotion_code
    )
    return CheckoutView(url=checkout.url, session_id=checkout.session_id)


@router.post("/billing/portal", operation_id="open_portal")
async def open_portal(deps: WithDeps, identity: Admin) -> PortalView:
    """Opens Stripe's page for cards and invoices."""
    return PortalView(url=await purchases.open_portal(deps, identity))


@router.post("/billing/cancel", operation_id="cancel_subscription")
async def cancel(
    deps: WithDeps, identity: Admin, body: Annotated[CancelRequest | None, Body()] = None
) -> SubscriptionView:
    """Ends the plan with its period, or at once."""
    return _view(await purchases.cancel(deps, identity, immediate=body.immediate if body else False))


@router.post("/billing/resume", operation_id="resume_subscription")
async def resume(deps: WithDeps, identity: Admin) -> SubscriptionView:
    """Takes a cancellation back."""
    return _view(await purchases.resume(deps, identity))


@router.post("/billing/seats/preview", operation_id="preview_seats")
async def preview_seats(deps: WithDeps, identity: Admin, body: SeatsPreviewRequest) -> SeatsPreviewView:
    """What another number of seats would cost. 409 `seats_taken` for fewer than there are members."""
    preview = await purchases.preview_seats(deps, identity, body.seats)
    return SeatsPreviewView.model_validate(preview, from_attributes=True)


@router.patch("/billing/seats", operation_id="set_seats")
async def set_seats(deps: WithDeps, identity: Admin, body: SeatsRequest) -> SubscriptionView:
    """Changes the number of seats; what the rest of the period costs is paid at once, or the change refused."""
    return _view(await purchases.set_seats(deps, identity, body.seats, prorated_at=body.prorated_at))


@router.get("/billing/offers", operation_id="list_offers")
async def list_offers(deps: WithDeps, identity: Reader) -> OffersView:
    """What can be bought here."""
    offers = purchases.offers(deps)
    return OffersView(available=offers.available, prices=offers.prices, trial_days=offers.trial_days)


@router.get("/billing/subscription", operation_id="get_subscription")
async def get_subscription(deps: WithDeps, identity: AdminReader) -> SubscriptionView | None:
    """The plan, or null on free (admin; what it allows stands in `/api/usage` for every member)."""
    found = await purchases.find_subscription(deps, identity)
    return _view(found) if found else None


@router.get("/billing/invoices", operation_id="list_invoices")
async def list_invoices(deps: WithDeps, identity: AdminReader) -> Page[InvoiceView]:
    """The latest invoices (admin)."""
    found = await purchases.invoices(deps, identity)
    return Page(
        items=[
            InvoiceView(
                id=invoice.invoice_id,
                number=invoice.number,
                status=invoice.status,
                currency=invoice.currency,
                total=invoice.total,
                created=invoice.created,
                hosted_url=invoice.hosted_url,
                pdf_url=invoice.pdf_url,
            )
            for invoice in found
        ]
    )


@router.post("/stripe/webhook", operation_id="receive_stripe_webhook")
async def receive_webhook(deps: WithDeps, request: Request) -> Received:
    """Takes a Stripe event in; answers once it is committed."""
    body = await _read_capped(request, deps.settings.stripe_webhook_max_bytes)
    await webhook.deliver(deps, body=body, signature=request.headers.get("stripe-signature"))
    return Received()


async def _read_capped(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge(limit=limit)
    return bytes(body)


def _summary(state: SubscriptionState) -> SubscriptionSummary:
    return SubscriptionSummary(
        price=state.price,
        seats=state.seats,
        cancel_at_period_end=state.cancel_at_period_end,
        current_period_end=state.period_end,
        discount=state.discount,
    )


def _view(state: SubscriptionState) -> SubscriptionView:
    return SubscriptionView(status=state.status, **_summary(state).model_dump())
