"""One small HTTP GET without a client library: the supervisor stays light, it only asks who is ready."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True)
class Reply:
    """Status and body; status 0 when nobody answered."""

    status: int
    body: bytes = b""


async def get(port: int, path: str, *, host: str = "127.0.0.1", timeout: float = 2) -> Reply:
    """GET a path on the loopback."""
    try:
        return await asyncio.wait_for(_get(port, path, host), timeout)
    except (OSError, TimeoutError, ValueError, IndexError, EOFError):
        return Reply(0)


async def _get(port: int, path: str, host: str) -> Reply:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
        return Reply(int(head.split(b" ", 2)[1]), body)
    finally:
        writer.close()
