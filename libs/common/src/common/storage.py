"""The object store: content-addressed bytes of an org, in a local folder or behind the S3 API."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4

CHUNK_BYTES: Final = 256 * 1024
PART_BYTES: Final = 5 * 1024 * 1024
"""The least that S3 takes for a part."""
PARTS_AT_ONCE: Final = 2
"""Of one file, in memory; the library's own twelve would be 60 MB for each upload."""
S3_TIMEOUT: Final = "20s"
S3_CONNECT_TIMEOUT: Final = "3s"
S3_RETRIES: Final = 2
S3_RETRY_SECONDS: Final = 8
"""The library would go on for three minutes, while whoever asks waits. Whoever cannot wait is told to come again."""


class StorageError(Exception):
    """The object store did not do what it was asked; the message says which object."""


class ObjectStore:
    """Bytes by org and SHA-256.

    Args:
        url: `file:///absolute/folder` (or `file://relative/folder`), or `s3://bucket/prefix` with the AWS_* variables
            and, for another provider, S3_ENDPOINT_URL.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._root: Path | None = None
        if parts.scheme == "file":
            self._root = Path(parts.netloc + parts.path).resolve()
        elif parts.scheme != "s3":
            raise ValueError(f"STORAGE_URL: {parts.scheme or url}:// is not known; use file:// or s3://")
        self._url = url
        self._store: Any = None

    @property
    def store(self) -> Any:
        """The obstore store, made on first use (its import is not free)."""
        if self._store is None:
            if self._root is not None:
                from obstore.store import LocalStore

                self._root.mkdir(parents=True, exist_ok=True)
                self._store = LocalStore(self._root, mkdir=True)
            else:
                from obstore.store import S3Store

                options: Any = {"timeout": S3_TIMEOUT, "connect_timeout": S3_CONNECT_TIMEOUT}
                config: Any = {}
                if endpoint := os.environ.get("S3_ENDPOINT_URL"):
                    config["endpoint"] = endpoint
                    options["allow_http"] = endpoint.startswith("http://")
                self._store = S3Store.from_url(
                    self._url,
                    config=config,
                    client_options=options,
                    retry_config={"max_retries": S3_RETRIES, "retry_timeout": timedelta(seconds=S3_RETRY_SECONDS)},
                )
        return self._store

    @staticmethod
    def key(org_id: UUID, sha256: str) -> str:
        """Where an object lies; one org's objects share a prefix, so that erasing it is one sweep."""
        return f"{org_id}/{sha256[:2]}/{sha256}"

    async def put(self, org_id: UUID, sha256: str, source: bytes | Path) -> None:
        """Stores the bytes (or a file's) durably; storing what is there already does nothing. Raises StorageError."""
        if not await self.exists(org_id, sha256):
            await self.put_at(self.key(org_id, sha256), source)

    async def put_at(self, key: str, source: bytes | Path) -> None:
        """Stores bytes durably under a name of the caller's, which begins with an org's id. Raises StorageError."""
        try:
            if (
                self._root is None
                or not isinstance(source, Path)
                or not await asyncio.to_thread(_link, source, self._root / key)
            ):
                await self.store.put_async(key, source, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)
            if self._root is not None:
                await asyncio.to_thread(_sync, self._root / key)
        except Exception as error:
            raise StorageError(f"{key} could not be stored: {error}") from error

    async def exists(self, org_id: UUID, sha256: str) -> bool:
        """Whether the object is there."""
        return await self.size(org_id, sha256) is not None

    async def size(self, org_id: UUID, sha256: str) -> int | None:
        """Its length in bytes, or None when it is not there. Raises StorageError."""
        return await self.size_at(self.key(org_id, sha256))

    async def size_at(self, key: str) -> int | None:
        """The length of the object of this name, or None when it is not there. Raises StorageError."""
        try:
            found = await self.store.head_async(key)
        except FileNotFoundError:
            return None
        except Exception as error:
            raise StorageError(f"{key} could not be looked up: {error}") from error
        return int(found["size"])

    def stream(self, org_id: UUID, sha256: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, not including, `end`. Raises StorageError when they are not there."""
        return self.stream_at(self.key(org_id, sha256), start=start, end=end)

    async def stream_at(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes of the object of this name. Raises StorageError when they are not there."""
        try:
            size = await self.size_at(key)
            if size is None:
                raise StorageError(f"{key} is missing from the object store")
            stop = size if end is None else min(end, size)
            for offset in range(start, stop, CHUNK_BYTES):
                chunk = await self.store.get_range_async(key, start=offset, end=min(offset + CHUNK_BYTES, stop))
                yield bytes(chunk)
        except StorageError:
            raise
        except Exception as error:
            raise StorageError(f"{key} could not be read: {error}") from error

    async def read(self, org_id: UUID, sha256: str) -> bytes:
        """All of the bytes; for what is known to be small. Raises StorageError."""
        return b"".join([chunk async for chunk in self.stream(org_id, sha256)])

    async def delete(self, org_id: UUID, sha256: str) -> None:
        """Removes the object; one that is gone already is fine. Raises StorageError."""
        await self.delete_at(self.key(org_id, sha256))

    async def delete_at(self, key: str) -> None:
        """Removes the object of this name; one that is gone already is fine. Raises StorageError."""
        try:
            await self.store.delete_async(key)
        except FileNotFoundError:
            return
        except Exception as error:
            raise StorageError(f"{key} could not be deleted: {error}") from error

    async def keys(self) -> AsyncIterator[str]:
        """The name of every object. Raises StorageError."""
        try:
            async for batch in self.store.list():
                for item in batch:
                    yield str(item["path"])
        except Exception as error:
            raise StorageError(f"the objects could not be listed: {error}") from error

    async def delete_org(self, org_id: UUID) -> None:
        """Removes everything of an org. Raises StorageError."""
        await self.delete_under(str(org_id))

    async def delete_under(self, prefix: str) -> None:
        """Removes every object below this prefix, and what interrupted writes left among them. Raises StorageError."""
        try:
            if self._root is not None:
                # A listing leaves out half-written files, and empty folders would stay.
                await asyncio.to_thread(_remove_folder, self._root / prefix)
                return
            async for batch in self.store.list(prefix=f"{prefix}/"):
                for item in batch:
                    await self.delete_at(item["path"])
        except StorageError:
            raise
        except Exception as error:
            raise StorageError(f"the objects below {prefix} could not be deleted: {error}") from error

    async def ping(self) -> None:
        """Raises StorageError when the store does not answer."""
        try:
            await self.store.head_async("ping")
        except FileNotFoundError:
            return
        except Exception as error:
            raise StorageError(f"the object store does not answer: {error}") from error


def _link(source: Path, target: Path) -> bool:
    """Puts a file in its place without copying it; False where that cannot be, as on another file system."""
    part = target.with_name(f"{target.name}#{uuid4().hex}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.hardlink_to(source)
    except OSError:
        return False
    try:
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)  # a rename onto the same file leaves its source
    return True


def _remove_folder(folder: Path) -> None:
    """Also while others remove the same, or add to it."""
    for _ in range(3):
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            if not folder.exists():
                return
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
        else:
            return
    raise OSError(f"{folder} could not be emptied")


def _sync(path: Path) -> None:
    """The store renames into place but does not fsync: without this, a power cut could lose an acknowledged file."""
    for target in (path, path.parent):
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
