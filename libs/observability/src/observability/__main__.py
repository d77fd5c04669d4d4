"""`python -m observability`: writes rules, their unit tests and dashboards; with `--check` says what would change."""

from __future__ import annotations

import argparse
import sys

from observability.files import stale, write


def main(argv: list[str] | None = None) -> int:
    """0 when all is written, or with `--check` when nothing would change."""
    parser = argparse.ArgumentParser(prog="python -m observability", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 when a file is not what it would be"
    )
    if not parser.parse_args(argv).check:
        write()
        return 0
    found = stale()
    sys.stdout.write("".join(f"{path}: run python -m observability\n" for path in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
