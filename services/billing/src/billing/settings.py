"""Everything that billing reads from the environment."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr

from billing.domain import PriceBook, QuotaRules
from common.settings import ServiceSettings


class Settings(ServiceSettings):
    """The keys are described in `docs/settings.md`."""

    SERVICE: ClassVar[str] = "billing"

    stripe_secret_key: SecretStr = SecretStr("")
    stripe_webhook_secret: SecretStr = SecretStr("")
    stripe_api_base: str = ""
    stripe_timeout_seconds: float = Field(default=10.0, gt=0, le=80)
    """Of one call to Stripe; a person waits for it, so it is far below the SDK's 80 s."""
    stripe_max_retries: int = Field(default=2, ge=0, le=5)
    stripe_account_id: str = ""
    """Whose events are taken where an event names its account, as those of an organisation's endpoint do."""
    stripe_currencies: str = ""
    """What is sold in, a comma list; events in any other are parked. Empty: any, as the price ids decide."""
    reconcile_minutes: float = Field(default=10.0, ge=0, le=1440)
    """How often Stripe is compared with; a lost webhook may take 15 minutes. 0: never."""
    reconcile_max_calls: int = Field(default=100, ge=2, le=10_000)
    """Of one comparison, the rest is for the next: 10,000 subscriptions, at a tenth of Stripe's rate limit."""
    stripe_webhook_max_bytes: int = Field(default=524_288, ge=1)
    """Stripe documents no limit; the largest events seen are below 100 KiB."""
    stripe_events_retention_days: int = Field(default=90, ge=35)
    """Of events that were applied or ignored; one that is parked stays. Stripe itself shows an event for 30 days, and a
    customer's complaint about an invoice may take two months. They hold names and addresses, so not for ever."""

    stripe_automatic_tax: bool = False
    """Stripe Tax has to be set up in the account first; without that Stripe refuses the checkout."""
    trial_days: int = Field(default=0, ge=0, le=730)
    """Of an org's first plan; 730 is Stripe's limit."""

    price_pro_monthly: str = ""
    price_pro_yearly: str = ""
    price_enterprise_monthly: str = ""
    price_bundle_1: str = ""
    price_bundle_10: str = ""
    price_bundle_25: str = ""

    quota_free_active_cap: int = Field(default=1, ge=0)
    quota_pro_monthly_cap: int = Field(default=20, ge=0)
    quota_pro_per_seat: int = Field(default=10, ge=0)
    quota_enterprise_monthly_cap: int | None = Field(default=None, ge=0)
    quota_storage_bytes_free: int = Field(default=100 * 1024**2, ge=0)
    quota_storage_bytes_pro: int = Field(default=10 * 1024**3, ge=0)
    quota_storage_bytes_enterprise: int = Field(default=100 * 1024**3, ge=0)
    failed_payment_grace_days: int = Field(default=3, ge=0, le=60)
    ai_rate_per_min_free: int = Field(default=0, ge=0)
    ai_rate_per_min_pro: int = Field(default=20, ge=0)
    ai_rate_per_min_enterprise: int = Field(default=60, ge=0)
    ai_daily_request_cap_free: int | None = Field(default=None, ge=0)
    ai_daily_request_cap_pro: int | None = Field(default=None, ge=0)
    ai_daily_request_cap_enterprise: int | None = Field(default=None, ge=0)
    ai_monthly_tokens_cap_pro: int | None = Field(default=None, ge=0)
    ai_monthly_tokens_cap_enterprise: int | None = Field(default=None, ge=0)
    file_upload_max_bytes: int = Field(default=10_485_760, ge=1)

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """Every secret that a webhook may be signed with; two during a rotation."""
        return tuple(part.strip() for part in self.stripe_webhook_secret.get_secret_value().split(",") if part.strip())

    @property
    def currencies(self) -> frozenset[str]:
        """The currencies that are sold in; empty for any."""
        return frozenset(part.strip().lower() for part in self.stripe_currencies.split(",") if part.strip())

    @property
    def is_live(self) -> bool:
        """Whether the key moves real money."""
        return self.stripe_secret_key.get_secret_value().startswith(("sk_live_", "rk_live_"))

    @property
    def accepts_unsigned_webhooks(self) -> bool:
        """Only in development, and only while no secret is set."""
        return self.debug and not self.webhook_secrets

    @property
    def prices(self) -> PriceBook:
        """Our names for Stripe's price ids."""
        named = {
            "pro_monthly": self.price_pro_monthly,
            "pro_yearly": self.price_pro_yearly,
            "enterprise_monthly": self.price_enterprise_monthly,
            "bundle_1": self.price_bundle_1,
            "bundle_10": self.price_bundle_10,
            "bundle_25": self.price_bundle_25,
        }
        return PriceBook({name: price_id for name, price_id in named.items() if price_id})

    @property
    def rules(self) -> QuotaRules:
        """What each tier allows."""
        return QuotaRules(
            free_active_cap=self.quota_free_active_cap,
            pro_monthly_cap=self.quota_pro_monthly_cap,
            pro_per_seat=self.quota_pro_per_seat,
            enterprise_monthly_cap=self.quota_enterprise_monthly_cap,
            storage_bytes={
                "free": self.quota_storage_bytes_free,
                "pro": self.quota_storage_bytes_pro,
                "enterprise": self.quota_storage_bytes_enterprise,
            },
            ai_per_minute={
                "free": self.ai_rate_per_min_free,
                "pro": self.ai_rate_per_min_pro,
                "enterprise": self.ai_rate_per_min_enterprise,
            },
            ai_daily={
                "free": self.ai_daily_request_cap_free,
                "pro": self.ai_daily_request_cap_pro,
                "enterprise": self.ai_daily_request_cap_enterprise,
            },
            ai_monthly_tokens={
                "free": None,
                "pro": self.ai_monthly_tokens_cap_pro,
                "enterprise": self.ai_monthly_tokens_cap_enterprise,
            },
            upload_max_bytes=self.file_upload_max_bytes,
            grace_days=self.failed_payment_grace_days,
        )
