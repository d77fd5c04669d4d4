"""The rendering child: what it gives, and how it is stopped."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from contracts.exports import Format
from exports.rendering.document import Document, Section
from exports.rendering.errors import RenderInterrupted, RenderRefused
from exports.rendering.process import Limits, Renderer

from .examples import DOCUMENT

LARGE = Document("Large", "Org", (Section("All", "\n\n".join(f"Line **{n}**." for n in range(30_000))),))


class TestRender:
    @pytest.mark.parametrize("file_format", ["md", "pdf", "docx"])
    async def test_gives_the_bytes_and_their_hash(self, file_format: Format) -> None:
        file = await Renderer(Limits(), concurrency=1).render(DOCUMENT, file_format)

        assert hashlib.sha256(file.data).hexdigest() == file.sha256
        assert file.size == len(file.data)

    async def test_refuses_content_with_the_reason(self) -> None:
        deep = Document("Deep", "Org", (Section("One", "> " * 3000 + "x"),))

        with pytest.raises(RenderRefused, match="nests"):
            await Renderer(Limits(), concurrency=1).render(deep, "md")

    async def test_sets_four_hundred_quotes_inside_each_other(self) -> None:
        deep = Document("Deep", "Org", (Section("One", "> " * 400 + "all the way down"),))

        assert b"all the way down" in (await Renderer(Limits(), concurrency=1).render(deep, "md")).data

    async def test_ends_a_child_that_takes_too_long(self) -> None:
        with pytest.raises(RenderInterrupted, match="longer than"):
            await Renderer(Limits(timeout_seconds=0.3), concurrency=1).render(LARGE, "pdf")

        assert not _children()

    async def test_ends_a_child_that_takes_too_much_memory(self) -> None:
        with pytest.raises(RenderInterrupted, match="ended with"):
            await Renderer(Limits(memory_bytes=100 * 1024**2), concurrency=1).render(LARGE, "pdf")

    async def test_leaves_no_child_when_the_caller_goes_away(self) -> None:
        task = asyncio.create_task(Renderer(Limits(), concurrency=1).render(LARGE, "pdf"))
        async with asyncio.timeout(10):
            while not _children():  # noqa: ASYNC110  # the child tells no one that it has started
                await asyncio.sleep(0.01)
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task

        assert not _children()

    async def test_is_not_led_astray_by_the_working_directory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "json.py").write_text("raise SystemExit('not the real json')")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

        assert (await Renderer(Limits(), concurrency=1).render(DOCUMENT, "md")).size


def _children() -> list[str]:
    own = os.getpid()
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and f"PPid:\t{own}\n" in (folder / "status").read_text():
                found += ["render"] if b"exports.rendering" in (folder / "cmdline").read_bytes() else []
        except OSError:
            continue
    return found
