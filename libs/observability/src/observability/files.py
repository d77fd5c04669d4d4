"""Every generated file, as text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import yaml

from observability import dashboards, rules
from observability.matrix import FOLDER

_HEAD: Final = (
    "# Written by `python -m observability`: change observability/*.yaml or libs/observability, not this file.\n"
)


class _Readable(yaml.SafeDumper):
    """Long texts stay on one line, and those of several lines are blocks."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Readable.add_representer(str, _text)


def _yaml(document: Any) -> str:
    return _HEAD + yaml.dump(document, Dumper=_Readable, sort_keys=False, width=10_000)


def generated() -> dict[Path, str]:
    """What each file must say."""
    boards = {
        FOLDER / "grafana" / "dashboards" / f"{name}.json": json.dumps(board, indent=1, sort_keys=True) + "\n"
        for name, board in dashboards.boards().items()
    }
    return {
        **{FOLDER / "prometheus" / f"{name}.yaml": _yaml(file) for name, file in rules.files().items()},
        **{FOLDER / "prometheus" / f"test_{name}.yaml": _yaml(test) for name, test in rules.unit_tests().items()},
        FOLDER / "kubernetes" / "rules.yaml": _yaml(rules.kubernetes()),
        **boards,
    }


def write() -> None:
    """Writes them all, and removes dashboards that are no longer made."""
    texts = generated()
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for path in left_over():
        path.unlink()


def left_over() -> list[Path]:
    """Dashboards that nothing makes."""
    return [path for path in (FOLDER / "grafana" / "dashboards").glob("*.json") if path not in generated()]


def stale() -> list[Path]:
    """Files that are not what they must be."""
    texts = generated()
    return [path for path, text in texts.items() if not path.exists() or path.read_text() != text] + left_over()
