"""What the ai service reads from the environment; `docs/settings` lists every key."""

from __future__ import annotations

from typing import ClassVar, Final

from pydantic import Field, model_validator

from common.settings import ServiceSettings

KNOWN_PROVIDERS: Final = ("local",)
"""A chain (`openai>local`) is read left to right; each name must be one that is built in."""


class Settings(ServiceSettings):
    """The service's settings, read once at start."""

    SERVICE: ClassVar[str] = "ai"

    ai_async: bool = False
    ai_test_open: bool = False
    ai_provider: str = "local"
    ai_daily_request_cap_free: int | None = Field(default=None, ge=0)
    ai_daily_request_cap_pro: int | None = Field(default=None, ge=0)
    ai_daily_request_cap_enterprise: int | None = Field(default=None, ge=0)
    ai_monthly_tokens_cap_pro: int | None = Field(default=None, ge=0)
    ai_monthly_tokens_cap_enterprise: int | None = Field(default=None, ge=0)
    section_revision_cap: int = Field(default=5, ge=0)

    @model_validator(mode="after")
    def _check_provider(self) -> Settings:
        for name in self.ai_provider.split(">"):
            if name.strip() not in KNOWN_PROVIDERS:
                known = ", ".join(KNOWN_PROVIDERS)
                raise ValueError(f"AI_PROVIDER: {name.strip()!r} is not a provider here; known are: {known}")
        if self.ai_test_open and not self.debug:
            raise ValueError("AI_TEST_OPEN: must not be set when DEBUG=0, it would give away the paid plan")
        return self

    @property
    def is_plan_gate_open(self) -> bool:
        """Whether every tier may use every AI request (development and tests only)."""
        return self.debug or self.ai_test_open

    def daily_request_cap(self, tier: str) -> int | None:
        """AI requests a day for an org of this tier; None means no cap of this installation's own."""
        caps = {
            "free": self.ai_daily_request_cap_free,
            "pro": self.ai_daily_request_cap_pro,
            "enterprise": self.ai_daily_request_cap_enterprise,
        }
        return caps.get(tier)

    def monthly_tokens_cap(self, tier: str) -> int | None:
        """AI tokens a calendar month for an org of this tier."""
        caps = {"pro": self.ai_monthly_tokens_cap_pro, "enterprise": self.ai_monthly_tokens_cap_enterprise}
        return caps.get(tier)
