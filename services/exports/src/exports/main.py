"""`python -m exports.main api | worker | migrate`"""

from __future__ import annotations

import sys

from common import entry
from exports import worker
from exports.app import create_app
from exports.bootstrap import open_deps
from exports.settings import Settings


def main(argv: list[str]) -> int:
    """Runs one of the service's processes; returns its exit code."""
    return entry.run(
        argv,
        settings_class=Settings,
        api=lambda settings, health: create_app(settings, open_deps(settings), health=health),
        worker=worker.run,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
