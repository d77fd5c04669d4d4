"""`python -m exports.main api|worker|migrate`."""

from __future__ import annotations

import sys

USAGE = "usage: python -m exports.main api|worker|migrate\n"


def main(argv: list[str]) -> int:
    """Runs one process of the service; returns its exit code."""
    match argv:
        case ["api"]:
            return _api()
        case ["worker"]:
            return _worker()
        case ["migrate"]:
            return _migrate()
    sys.stderr.write(USAGE)
    return 2


def _api() -> int:
    from common.health import Health
    from common.serve import serve
    from common.settings import load
    from common.telemetry import configure_logging, configure_tracing
    from exports.app import create_app
    from exports.bootstrap import build
    from exports.settings import Settings

    settings = load(Settings)
    configure_logging(settings.SERVICE, settings.log_level, settings.log_format)
    configure_tracing(settings.SERVICE)
    deps = build(settings)
    health = Health(deps.dependencies)
    return serve(
        lambda: create_app(deps, health=health),
        health=health,
        host=settings.host,
        port=settings.port,
        grace_seconds=settings.shutdown_grace_seconds,
    )


def _worker() -> int:
    import asyncio

    from common.settings import load
    from common.telemetry import configure_logging, configure_tracing
    from exports import worker
    from exports.bootstrap import build
    from exports.settings import Settings

    settings = load(Settings)
    configure_logging(settings.SERVICE, settings.log_level, settings.log_format)
    configure_tracing(settings.SERVICE)
    asyncio.run(worker.run(build(settings)))
    return 0


def _migrate() -> int:
    import os

    from common.migrations import upgrade

    upgrade("exports", os.environ["MIGRATION_DATABASE_URL"])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
