"""The scanners: a program and a daemon; whatever is not a clear 'clean' is a refusal."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from uploads.inspection import Refused
from uploads.scan import ClamdScanner, scanner_for


@asynccontextmanager
async def clamd(reply: bytes | None) -> AsyncIterator[tuple[str, bytearray]]:
    """A daemon that speaks INSTREAM and always gives the same reply (None: hangs up)."""
    seen = bytearray()

    async def on_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
        while length := struct.unpack(">I", await reader.readexactly(4))[0]:
            seen.extend(await reader.readexactly(length))
        if reply is not None:
            writer.write(reply + b"\0")
        writer.close()

    server = await asyncio.start_server(on_connect, "127.0.0.1", 0)
    async with server:
        yield f"clamd://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen


class TestClamd:
    @pytest.mark.parametrize(
        ("reply", "code"),
        [
            (b"stream: OK", None),
            (b"stream: Eicar-Signature FOUND", "infected"),
            (b"INSTREAM size limit exceeded. ERROR", "scan_error"),
            (None, "scan_error"),
        ],
    )
    async def test_the_reply_is_the_verdict(self, tmp_path: Path, reply: bytes | None, code: str | None) -> None:
        path = tmp_path / "file"
        path.write_bytes(b"x" * 150_000)
        async with clamd(reply) as (url, seen):
            scanner = scanner_for(url, 5)
            assert isinstance(scanner, ClamdScanner)
            if code is None:
                await scanner.scan(path)
            else:
                with pytest.raises(Refused) as refused:
                    await scanner.scan(path)
                assert refused.value.code == code
        assert len(seen) == 150_000

    async def test_a_daemon_that_is_away_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(Refused) as refused:
            await scanner_for("clamd://127.0.0.1:1", 5).scan(tmp_path)
        assert refused.value.code == "scan_error"


class TestCommand:
    async def test_a_program_that_is_not_there_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(Refused) as refused:
            await scanner_for("/no/such/scanner {path}", 5).scan(tmp_path)
        assert refused.value.code == "scan_error"

    async def test_it_sees_none_of_our_secrets(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SECRET_KEY", "a-secret")
        seen, script = tmp_path / "seen", tmp_path / "scan.sh"
        script.write_text(f"#!/bin/sh\nenv > {seen}\n")
        script.chmod(0o755)
        await scanner_for(f"{script} {{path}}", 5).scan(tmp_path)
        assert "PATH=" in seen.read_text()
        assert "a-secret" not in seen.read_text()

    async def test_its_children_are_killed_with_it(self, tmp_path: Path) -> None:
        mark = tmp_path / "mark"
        script = tmp_path / "scan.sh"
        script.write_text(f"#!/bin/sh\n(sleep 1; touch {mark}) &\nsleep 30\n")
        script.chmod(0o755)
        with pytest.raises(Refused):
            await scanner_for(f"{script} {{path}}", 0.3).scan(tmp_path)
        await asyncio.sleep(1.2)
        assert not mark.exists()
