"""`python -m gateway.edge --output FILE`: writes Envoy's configuration from the environment."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gateway.edge import tls
from gateway.edge.config import render
from gateway.edge.settings import EdgeSettings

EXIT_BAD_SETTING = 2


def main(argv: list[str] | None = None) -> int:
    """Renders to a file (replaced in one step) or to standard output; a bad setting is one line and exit code 2.

    With a certificate a second file is written beside the first: the one that Envoy reads the certificate by.
    """
    parser = argparse.ArgumentParser(prog="python -m gateway.edge", description=__doc__)
    parser.add_argument("--output", type=Path, help="the file to write; without it, standard output")
    arguments = parser.parse_args(argv)
    try:
        settings = EdgeSettings()
        tls.check(settings)
    except ValueError as error:
        return _refuse(error)
    if settings.tls and arguments.output is None:
        parser.error("with a certificate, --output is needed: a second file is written beside it")
    secrets = (arguments.output or Path()).absolute().with_name(tls.CERTIFICATE_FILE)
    document = render(settings, secrets=secrets)
    if arguments.output is None:
        sys.stdout.write(_json(document))
        return 0
    if settings.tls:
        _replace(secrets, _json(tls.secret(settings)))
    _replace(arguments.output, _json(document))
    return 0


def _refuse(error: ValueError) -> int:
    message = str(error)
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        key = "_".join(str(part) for part in first["loc"]).upper()
        message = (f"{key}: " if key else "") + first["msg"].removeprefix("Value error, ")
    sys.stderr.write(f"edge: {message}\n")
    return EXIT_BAD_SETTING


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"


def _replace(file: Path, text: str) -> None:
    scratch = file.with_name(file.name + ".new")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(file)


if __name__ == "__main__":
    sys.exit(main())
