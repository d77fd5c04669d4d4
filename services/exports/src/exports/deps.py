"""What the use cases of exports work with; `bootstrap` builds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from common.health import Dependency
from common.parts import ServiceDeps
from common.storage import ObjectStore
from exports.rendering.process import Renderer
from exports.settings import Settings


@dataclass(frozen=True)
class Deps(ServiceDeps):
    """Built once for a process, and passed to every use case."""

    settings: Settings
    store: ObjectStore
    renderer: Renderer

    @property
    def dependencies(self) -> Sequence[Dependency]:
        """What readiness asks: the object store too."""
        return (*super().dependencies, Dependency("storage", self.store.ping))
