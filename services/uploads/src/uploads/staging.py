"""Files between the socket and their verdict: hashed on the way, in a folder of their own, gone when refused."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final

from common.ids import new_id
from common.telemetry import get_logger
from uploads.errors import StorageUnavailable

HEAD_BYTES: Final = 4096
_STALE_SECONDS: Final = 3600.0

log = get_logger()


class StagedFile:
    """A file that is being received. Leaving its `async with` removes it; a full disk is StorageUnavailable."""

    def __init__(self, path: Path, buffer_bytes: int) -> None:
        self.path = path
        self.size = 0
        self.head = b""
        self._digest = hashlib.sha256()
        self._buffer = bytearray()
        self._buffer_bytes = buffer_bytes
        self._file: BinaryIO | None = None

    async def __aenter__(self) -> StagedFile:
        try:
            self._file = await asyncio.to_thread(_open_private, self.path)
        except OSError as error:
            raise _unavailable(error) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):  # what could not be written before is tried once more
                self._file.close()
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    @property
    def sha256(self) -> str:
        """Of what was written so far."""
        return self._digest.hexdigest()

    async def write(self, data: bytes) -> None:
        """Adds bytes; a full buffer goes to the disk in a thread."""
        self.size += len(data)
        if len(self.head) < HEAD_BYTES:
            self.head += data[: HEAD_BYTES - len(self.head)]
        self._buffer += data
        if len(self._buffer) >= self._buffer_bytes:
            await self.flush()

    async def flush(self) -> None:
        """Makes everything so far readable at `path`."""
        data, self._buffer = self._buffer, bytearray()
        try:
            await asyncio.to_thread(self._flush, data)
        except OSError as error:
            raise _unavailable(error) from error

    def _flush(self, data: bytearray) -> None:
        if self._file is None:
            raise RuntimeError("the staged file is not open")
        self._digest.update(data)
        self._file.write(data)
        self._file.flush()


class Staging:
    """The folder, and its sweep.

    Args:
        folder: where files are staged.
        objects: the object store, when it is a local folder, to sweep what a kill left of a write into it.
        buffer_bytes: how much of an upload is kept in memory.
    """

    def __init__(self, folder: Path, *, objects: Path | None, buffer_bytes: int) -> None:
        self._folder = folder
        self._objects = objects
        self._buffer_bytes = buffer_bytes

    def new(self) -> StagedFile:
        """A file to write to."""
        return StagedFile(self._folder / new_id().hex, self._buffer_bytes)

    @contextlib.asynccontextmanager
    async def copy(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[Path]:
        """The bytes as a file, for as long as the block runs."""
        async with self.new() as staged:
            async for chunk in chunks:
                await staged.write(chunk)
            await staged.flush()
            yield staged.path

    async def sweep(self) -> int:
        """Removes files that no living upload can still own. Returns how many."""
        return await asyncio.to_thread(self._sweep, time.time() - _STALE_SECONDS)

    async def sweep_object(self, key: str) -> None:
        """Removes what an interrupted write of this object left beside it."""
        if self._objects is not None:
            await asyncio.to_thread(_remove_partial, self._objects / key)

    def _sweep(self, older_than: float) -> int:
        removed = 0
        if not self._folder.is_dir():
            return 0
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < older_than:
                    path.unlink()
                    removed += 1
        return removed


def _unavailable(error: OSError) -> StorageUnavailable:
    log.error("upload.staging_failed", error=str(error))
    return StorageUnavailable()


def _open_private(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path.open("xb")


def _remove_partial(target: Path) -> None:
    """The local store writes to `name#1`, then renames."""
    for path in target.parent.glob(f"{target.name}#*"):
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
