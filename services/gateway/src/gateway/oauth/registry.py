"""Which providers are set up."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pydantic import SecretStr

from gateway.oauth.domain import ProviderName
from gateway.oauth.providers import Facebook, GitHub, Google, Provider, Registration
from gateway.settings import Settings

Providers = Mapping[str, Provider]

CALLBACK: Final = "/api/auth/oauth/{provider}/callback"


def make_providers(settings: Settings) -> Providers:
    """Those that have an id and a secret."""
    offered: dict[str, Provider] = {}

    def offer(kind: type[Provider], name: ProviderName, client_id: str, secret: SecretStr | None, issuer: str) -> None:
        if client_id and secret is not None and secret.get_secret_value():
            offered[name] = kind(
                Registration(
                    client_id=client_id,
                    client_secret=secret.get_secret_value(),
                    issuer=issuer,
                    redirect_uri=settings.base_url + CALLBACK.format(provider=name),
                    timeout=settings.oauth_timeout_seconds,
                )
            )

    offer(Google, "google", settings.google_client_id, settings.google_client_secret, settings.oauth_google_issuer)
    offer(GitHub, "github", settings.github_client_id, settings.github_client_secret, settings.oauth_github_issuer)
    offer(Facebook, "facebook", settings.facebook_app_id, settings.facebook_app_secret, settings.oauth_facebook_issuer)
    return MappingProxyType(offered)
