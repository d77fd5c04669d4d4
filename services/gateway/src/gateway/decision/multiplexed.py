"""A Valkey client for one kind of work: many small questions at once, each answered within half a second or not at all.

All questions share one connection and are sent together once per turn of the event loop; answers come in order. That
costs a fraction of a pooled connection per question. There is no retry here: who asks has something to fall back on.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections import deque
from typing import Any, Final, cast
from urllib.parse import unquote, urlsplit

import hiredis

ANSWER_TIMEOUT_SECONDS: Final = 0.5
CONNECT_TIMEOUT_SECONDS: Final = 0.25
DEFAULT_PORT: Final = 6379

ReplyError = hiredis.ReplyError


class Script:
    """A Lua script, run by its digest."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()


class Client:
    """Opens its connection when it is first needed, and again after it was lost.

    Args:
        url: redis://, rediss:// (TLS) or unix:// (a socket's path), with user, password and database.
    """

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        if self._parts.scheme not in ("redis", "rediss", "unix"):
            raise ValueError("REDIS_URL: must start with redis://, rediss:// or unix://")
        self._connection: _Connection | None = None
        self._opening: asyncio.Task[_Connection] | None = None

    async def call(self, *words: str) -> Any:
        """One command. Raises OSError or TimeoutError when there is no answer, ReplyError when it is an error."""
        connection = self._connection
        if connection is None or connection.closed:
            connection = await self._open()
        answer = await connection.ask(words)
        if isinstance(answer, ReplyError):
            raise answer
        return answer

    async def run(self, script: Script, keys: tuple[str, ...], args: tuple[str, ...]) -> Any:
        """One script; raises as `call` does."""
        count = str(len(keys))
        try:
            return await self.call("EVALSHA", script.digest, count, *keys, *args)
        except ReplyError as error:
            if not str(error).startswith("NOSCRIPT"):
                raise
            return await self.call("EVAL", script.source, count, *keys, *args)

    async def close(self) -> None:
        """Closes the connection; whoever waits gets an OSError."""
        if self._opening is not None:
            self._opening.cancel()
        if self._connection is not None:
            self._connection.drop(ConnectionError("closed"))

    async def _open(self) -> _Connection:
        # Everyone waits for the same attempt; one waiter's end must not be the others'.
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._connect())
        self._connection = await asyncio.shield(self._opening)
        return self._connection

    async def _connect(self) -> _Connection:
        loop, parts = asyncio.get_running_loop(), self._parts
        async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
            if parts.scheme == "unix":
                _, connection = await loop.create_unix_connection(_Connection, parts.path)
            else:
                tls = ssl.create_default_context() if parts.scheme == "rediss" else None
                host, port = parts.hostname or "localhost", parts.port or DEFAULT_PORT
                _, connection = await loop.create_connection(_Connection, host, port, ssl=tls)
            try:
                for words in self._greeting():
                    answer = await connection.ask(words)
                    if isinstance(answer, ReplyError):
                        raise answer
            except BaseException:  # a cancelled greeting leaves no open connection behind either
                connection.drop(ConnectionError("not let in"))
                raise
        return connection

    def _greeting(self) -> list[tuple[str, ...]]:
        user, password = self._parts.username, self._parts.password
        words: list[tuple[str, ...]] = []
        if password:
            words.append(("AUTH", *((unquote(user),) if user else ()), unquote(password)))
        database = "" if self._parts.scheme == "unix" else self._parts.path.strip("/")
        if database not in ("", "0"):
            words.append(("SELECT", database))
        return words


class _Connection(asyncio.Protocol):
    """Questions out, answers in, in order."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader(encoding="utf-8", errors="replace")
        self._waiting: deque[tuple[asyncio.Future[Any], float]] = deque()
        self._unsent: list[bytes] = []
        self._watch: asyncio.TimerHandle | None = None
        self.closed = False

    def ask(self, words: tuple[str, ...]) -> asyncio.Future[Any]:
        """The answer to come; an error reply is an answer."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if self.closed:
            future.set_exception(ConnectionError("Valkey closed the connection"))
            return future
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(hiredis.pack_command(words))  # type: ignore[arg-type]  # its stub means any length
        self._waiting.append((future, self._loop.time()))
        if self._watch is None:
            self._watch = self._loop.call_later(ANSWER_TIMEOUT_SECONDS, self._check)
        return future

    def drop(self, error: Exception) -> None:
        """Ends the connection; everyone who waits gets the error."""
        self.closed = True
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            self._transport.abort()
        waiting, self._waiting = self._waiting, deque()
        for future, _ in waiting:
            if not future.done():
                future.set_exception(error)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while self._waiting and (answer := self._reader.gets()) is not False:
                future, _ = self._waiting.popleft()
                # One whose asker has gone still has its answer to be read.
                if not future.done():
                    future.set_result(answer)
        except hiredis.ProtocolError as error:
            self.drop(ConnectionError(f"Valkey sent what is no answer: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        self.drop(exc or ConnectionError("Valkey closed the connection"))

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if self._transport is not None and not self.closed:
            self._transport.write(b"".join(unsent))

    def _check(self) -> None:
        """The first in the line has waited longest: one timer watches all."""
        self._watch = None
        if not self._waiting:
            return
        due = self._waiting[0][1] + ANSWER_TIMEOUT_SECONDS
        if due <= self._loop.time():
            # What comes late would answer the wrong question, so the connection ends with it.
            self.drop(TimeoutError("Valkey did not answer in time"))
        else:
            self._watch = self._loop.call_at(due, self._check)
