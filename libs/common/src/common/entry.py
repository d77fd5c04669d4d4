"""What `python -m <service>.main api | worker | migrate` does; the same for every service."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from starlette.types import ASGIApp

from common.health import Health
from common.settings import EXIT_BAD_SETTING, ServiceSettings, SettingsError, load, lookup
from common.telemetry import configure_logging, configure_tracing, get_logger, shutdown_tracing

S = TypeVar("S", bound=ServiceSettings)


def run(
    argv: list[str],
    *,
    settings_class: type[S],
    api: Callable[[S, Health], ASGIApp],
    worker: Callable[[S], Coroutine[Any, Any, None]],
) -> int:
    """Runs one process of a service and returns its exit code: 0 after a stop signal, 1 after a crash, 2 for a bad
    setting or argument.

    Args:
        argv: `["api"]`, `["worker"]` or `["migrate"]`.
        api: builds the HTTP app; it fills in the health's dependencies when its lifespan opens.
        worker: works until the process is told to stop.
    """
    service = settings_class.SERVICE
    if argv not in (["api"], ["worker"], ["migrate"]):
        sys.stderr.write(f"usage: python -m {service}.main api | worker | migrate\n")
        return EXIT_BAD_SETTING
    if argv == ["migrate"]:
        return _migrate(service)
    settings = load(settings_class)
    configure_logging(service, settings.log_level, settings.log_format)
    configure_tracing(service if argv == ["api"] else f"{service}-worker")
    try:
        if argv == ["api"]:
            return _serve(settings, api)
        return _work(settings, worker)
    finally:
        shutdown_tracing()


def _migrate(service: str) -> int:
    from common.migrations import NewerSchema, upgrade

    key = "MIGRATION_DATABASE_URL"
    try:
        url = lookup(key, service=service)
        if url is None:
            raise SettingsError(f"{service.upper()}_{key}: is not set, and has no default")
        upgrade(service, url)
    except SettingsError as error:
        sys.stderr.write(f"{service}: {error}\n")
        return EXIT_BAD_SETTING
    except NewerSchema as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _serve(settings: S, api: Callable[[S, Health], ASGIApp]) -> int:
    from common.serve import serve

    health = Health()
    return serve(
        lambda: api(settings, health),
        health=health,
        host=settings.host,
        port=settings.port,
        grace_seconds=settings.shutdown_grace_seconds,
        unready_seconds=settings.shutdown_unready_seconds,
    )


def _work(settings: S, worker: Callable[[S], Coroutine[Any, Any, None]]) -> int:
    import uvloop

    try:
        uvloop.run(worker(settings))
    except Exception:  # noqa: BLE001  # the last resort: log it, and let the supervisor see the exit code
        get_logger().exception("worker.crashed")
        return 1
    return 0
