"""A provider that says what it was told to say; for tests of streams, failures and slow answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from ai.providers.port import Piece, ProviderFailed, ProviderRequest, Structured, StructureRequest, T


class ScriptedProvider:
    """Streams the given deltas, each after a pause, and then fails when it was given a failure."""

    model = "scripted"
    max_output_tokens = None

    def __init__(self, deltas: Sequence[Piece], *, pause_seconds: float = 0.0, failure: str = "") -> None:
        self._deltas = deltas
        self._pause_seconds = pause_seconds
        self._failure = failure

    async def stream(self, request: ProviderRequest) -> AsyncGenerator[Piece, None]:
        for delta in self._deltas:
            await asyncio.sleep(self._pause_seconds)
            yield delta
        if self._failure:
            raise ProviderFailed(self._failure)

    async def structure(self, request: StructureRequest[T]) -> Structured[T] | None:
        del request
        return None

    def count_tokens(self, text: str) -> int:
        return len(text.split())
