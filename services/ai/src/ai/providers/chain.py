"""A chain of providers: each is asked in turn, with time-outs, retries and a breaker of its own.

What a listener gets is never a mix of two texts: when an attempt fails after its text has begun, the next one's text
begins with a RESTART. The mark comes with the first words of the new text, so that the old ones stay in sight while
nothing better is there; when no attempt is left they stay, and the call ends with ProviderFailed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, cast

from ai.providers.asking import read_structure, read_text
from ai.providers.breaker import Breaker
from ai.providers.local import LocalProvider
from ai.providers.port import UNAVAILABLE, Mark, Piece, ProviderFailed, ProviderRequest, Structured, StructureRequest, T
from ai.providers.retrying import RetryPolicy
from ai.providers.vendors.port import Vendor, VendorError, Why
from ai.telemetry import PROVIDER_CALLS, PROVIDER_FIRST_TOKEN_SECONDS, PROVIDER_OPEN
from common.telemetry import get_logger

P = TypeVar("P")
Ask = Callable[[Vendor], AsyncGenerator[P, None]]

log = get_logger()


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Seconds.

    Args:
        silence: until the first piece of an answer, and between two of them.
        call: for one attempt.
        whole: for all attempts of all providers together.
    """

    silence: float
    call: float
    whole: float


@dataclass
class Link:
    """A vendor in the chain, with its state in this process."""

    vendor: Vendor
    breaker: Breaker
    is_loaded: bool = False
    loading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def load(self) -> None:
        """Imports the vendor's SDK, away from the loop."""
        if self.is_loaded:
            return
        async with self.loading:
            if not self.is_loaded:
                await asyncio.to_thread(self.vendor.load)
                self.is_loaded = True


class ChainProvider:
    """Asks one vendor after the other; the built-in drafter may stand at the end."""

    def __init__(
        self,
        links: Sequence[Link],
        *,
        last_resort: LocalProvider | None,
        limits: TimeLimits,
        policy: RetryPolicy,
        max_output_tokens: int,
    ) -> None:
        self._links = links
        self._last_resort = last_resort
        self._limits = limits
        self._policy = policy
        self._max_output_tokens = max_output_tokens

    @property
    def model(self) -> str:
        return self._links[0].vendor.model

    @property
    def max_output_tokens(self) -> int | None:
        return self._max_output_tokens

    def count_tokens(self, text: str) -> int:
        return LocalProvider.count_tokens(text)

    async def warm_up(self) -> None:
        """Loads the vendors' SDKs, so that nobody waits for it; a start does not wait for it either."""
        for link in self._links:
            await link.load()

    async def aclose(self) -> None:
        """Closes the vendors' connections."""
        for link in self._links:
            await link.vendor.aclose()

    async def stream(self, request: ProviderRequest) -> AsyncGenerator[Piece, None]:
        has_text = is_void = False
        failures: list[VendorError] = []
        async with contextlib.aclosing(self._answers(lambda vendor: read_text(vendor, request), failures)) as pieces:
            async for piece in pieces:
                if piece is Mark.RESTART:
                    is_void = has_text
                    continue
                if is_void:
                    yield Mark.RESTART
                    is_void = False
                has_text = True
                yield cast(Piece, piece)
                if not isinstance(piece, str):
                    return
        if self._last_resort is None:
            raise _failed(failures)
        if has_text:
            yield Mark.RESTART
        async for piece in self._last_resort.stream(request):
            yield piece

    async def structure(self, request: StructureRequest[T]) -> Structured[T] | None:
        failures: list[VendorError] = []
        async with contextlib.aclosing(
            self._answers(lambda vendor: read_structure(vendor, request), failures)
        ) as pieces:
            async for piece in pieces:
                if isinstance(piece, Structured):
                    return piece
        if self._last_resort is None:
            raise _failed(failures)
        return None

    async def _answers(self, ask: Ask[P], failures: list[VendorError]) -> AsyncGenerator[P | Mark, None]:
        """The pieces of the first attempt that ends well, with a RESTART before each attempt but the first."""
        ends_at = time.monotonic() + self._limits.whole
        is_first = True
        for link in self._links:
            for attempt in range(1, self._policy.attempts + 1):
                if not link.breaker.allows(time.monotonic()):
                    PROVIDER_CALLS.labels(link.vendor.name, "skipped").inc()
                    failures.append(VendorError(Why.SKIPPED))
                    break
                if not is_first:
                    yield Mark.RESTART
                is_first = False
                try:
                    async with contextlib.aclosing(self._attempt(link, ask, ends_at)) as pieces:
                        async for piece in pieces:
                            yield piece
                    return
                except VendorError as error:
                    failures.append(error)
                    if not error.why.may_retry:
                        break
                    pause = self._policy.pause(attempt, error.retry_after)
                    if pause is None or time.monotonic() + pause >= ends_at:
                        break
                    await asyncio.sleep(pause)

    async def _attempt(self, link: Link, ask: Ask[P], ends_at: float) -> AsyncGenerator[P, None]:
        """One call, within its limits; its end is told to the breaker."""
        outcome = "abandoned"
        try:
            await link.load()
            began = time.monotonic()
            until = min(ends_at, began + self._limits.call)
            is_first = True
            async with contextlib.aclosing(ask(link.vendor)) as pieces:
                while True:
                    try:
                        seconds = min(self._limits.silence, until - time.monotonic())
                        async with asyncio.timeout(seconds):
                            piece = await anext(pieces)
                    except StopAsyncIteration:
                        break
                    except TimeoutError:
                        raise VendorError(Why.TIMED_OUT) from None
                    if is_first:
                        PROVIDER_FIRST_TOKEN_SECONDS.labels(link.vendor.name).observe(time.monotonic() - began)
                        is_first = False
                    yield piece
            outcome = "answered"
            link.breaker.succeeded()
        except VendorError as error:
            outcome = error.why.value
            if error.why.counts:
                link.breaker.failed(time.monotonic())
            elif error.why is not Why.SKIPPED:
                link.breaker.succeeded()  # it answered, though not as we wished
            log.warning(
                "ai.provider_failed", provider=link.vendor.name, why=outcome, cause=type(error.__cause__).__name__
            )
            raise
        finally:
            if outcome == "abandoned":
                link.breaker.abandoned()
            PROVIDER_CALLS.labels(link.vendor.name, outcome).inc()
            PROVIDER_OPEN.labels(link.vendor.name).set(link.breaker.is_open(time.monotonic()))


def _failed(failures: Sequence[VendorError]) -> ProviderFailed:
    """What the person reads: the last reason that was about their request, else that nobody answered."""
    about_request = (error.why for error in reversed(failures) if error.why.code != UNAVAILABLE)
    why = next(about_request, Why.UNREACHABLE)
    return ProviderFailed(why.detail, why.code)
