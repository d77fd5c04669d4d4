"""From AI_PROVIDER to a provider."""

from __future__ import annotations

from ai.providers.local import LocalProvider
from ai.providers.port import Provider
from ai.settings import Settings


def make_provider(settings: Settings) -> Provider:
    """The provider that the settings name; they have already refused unknown names."""
    first = settings.ai_provider.split(">")[0].strip()
    if first == "local":
        return LocalProvider()
    raise LookupError(f"no provider is built for {first!r}")
