"""Run as a child: reads each service's settings as the service would, and prints the refusals as JSON.

Its input is ``{"billing": {"KEY": "value"}, ..., "edge": {...}}``. A process of its own, because a service's settings
are the service's, which the launcher does not import, and because they read the environment.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any


def _refusal(name: str, env: dict[str, str]) -> str:
    from common.settings import SettingsError, read

    os.environ.clear()
    os.environ.update(env)
    module: Any = importlib.import_module("gateway.edge.settings" if name == "edge" else f"{name}.settings")
    try:
        if name == "edge":
            return _edge(module)
        read(module.Settings)
    except SettingsError as error:
        return str(error)
    return ""


def _edge(module: Any) -> str:
    from pydantic import ValidationError

    try:
        module.EdgeSettings()
    except ValidationError as error:
        first = error.errors()[0]
        key = "_".join(str(part) for part in first["loc"]).upper()
        message = first["msg"].removeprefix("Value error, ")
        return f"{key}: {message}" if key else message
    return ""


def main() -> int:
    """One line of JSON: what each of them refuses, empty where nothing."""
    asked = json.load(sys.stdin)
    json.dump({name: _refusal(name, env) for name, env in asked.items()}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
