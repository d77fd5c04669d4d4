"""The chain and the vendors' unchanged SDKs, against the fake's process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest

from ai.providers.port import Passage, Piece, Provider, ProviderRequest
from ai.providers.registry import open_provider
from ai.settings import Settings
from ai_fake.testing import FakeProcess
from common.settings import read

VENDORS = ("openai", "gemini", "anthropic")
QUICK = {
    "AI_CONNECT_TIMEOUT_SECONDS": "2",
    "AI_FIRST_TOKEN_TIMEOUT_SECONDS": "8",
    "AI_CALL_TIMEOUT_SECONDS": "10",
    "AI_GENERATION_TIMEOUT_SECONDS": "40",
    "AI_RETRY_BASE_SECONDS": "0.02",
    "AI_RETRY_MAX_SECONDS": "5",
}


def addresses(fake: FakeProcess, chain: str) -> dict[str, str]:
    """The settings of a chain whose vendors are all the fake."""
    return {
        **QUICK,
        "AI_PROVIDER": chain,
        "OPENAI_BASE_URL": f"{fake.url}/v1",
        "OPENAI_MODEL": "gpt-fake",
        "GEMINI_BASE_URL": fake.url,
        "GEMINI_MODEL": "gemini-fake",
        "ANTHROPIC_BASE_URL": fake.url,
        "ANTHROPIC_MODEL": "claude-fake",
    }


def settings_of(**env: str) -> Settings:
    """The service's settings with these keys."""
    base = {
        "SECRET_KEY": "s" * 32,
        "PORT": "0",
        "DATABASE_URL": "postgresql://nowhere/none",
        "NATS_URL": "nats://nowhere",
    }
    with pytest.MonkeyPatch.context() as patch:
        for key, value in {**base, **env}.items():
            patch.setenv(key, value)
        return read(Settings)


@asynccontextmanager
async def chain_of(fake: FakeProcess, chain: str, **env: str) -> AsyncIterator[Provider]:
    """The provider that such settings make."""
    async with open_provider(settings_of(**{**addresses(fake, chain), **env})) as provider:
        yield provider


def request(kind: Literal["write", "revise"] = "write", **changes: Any) -> ProviderRequest:
    """A small request."""
    given: dict[str, Any] = {
        "section_title": "Need",
        "answers": {"who": "Three villages without a well."},
        "passages": [Passage("call", 4, "Applicants must show the need.")],
        "text": "We dig wells." if kind == "revise" else "",
        "instruction": "Make it shorter." if kind == "revise" else "",
    }
    return ProviderRequest(kind=kind, **{**given, **changes})


async def pieces_of(provider: Provider, wish: ProviderRequest | None = None) -> list[Piece]:
    """All that a stream says."""
    return [piece async for piece in provider.stream(wish or request())]
