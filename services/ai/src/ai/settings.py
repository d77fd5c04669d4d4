"""What the ai service reads from the environment; `docs/settings` lists every key."""

from __future__ import annotations

from typing import ClassVar, Final

from pydantic import Field, SecretStr, model_validator

from common.settings import ServiceSettings

KNOWN_PROVIDERS: Final = ("local", "openai", "gemini", "anthropic")
"""A chain (`openai>local`) is read left to right; each name must be one that is built in."""


class Settings(ServiceSettings):
    """The service's settings, read once at start."""

    SERVICE: ClassVar[str] = "ai"

    ai_async: bool = False
    ai_test_open: bool = False
    ai_provider: str = "local"
    openai_api_key: SecretStr = SecretStr("")
    openai_base_url: str = ""
    openai_model: str = "gpt-5.5"
    gemini_api_key: SecretStr = SecretStr("")
    gemini_base_url: str = ""
    gemini_model: str = "gemini-3.8-flash"
    anthropic_api_key: SecretStr = SecretStr("")
    anthropic_base_url: str = ""
    anthropic_model: str = "claude-sonnet-5-5"
    ai_deterministic_sampling: bool = True
    ai_redact_prompts: bool = False
    """A model that sees no names writes worse letters of support; who may not send them to a vendor turns this on."""
    ai_retry_kept_hours: float = Field(default=72.0, gt=0, le=720)
    """Over a weekend; then the words of a failed request are redacted, and it cannot be tried again."""
    ai_max_output_tokens: int = Field(default=8192, ge=256, le=200_000)
    """About 6,000 words: longer than any section that a call asks for; it is what is set aside for each request."""
    ai_max_call_characters: int = Field(default=400_000, ge=0)
    """About 100,000 tokens, which every current model reads; a longer call is planned by the built-in rules."""
    ai_connect_timeout_seconds: float = Field(default=5.0, gt=0, le=60)
    """Twice a lost packet on a slow line; a provider that is there answers in a tenth of a second."""
    ai_first_token_timeout_seconds: float = Field(default=60.0, gt=0, le=280)
    """Until the first words, and between any two: models that think first are silent for up to a minute."""
    ai_call_timeout_seconds: float = Field(default=180.0, gt=0, le=280)
    """One attempt: 8,192 tokens at 50 a second."""
    ai_generation_timeout_seconds: float = Field(default=280.0, gt=0, le=280)
    """All attempts of all providers; a job may take 300 s, and this is the end that can say why."""
    ai_max_attempts: int = Field(default=3, ge=1, le=10)
    """Of each provider: most of what goes away goes away by the third."""
    ai_retry_base_seconds: float = Field(default=0.5, ge=0, le=30)
    ai_retry_max_seconds: float = Field(default=20.0, ge=0, le=120)
    """Somebody is waiting: a provider that wants a longer pause is left for the next one."""
    ai_job_lanes: int = Field(default=16, ge=1, le=200)
    """Jobs at a time in one worker: nearly all of a job's time is waiting for a provider."""
    ai_breaker_failures: int = Field(default=5, ge=1, le=100)
    """In a row, of one process: more than the attempts of one request."""
    ai_breaker_open_seconds: float = Field(default=30.0, gt=0, le=3600)
    """Then one call may try: long enough to be of help to a provider, short enough to be back soon."""
    ai_daily_request_cap_free: int | None = Field(default=None, ge=0)
    ai_daily_request_cap_pro: int | None = Field(default=None, ge=0)
    ai_daily_request_cap_enterprise: int | None = Field(default=None, ge=0)
    ai_monthly_tokens_cap_pro: int | None = Field(default=None, ge=0)
    ai_monthly_tokens_cap_enterprise: int | None = Field(default=None, ge=0)
    section_revision_cap: int = Field(default=5, ge=0)
    answers_max: int = Field(default=2_000, ge=0, le=100_000)
    """For each org: some tens a year of a busy team, for decades; search reads them all."""
    answer_max_characters: int = Field(default=10_000, ge=100, le=10_000)
    """As long as the answer to a planner's question may be: about three pages."""

    @model_validator(mode="after")
    def _check_provider(self) -> Settings:
        chain = self.provider_chain
        for name in chain:
            if name not in KNOWN_PROVIDERS:
                known = ", ".join(KNOWN_PROVIDERS)
                raise ValueError(f"AI_PROVIDER: {name!r} is not a provider here; known are: {known}")
            if name != "local":
                self._check_access(name)
        if len(set(chain)) != len(chain):
            raise ValueError("AI_PROVIDER: a provider stands in the chain twice")
        if "local" in chain[:-1]:
            raise ValueError("AI_PROVIDER: local never fails, so nothing after it would be asked; put it last")
        if self.ai_test_open and not self.debug:
            raise ValueError("AI_TEST_OPEN: must not be set when DEBUG=0, it would give away the paid plan")
        return self

    def _check_access(self, name: str) -> None:
        key: SecretStr = getattr(self, f"{name}_api_key")
        base_url: str = getattr(self, f"{name}_base_url")
        if not key.get_secret_value() and not base_url:
            prefix = name.upper()
            raise ValueError(f"{prefix}_API_KEY: is needed by AI_PROVIDER={self.ai_provider} (or {prefix}_BASE_URL)")
        if base_url and not base_url.startswith(("http://", "https://")):
            raise ValueError(f"{name.upper()}_BASE_URL: must begin with http:// or https://")

    @property
    def provider_chain(self) -> tuple[str, ...]:
        """The names in AI_PROVIDER, in the order in which they are asked."""
        return tuple(name.strip() for name in self.ai_provider.split(">"))

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
