"""The object store: content-addressed bytes of an org, in a local folder or behind the S3 API."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

CHUNK_BYTES: Final = 256 * 1024
S3_TIMEOUT: Final = "20s"
S3_CONNECT_TIMEOUT: Final = "3s"


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
                self._store = S3Store.from_url(self._url, config=config, client_options=options)
        return self._store

    @staticmethod
    def key(org_id: UUID, sha256: str) -> str:
        """Where an object lies; one org's objects share a prefix, so that erasing it is one sweep."""
        return f"{org_id}/{sha256[:2]}/{sha256}"

    async def put(self, org_id: UUID, sha256: str, source: bytes | Path) -> None:
        """Stores the bytes (or a file's) durably; storing what is there already does nothing. Raises StorageError."""
        key = self.key(org_id, sha256)
        if await self.exists(org_id, sha256):
            return
        try:
            await self.store.put_async(key, source)
            if self._root is not None:
                await asyncio.to_thread(_sync, self._root / key)
        except Exception as error:
            raise StorageError(f"{key} could not be stored: {error}") from error

    async def exists(self, org_id: UUID, sha256: str) -> bool:
        """Whether the object is there."""
        return await self.size(org_id, sha256) is not None

    async def size(self, org_id: UUID, sha256: str) -> int | None:
        """Its length in bytes, or None when it is not there."""
        try:
            found = await self.store.head_async(self.key(org_id, sha256))
        except FileNotFoundError:
            return None
        except Exception as error:
            raise StorageError(f"{self.key(org_id, sha256)} could not be looked up: {error}") from error
        return int(found["size"])

    async def stream(
        self, org_id: UUID, sha256: str, *, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, not including, `end`. Raises StorageError when they are not there."""
        key = self.key(org_id, sha256)
        try:
            size = await self.size(org_id, sha256)
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
        key = self.key(org_id, sha256)
        try:
            await self.store.delete_async(key)
        except FileNotFoundError:
            return
        except Exception as error:
            raise StorageError(f"{key} could not be deleted: {error}") from error

    async def delete_org(self, org_id: UUID) -> None:
        """Removes everything of an org. Raises StorageError."""
        try:
            async for batch in self.store.list(prefix=f"{org_id}/"):
                for item in batch:
                    await self.store.delete_async(item["path"])
        except FileNotFoundError:
            return
        except Exception as error:
            raise StorageError(f"the objects of {org_id} could not be deleted: {error}") from error

    async def ping(self) -> None:
        """Raises StorageError when the store does not answer."""
        try:
            await self.store.head_async("ping")
        except FileNotFoundError:
            return
        except Exception as error:
            raise StorageError(f"the object store does not answer: {error}") from error


def _sync(path: Path) -> None:
    """The store renames into place but does not fsync: without this, a power cut could lose an acknowledged file."""
    for target in (path, path.parent):
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
