"""`python -m gateway.edge --output FILE`: writes Envoy's configuration from the environment."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from pydantic import ValidationError

from gateway.edge.config import render
from gateway.edge.settings import EdgeSettings

EXIT_BAD_SETTING = 2


def main(argv: list[str] | None = None) -> int:
    """Renders to a file (replaced in one step) or to standard output; a bad setting is one line and exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m gateway.edge", description=__doc__)
    parser.add_argument("--output", type=Path, help="the file to write; without it, standard output")
    arguments = parser.parse_args(argv)
    try:
        settings = EdgeSettings()
    except ValidationError as error:
        first = error.errors()[0]
        key = "_".join(str(part) for part in first["loc"]).upper()
        message = first["msg"].removeprefix("Value error, ")
        sys.stderr.write(f"edge: {key + ': ' if key else ''}{message}\n")
        return EXIT_BAD_SETTING
    text = json.dumps(render(settings), indent=2) + "\n"
    if arguments.output is None:
        sys.stdout.write(text)
        return 0
    scratch = arguments.output.with_name(arguments.output.name + ".new")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(arguments.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
