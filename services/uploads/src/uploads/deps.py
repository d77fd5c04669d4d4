"""What the use cases of uploads work with; `bootstrap` builds it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from common.bus import Bus
from common.clock import Clock
from common.db import Database
from common.health import Dependency
from common.storage import ObjectStore
from uploads.extraction import Options
from uploads.inspection import Caps
from uploads.sandbox import Limits
from uploads.scan import Scanner
from uploads.settings import Settings
from uploads.staging import Staging


@dataclass(frozen=True)
class Deps:
    """Built once for a process, and passed to every use case."""

    settings: Settings
    clock: Clock
    db: Database
    bus: Bus
    store: ObjectStore
    staging: Staging
    scanner: Scanner
    inspections: asyncio.Semaphore
    inspection_caps: Caps
    inspection_limits: Limits
    extraction_options: Options
    extraction_limits: Limits

    @property
    def dependencies(self) -> Sequence[Dependency]:
        """What readiness asks. Without NATS writes still commit, so an API without it is ready."""
        return (
            Dependency("postgres", self.db.ping),
            Dependency("storage", self.store.ping),
            Dependency("nats", self.bus.ping, required=False),
        )
