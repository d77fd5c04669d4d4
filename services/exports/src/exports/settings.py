"""What the service reads from its environment; see docs of each key in the settings page."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from common.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of the exports service."""

    SERVICE: ClassVar[str] = "exports"

    storage_url: str = "file://.bidwright/objects"

    @property
    def objects_url(self) -> str:
        """Where this service's objects lie: the store may be shared, and the same bytes may be someone's upload too."""
        return f"{self.storage_url.rstrip('/')}/exports"

    exports_async: bool = False
    """1: answer 202 with a job; 0: answer with the finished file."""

    export_wait_seconds: float = Field(default=3.0, ge=0, le=30)
    """How long a request waits for the copy of the proposal to reach what the caller has seen."""

    export_sync_seconds: float = Field(default=30.0, gt=0, le=300)
    """How long a synchronous request waits for its file before it is answered with the job instead."""

    export_verify_max_bytes: int = Field(default=64 * 1024**2, ge=1024)
    """The largest file that may be sent to be verified."""

    export_template_max_bytes: int = Field(default=2 * 1024**2, ge=64 * 1024, le=16 * 1024**2)
    """The largest Word template an org may send. It lies in the database and goes to every rendering."""

    export_retention_days: int = Field(default=0, ge=0)
    """Finished exports are deleted so long after; 0 keeps them as long as their proposal."""

    export_sweep_seconds: float = Field(default=3600.0, ge=1)
    """How often the worker looks for files that no export needs, and exports that are past their time."""

    export_render_timeout_seconds: float = Field(default=60.0, gt=0, le=600)
    """Of wall-clock time for one file."""

    export_render_memory_bytes: int = Field(default=2 * 1024**3, ge=256 * 1024**2)
    """Of address space for one rendering process."""

    export_render_concurrency: int = Field(default=2, ge=1, le=64)
    """Rendering processes at a time, of each API or worker process."""

    quota_storage_bytes_free: int = Field(default=100 * 1024**2, ge=0)
    """The cap of an org whose entitlements have not arrived yet."""
