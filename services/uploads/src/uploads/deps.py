"""What the use cases of uploads work with; `bootstrap` builds it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from common.health import Dependency
from common.parts import ServiceDeps
from common.storage import ObjectStore
from uploads.extraction import Options
from uploads.inspection import Caps
from uploads.sandbox import Limits
from uploads.scan import Scanner
from uploads.settings import Settings
from uploads.staging import Staging


@dataclass(frozen=True)
class Deps(ServiceDeps):
    """Built once for a process, and passed to every use case."""

    settings: Settings
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
        """What readiness asks: the object store too."""
        return (*super().dependencies, Dependency("storage", self.store.ping))
