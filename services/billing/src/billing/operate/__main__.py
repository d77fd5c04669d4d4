"""`python -m billing.operate events list|show|replay|ignore` and `reconcile`; see `--help`.

Needs the environment of billing's worker, whose database role sees the webhooks. Exit code 0 when done, 1 when
something needs a look (see the output), 2 for a wrong argument or setting.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from billing.bootstrap import open_deps
from billing.errors import BillingUnavailable
from billing.operate import compare, events
from billing.settings import Settings
from common.ids import parse_id
from common.settings import load
from common.telemetry import configure_logging


def _parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="billing", description="Stripe's events, and the comparison with Stripe.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    about = commands.add_parser("events", help="the webhooks that were received").add_subparsers(
        dest="action", required=True, metavar="ACTION"
    )
    listing = about.add_parser("list", help="the latest first")
    listing.add_argument("--state", choices=("waiting", "parked", "applied", "ignored"))
    listing.add_argument("--type", help="of this type alone, as invoice.paid")
    listing.add_argument("--limit", type=int, default=50, help="so many at most (default 50)")
    listing.add_argument("--json", action="store_true")
    show = about.add_parser("show", help="one event, with its body")
    show.add_argument("id")
    replay = about.add_parser("replay", help="apply again; one that was applied before changes nothing")
    which = replay.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?")
    which.add_argument("--parked", action="store_true", help="every event that is parked")
    replay.add_argument("--dry-run", action="store_true", help="only print what would change")
    ignore = about.add_parser("ignore", help="have a parked event count as seen; it changes nothing")
    ignore.add_argument("id")
    reconcile = commands.add_parser("reconcile", help="compare with Stripe, and set right what differs")
    reconcile.add_argument("--org", metavar="ID", help="one organisation alone")
    reconcile.add_argument("--dry-run", action="store_true", help="only print what would change")
    return top


async def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    async with open_deps(settings) as deps:
        if arguments.command == "reconcile":
            org_id = parse_id(arguments.org) if arguments.org else None
            if arguments.org and org_id is None:
                print(f"billing: {arguments.org!r} is no organisation's id", file=sys.stderr)  # noqa: T201
                return 2
            return await compare.reconcile(deps, org_id, dry_run=arguments.dry_run)
        if arguments.action == "list":
            return await events.show_list(
                deps, state=arguments.state, event_type=arguments.type, limit=arguments.limit, as_json=arguments.json
            )
        if arguments.action == "show":
            return await events.show(deps, arguments.id)
        if arguments.action == "ignore":
            return await events.ignore(deps, arguments.id)
        if arguments.parked:
            return await events.replay_parked(deps, dry_run=arguments.dry_run)
        return await events.replay(deps, [arguments.id], dry_run=arguments.dry_run)


def main(argv: list[str]) -> int:
    """Runs one command; returns its exit code."""
    arguments = _parser().parse_args(argv)
    settings = load(Settings)
    configure_logging("billing", "error", "console")
    try:
        return asyncio.run(_run(arguments, settings))
    except BillingUnavailable as error:
        print(f"billing: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except BrokenPipeError:  # its reader, as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
