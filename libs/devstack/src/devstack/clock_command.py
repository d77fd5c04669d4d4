"""``./bidwright clock``: moves the time that the rules of every service go by (invites, grace, months, sessions).

For tests and demos: only a stack with DEBUG=1 looks at it. Tokens between the services, leases of jobs and what runs
every so often stay with the machine's time.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from common.clock import parse_duration, read_offset, write_offset
from devstack.data import DataFolder
from devstack.errors import StackError

ACTIONS = "show | advance 3d | reset"


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The arguments after ``clock``."""
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="what time it is for the rules")
    advance = actions.add_parser("advance", help="later by so much, on top of what it is already")
    advance.add_argument("by", type=_duration, metavar="DURATION", help="as 90s, 15m, 1h, 3d")
    reset = actions.add_parser("reset", help="the machine's time again")
    for action in (show, advance, reset):  # it may stand behind them too
        action.add_argument("--data", type=Path, default=argparse.SUPPRESS, metavar="DIR", help="which stack")


def run(data: DataFolder, state: dict[str, Any], arguments: argparse.Namespace) -> int:
    """Move it when told to, and say what time it is. ``state`` is what the running supervisor wrote."""
    settings: dict[str, str] = state["settings"]
    if settings.get("DEBUG", "").lower() not in ("1", "true", "yes", "on"):
        raise StackError("the clock moves only with DEBUG=1: start the stack with ./bidwright up DEBUG=1")
    if arguments.action == "advance":
        write_offset(data.clock, read_offset(data.clock) + arguments.by)
    elif arguments.action == "reset":
        data.clock.unlink(missing_ok=True)
    offset = read_offset(data.clock)
    moved = f"moved by {offset}" if offset else "the machine's time"
    print(f"{datetime.now(UTC) + offset:%Y-%m-%d %H:%M:%S} UTC, {moved}")
    return 0
