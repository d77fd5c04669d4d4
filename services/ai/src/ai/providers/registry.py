"""From AI_PROVIDER to a provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ai.providers.breaker import Breaker
from ai.providers.chain import ChainProvider, Link, TimeLimits
from ai.providers.cleaning import CleanProvider
from ai.providers.local import LocalProvider
from ai.providers.port import Provider
from ai.providers.retrying import RetryPolicy
from ai.providers.vendors.anthropic import AnthropicVendor
from ai.providers.vendors.gemini import GeminiVendor
from ai.providers.vendors.openai import OpenAIVendor
from ai.providers.vendors.port import Options, Vendor
from ai.providers.vendors.veiled import VeiledVendor
from ai.settings import Settings


@asynccontextmanager
async def open_provider(settings: Settings) -> AsyncIterator[Provider]:
    """The provider that the settings name; they have already refused unknown names. SDKs load in the background."""
    vendors: list[Vendor] = [make_vendor(name, settings) for name in settings.provider_chain if name != "local"]
    if settings.ai_redact_prompts:
        vendors = [VeiledVendor(vendor) for vendor in vendors]
    if not vendors:
        yield CleanProvider(LocalProvider())
        return
    chain = ChainProvider(
        [Link(vendor, Breaker(settings.ai_breaker_failures, settings.ai_breaker_open_seconds)) for vendor in vendors],
        last_resort=LocalProvider() if "local" in settings.provider_chain else None,
        limits=TimeLimits(
            silence=settings.ai_first_token_timeout_seconds,
            call=settings.ai_call_timeout_seconds,
            whole=settings.ai_generation_timeout_seconds,
        ),
        policy=RetryPolicy(settings.ai_max_attempts, settings.ai_retry_base_seconds, settings.ai_retry_max_seconds),
        max_output_tokens=settings.ai_max_output_tokens,
    )
    warming_up = asyncio.create_task(chain.warm_up())
    try:
        yield CleanProvider(chain)
    finally:
        warming_up.cancel()
        await asyncio.gather(warming_up, return_exceptions=True)
        await chain.aclose()


def make_vendor(name: str, settings: Settings) -> Vendor:
    """The adapter of a name, which the settings have checked."""
    options = Options(
        connect_seconds=settings.ai_connect_timeout_seconds,
        silence_seconds=settings.ai_first_token_timeout_seconds,
        max_output_tokens=settings.ai_max_output_tokens,
        is_deterministic=settings.ai_deterministic_sampling,
    )
    match name:
        case "openai":
            return OpenAIVendor(
                model=settings.openai_model,
                key=settings.openai_api_key.get_secret_value(),
                base_url=settings.openai_base_url,
                options=options,
            )
        case "gemini":
            return GeminiVendor(
                model=settings.gemini_model,
                key=settings.gemini_api_key.get_secret_value(),
                base_url=settings.gemini_base_url,
                options=options,
            )
        case "anthropic":
            return AnthropicVendor(
                model=settings.anthropic_model,
                key=settings.anthropic_api_key.get_secret_value(),
                base_url=settings.anthropic_base_url,
                options=options,
            )
        case _:
            raise LookupError(f"no provider is built for {name!r}")
