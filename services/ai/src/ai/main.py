"""`python -m ai.main api | worker | migrate`"""

from __future__ import annotations

import sys

from ai import worker
from ai.app import create_app
from ai.bootstrap import open_deps
from ai.settings import Settings
from common import entry


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
