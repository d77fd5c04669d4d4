"""Every setting that a process reads is on the page, with its default, and `./bidwright up` takes it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from contracts import SERVICES
from devstack.options import is_known

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
CHOSEN_BY_THE_LAUNCHER = {"HOST", "PORT", "IDENTITY_JWKS_URL", "CLOCK_FILE", "MAILBOX_DIR", "WEB_DIST"}
CHOSEN_BY_THE_LAUNCHER |= {"ENVOY_ADMIN_HOST", "ENVOY_ADMIN_PORT"}
NOT_KEYS = {"UPSTREAMS"}


def fields() -> dict[str, Any]:
    """Every key with its default."""
    classes = [importlib.import_module(f"{service}.settings").Settings for service in SERVICES]
    classes.append(importlib.import_module("gateway.edge.settings").EdgeSettings)
    found = {name.upper(): field.default for one in classes for name, field in one.model_fields.items()}
    return {key: default for key, default in found.items() if key not in NOT_KEYS}


def rows() -> dict[str, str]:
    """The page's keys with what it says of their default."""
    found = {}
    for keys, default in re.findall(r"^\| ([A-Z][A-Z0-9_, *]+) \| (.*?) \|", PAGE, re.MULTILINE):
        names = keys.split(", ")
        values = default.split(", ") if len(default.split(", ")) == len(names) else [default] * len(names)
        found |= dict(zip(names, values, strict=True))
    return found


@pytest.mark.parametrize(("key", "default"), sorted(fields().items()), ids=lambda value: str(value))
class TestEverySetting:
    def test_is_on_the_page_with_its_default(self, key: str, default: Any) -> None:
        assert key in rows()
        if isinstance(default, SecretStr):
            default = default.get_secret_value()
        if isinstance(default, bool):
            default = int(default)
        if isinstance(default, int | float) or (isinstance(default, str) and default):
            assert rows()[key] == (f"{default:g}" if isinstance(default, float) else str(default)), key
        elif default is PydanticUndefined:
            assert rows()[key] == "none", key

    def test_is_taken_by_the_launcher(self, key: str, default: Any) -> None:
        del default
        assert is_known(key) or key in CHOSEN_BY_THE_LAUNCHER
