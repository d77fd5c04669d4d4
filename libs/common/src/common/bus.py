"""The connection to NATS: one user for each service, which may publish only what is its own.

A service runs without NATS: writes commit, the outbox keeps their messages, and the relay sends them when it is back.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from common.telemetry import get_logger

EVENTS_STREAM: Final = "EVENTS"
JOBS_STREAM: Final = "JOBS"
DEAD_LETTERS_STREAM: Final = "DEAD_LETTERS"
REPLAY: Final = "replay"
"""`replay.<service>.<subject>` of the EVENTS stream: a dead letter that an operator hands to that service once more."""
IGNORED: Final = "ignored"
"""`ignored.<service>.<subject>` of the DEAD_LETTERS stream: a dead letter of which an operator said that it may be."""
CONNECT_TIMEOUT_SECONDS: Final = 3
RECONNECT_WAIT_SECONDS: Final = 0.5
PUBLISH_TIMEOUT_SECONDS: Final = 5.0
MAX_PENDING_PUBLISHES: Final = 1000

log = get_logger()


class Bus:
    """NATS and JetStream for one service.

    Args:
        url: `nats://user:password@host:port`; several, comma separated, for a cluster.
        service: names the poke subject and the inboxes.
    """

    def __init__(self, url: str, *, service: str, tls: ssl.SSLContext | None = None) -> None:
        self.service = service
        self._urls = [part.strip() for part in url.split(",")]
        self._tls = tls
        self._client: Client | None = None
        self._js: JetStreamContext | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def client(self) -> Client:
        """The core connection; raises NatsError when it was never made."""
        if self._client is None:
            raise NatsError("not connected to NATS")
        return self._client

    @property
    def js(self) -> JetStreamContext:
        """JetStream; raises NatsError when not connected."""
        if self._js is None:
            raise NatsError("not connected to NATS")
        return self._js

    async def connect(self) -> None:
        """Connects, and from then on reconnects for ever. Raises when the first attempt fails."""

        async def on_error(error: Exception) -> None:
            log.warning("nats.error", error=str(error) or type(error).__name__)

        async def on_disconnect() -> None:
            if not self._closing:
                log.warning("nats.disconnected")

        async def on_reconnect() -> None:
            log.info("nats.reconnected")

        options: dict[str, Any] = {"tls": self._tls} if self._tls else {}
        client = await nats.connect(
            self._urls,
            name=f"bidwright-{self.service}",
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            reconnect_time_wait=RECONNECT_WAIT_SECONDS,
            max_reconnect_attempts=-1,
            allow_reconnect=True,
            error_cb=on_error,
            disconnected_cb=on_disconnect,
            reconnected_cb=on_reconnect,
            inbox_prefix=f"_INBOX_{self.service}",
            **options,
        )
        self._client = client
        self._js = client.jetstream(timeout=PUBLISH_TIMEOUT_SECONDS, publish_async_max_pending=MAX_PENDING_PUBLISHES)

    def connect_in_background(self) -> None:
        """Keeps trying to connect without holding up the start; for an API that works without NATS."""

        async def keep_trying() -> None:
            while self._client is None:
                try:
                    await self.connect()
                except (NatsError, OSError, TimeoutError) as error:
                    log.warning("nats.unreachable", error=str(error) or type(error).__name__)
                    await asyncio.sleep(RECONNECT_WAIT_SECONDS)

        if self._connecting is None:  # the worker and the bootstrap may both ask
            self._connecting = asyncio.create_task(keep_trying())

    async def poke(self) -> None:
        """Tells this service's relay that the outbox has something. Never raises: the relay also polls."""
        await self.hint(f"poke.{self.service}")

    async def hint(self, subject: str, payload: bytes = b"") -> None:
        """Sends a hint over core NATS (`live.<service>...`) without asking whether it went out. Never raises: whoever
        waits for it also polls."""
        if self._client is None or not self._client.is_connected:
            return
        try:
            await self._client.publish(subject, payload)
        except (NatsError, OSError, TimeoutError):
            log.debug("nats.notify_failed", subject=subject)

    async def notify(self, subject: str, payload: bytes = b"") -> None:
        """As `hint`, and comes back when the server has it, or after a second."""
        await self.hint(subject, payload)
        if self._client is None or not self._client.is_connected:
            return
        try:
            await self._client.flush(timeout=1)
        except (NatsError, OSError, TimeoutError):
            log.debug("nats.notify_failed", subject=subject)

    async def on_notify(self, subject: str, wake: Callable[[], None]) -> bool:
        """Calls `wake` for each hint on the subject; returns False while there is no connection to listen on."""
        return await self.on_hint(subject, lambda _payload: wake())

    async def on_hint(self, subject: str, hear: Callable[[bytes], None]) -> bool:
        """Calls `hear` with the payload of each hint; returns False while there is no connection to listen on."""
        return await self._subscribe(subject, hear) is not None

    @asynccontextmanager
    async def hints(self, subject: str, hear: Callable[[bytes], None]) -> AsyncIterator[bool]:
        """Calls `hear` as long as this lasts, from before it begins: what was done before that can be looked up, what
        comes after is heard. Yields whether there is a connection to listen on."""
        subscription: Subscription | None = None
        heard = False
        try:
            subscription = await self._subscribe(subject, hear)
            if subscription is not None:
                await self.client.flush(timeout=1)
                heard = True
        except (NatsError, OSError, TimeoutError):
            log.debug("nats.not_heard", subject=subject)
        try:
            yield heard
        finally:
            if subscription is not None:
                with suppress(NatsError, OSError, TimeoutError):
                    await subscription.unsubscribe()

    async def _subscribe(self, subject: str, hear: Callable[[bytes], None]) -> Subscription | None:
        if self._client is None:
            return None

        async def on_message(message: Msg) -> None:
            hear(message.data)

        return await self._client.subscribe(subject, cb=on_message)

    async def dead_letter(self, message: Msg, *, reason: str, detail: str) -> None:
        """Keeps a message that cannot be handled, with why, for `bidwright events dead`."""
        headers = dict(message.headers or {})
        message_id = headers.pop("Nats-Msg-Id", headers.get("ce-id", ""))
        subject = message.subject.removeprefix(f"{REPLAY}.{self.service}.")
        await self.js.publish(
            f"dead.{self.service}.{subject}",
            message.data,
            headers={
                **headers,
                "Nats-Msg-Id": f"{self.service}:{message_id}:{message.metadata.sequence.stream}",
                "bidwright-original-subject": subject,
                "bidwright-consumer": self.service,
                "bidwright-reason": reason,
                "bidwright-detail": " ".join(detail.split())[:500],
            },
        )

    async def count_dead_letters(self) -> int:
        """How many of this service's dead letters wait. Raises NatsError."""
        info = await self.js.stream_info(DEAD_LETTERS_STREAM, subjects_filter=f"dead.{self.service}.>")
        return sum((info.state.subjects or {}).values())

    async def ping(self) -> None:
        """Raises when NATS does not answer within a second."""
        if not self.client.is_connected:
            raise NatsError("not connected to NATS")
        await self.client.flush(timeout=1)

    async def close(self) -> None:
        """Flushes and closes; does not wait for a server that is away."""
        self._closing = True
        if self._connecting is not None:
            self._connecting.cancel()
        if self._client is not None and not self._client.is_closed:
            await self._client.close()
