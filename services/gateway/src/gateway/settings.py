"""What the gateway reads from its environment; docs in settings.md."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from common.settings import ServiceSettings
from gateway.decision.signer import load_key
from gateway.edge.settings import comma_list
from gateway.upstreams import Upstreams

IMPLICIT_TLS_PORT: Final = 465


class Settings(ServiceSettings):
    """The gateway's settings: sessions, limits, mail, and where the other services are (for probes and documents)."""

    SERVICE: ClassVar[str] = "gateway"

    redis_url: SecretStr
    jwt_signing_key: SecretStr | None = None
    """Ed25519 private key (PEM). Without it a DEBUG process makes one that lasts as long as it runs."""
    jwt_signing_key_previous: SecretStr | None = None

    allowed_hosts: str = "localhost,127.0.0.1"
    app_hosts: str = ""
    cors_allowed_origins: str = ""

    session_idle_minutes: int = Field(default=1440, ge=1)
    session_max_days: int = Field(default=30, ge=1)

    fresh_sign_in_minutes: int = Field(default=10, ge=1)
    """How long after a sign-in one may change how one signs in."""

    login_rate_per_min: int = Field(default=5, ge=1)
    login_rate_per_min_address: int = Field(default=30, ge=1)
    api_rate_per_min_free: int = Field(default=120, ge=1)
    api_rate_per_min_pro: int = Field(default=600, ge=1)
    api_rate_per_min_enterprise: int = Field(default=3000, ge=1)
    api_rate_per_min_anon: int = Field(default=60, ge=1)
    ai_rate_per_min_free: int = Field(default=0, ge=0)
    """0: the plan gate answers, not the limiter."""
    ai_rate_per_min_pro: int = Field(default=20, ge=1)
    ai_rate_per_min_enterprise: int = Field(default=60, ge=1)
    ai_plan_rate_per_min_free: int = Field(default=5, ge=1)
    ai_enforce_rate_limit_debug: bool = False

    email_host: str = ""
    email_port: int = Field(default=587, ge=1, le=65535)
    email_host_user: str = ""
    email_host_password: SecretStr | None = None
    email_use_tls: bool = True
    """STARTTLS; on port 465 TLS from the first byte."""
    email_use_ssl: bool = False
    """TLS from the first byte, on any port."""
    email_timeout_seconds: float = Field(default=15, gt=0, le=60)
    invite_sender_domain: str = ""
    mailbox_dir: Path = Path(".bidwright/mailbox")
    """Where mail is kept when EMAIL_HOST is empty."""

    google_client_id: str = ""
    google_client_secret: SecretStr | None = None
    github_client_id: str = ""
    github_client_secret: SecretStr | None = None
    facebook_app_id: str = ""
    facebook_app_secret: SecretStr | None = None
    oauth_google_issuer: str = "https://accounts.google.com"
    oauth_github_issuer: str = "https://github.com"
    oauth_facebook_issuer: str = "https://www.facebook.com"
    oauth_timeout_seconds: float = Field(default=10, gt=0, le=60)
    """For all that is asked of a provider in one step of a sign-in."""

    web_dist: Path | None = None
    """The built SPA; without it /app answers 503."""

    upstreams: Upstreams

    @model_validator(mode="after")
    def _check_keys(self) -> Settings:
        if self.jwt_signing_key is None:
            if not self.debug:
                raise ValueError(
                    "JWT_SIGNING_KEY: is not set; make one with `openssl genpkey -algorithm ed25519` and give its PEM "
                    "(or its path in JWT_SIGNING_KEY_FILE)"
                )
        elif self.jwt_signing_key.get_secret_value() == self.secret_key.get_secret_value():
            raise ValueError("JWT_SIGNING_KEY: must differ from SECRET_KEY")
        for key in ("jwt_signing_key", "jwt_signing_key_previous"):
            if (pem := getattr(self, key)) is not None:
                load_key(pem.get_secret_value(), setting=key.upper())
        return self

    @model_validator(mode="after")
    def _check_addresses(self) -> Settings:
        if self.debug:
            return self
        if "*" in comma_list(self.allowed_hosts):
            raise ValueError("ALLOWED_HOSTS: `*` is not allowed when DEBUG=0; name each host")
        if "*" in comma_list(self.cors_allowed_origins):
            raise ValueError("CORS_ALLOWED_ORIGINS: `*` is not allowed when DEBUG=0; name each origin")
        base = urlsplit(self.public_base_url)
        if base.scheme != "https" and base.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("PUBLIC_BASE_URL: must be https when DEBUG=0, unless the host is the loopback")
        return self

    @property
    def https(self) -> bool:
        """Whether browsers reach us by https."""
        return urlsplit(self.public_base_url).scheme == "https"

    @property
    def base_url(self) -> str:
        """The public address without a slash at its end."""
        return self.public_base_url.rstrip("/")

    @property
    def allowed_origins(self) -> frozenset[str]:
        """Origins whose scripts may write with a cookie."""
        base = urlsplit(self.public_base_url)
        return frozenset({f"{base.scheme}://{base.netloc}", *comma_list(self.cors_allowed_origins)})

    @property
    def email_implicit_tls(self) -> bool:
        """Whether the mail server speaks TLS from the first byte."""
        return self.email_use_ssl or (self.email_use_tls and self.email_port == IMPLICIT_TLS_PORT)

    @property
    def hands_out_tokens(self) -> bool:
        """Development only: the register answer carries the token that a mail would."""
        return self.debug and not self.email_host
