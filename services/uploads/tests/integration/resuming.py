"""A client of the resumable path, a line that breaks, and an API that can be killed."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.algorithms import OKPAlgorithm

from common.ids import new_id

PATH = "/api/uploads/resumable"
CHUNK = "application/offset+octet-stream"
TUS = {"Tus-Resumable": "1.0.0"}
SIZE = 6_000_000


def words(size: int = SIZE) -> bytes:
    """Text of this size that no two tests share."""
    line = f"{new_id()} is what this line says, over and over.\n".encode()
    return (line * (size // len(line) + 1))[:size]


def meta(**fields: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in fields.items())


async def create(caller: Any, length: int, filename: str = "a.txt", **fields: str) -> httpx.Response:
    headers = {
        **caller.headers,
        **TUS,
        "Upload-Length": str(length),
        "Upload-Metadata": meta(filename=filename, **fields),
    }
    answer: httpx.Response = await caller.http.post(PATH, headers=headers)
    return answer


async def begin(caller: Any, length: int, filename: str = "a.txt", **fields: str) -> str:
    answer = await create(caller, length, filename, **fields)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


async def offset_of(caller: Any, at: str) -> int:
    answer = await caller.http.head(at, headers={**caller.headers, **TUS})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return int(answer.headers["upload-offset"])


async def append(caller: Any, at: str, data: bytes, offset: int, **headers: str) -> httpx.Response:
    sent = {**caller.headers, **TUS, "Content-Type": CHUNK, "Upload-Offset": str(offset), **headers}
    answer: httpx.Response = await caller.http.patch(at, headers=sent, content=data)
    return answer


async def complete(caller: Any, at: str) -> httpx.Response:
    answer: httpx.Response = await caller.http.post(f"{at}/complete", headers=caller.headers)
    return answer


class BreakingLine:
    """A proxy between a client and the API that cuts each connection after so many bytes of request."""

    def __init__(self, port: int, cut_after: Callable[[], int | None]) -> None:
        self._target, self._cut_after = port, cut_after
        self.cuts = 0

    async def __aenter__(self) -> BreakingLine:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
        left = self._cut_after()

        async def forward() -> None:
            nonlocal left
            while data := await reader.read(65536):
                if left is not None:
                    data, left = data[:left], left - len(data)
                up_writer.write(data)
                await up_writer.drain()
                if left is not None and left <= 0:
                    self.cuts += 1
                    return

        async def back() -> None:
            while data := await up_reader.read(65536):
                writer.write(data)
                await writer.drain()

        tasks = [asyncio.ensure_future(forward()), asyncio.ensure_future(back())]
        with contextlib.suppress(ConnectionError):
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        for end in (writer, up_writer):
            end.close()
        await asyncio.gather(*tasks, return_exceptions=True)


class KillableApi:
    """The API as a process of its own, to be killed and started again on the same port."""

    def __init__(self, env: Mapping[str, str], port: int) -> None:
        self._env = {**env, "PORT": str(port)}
        self.port = port

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "uploads.main", "api"),
            env=self._env,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    return

    async def kill(self) -> None:
        self._process.kill()
        await self._process.wait()


@contextlib.asynccontextmanager
async def published(keys: Mapping[str, Ed25519PublicKey]) -> AsyncIterator[str]:
    """The address of these keys, as the gateway publishes its own."""
    listed = [OKPAlgorithm.to_jwk(key, as_dict=True) | {"kid": name, "alg": "EdDSA"} for name, key in keys.items()]
    body = json.dumps({"keys": listed}).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        lines = (
            "HTTP/1.1 200 OK",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "Connection: close",
        )
        writer.write("\r\n".join((*lines, "", "")).encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def send_slowly(
    port: int, caller: Any, at: str, data: bytes, offset: int, sent: Callable[[int], Awaitable[None]]
) -> None:
    """Appends in small steps and says after each how much has gone; ends when the other side is gone."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = {
        **caller.headers, **TUS, "Host": "test", "Content-Type": CHUNK,
        "Upload-Offset": str(offset), "Content-Length": str(len(data) - offset),
    }  # fmt: skip
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with contextlib.suppress(ConnectionError):
        writer.write(f"PATCH {at} HTTP/1.1\r\n{head}\r\n".encode())
        for start in range(offset, len(data), 100_000):
            writer.write(data[start : start + 100_000])
            await writer.drain()
            await asyncio.sleep(0.05)  # or all of it would lie in the sockets when the other side dies
            await sent(min(start + 100_000, len(data)))
    writer.close()


def problem(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.text)
    return body
