"""What billing's use cases work with; `bootstrap` builds it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from billing.domain import PriceBook, QuotaRules
from billing.errors import BillingUnavailable
from billing.ports import Payments, Signatures
from billing.settings import Settings
from common.parts import ServiceDeps

STRIPE_WAKE: Final = "live.billing.stripe"
"""Tells the worker that a webhook was delivered; it also looks by itself."""


@dataclass(frozen=True)
class Deps(ServiceDeps):
    """Built once for a process, and passed to every use case."""

    settings: Settings
    rules: QuotaRules
    prices: PriceBook
    payments_or_none: Payments | None
    signatures: Signatures
    wake_worker: Callable[[], Awaitable[None]]

    @property
    def payments(self) -> Payments:
        """The payment provider; raises BillingUnavailable when no key is set."""
        if self.payments_or_none is None:
            raise BillingUnavailable("Payments are not set up here; ask whoever runs this Bidwright.")
        return self.payments_or_none
