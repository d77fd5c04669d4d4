"""`python -m common.operate jobs list|retry` and `events tail|dead list|show|replay|ignore|rebuild`; see `--help`.

Which addresses it needs, `common.operate.addresses` says. Exit code 0 when done, 1 when something needs a look (see the
output) or a server does not answer, 2 for a wrong argument or setting.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from contextlib import AsyncExitStack

from nats.errors import Error as NatsError
from sqlalchemy.exc import SQLAlchemyError

from common.clock import parse_duration
from common.ids import parse_id
from common.operate import dead, ignoring, jobs, rebuild, tail
from common.operate.addresses import administrator, database_urls, databases
from common.settings import EXIT_BAD_SETTING, SettingsError
from common.telemetry import configure_logging
from contracts import SERVICES

REQUEST_SECONDS = 5.0
WAIT_SECONDS = 15.0


def parser() -> argparse.ArgumentParser:
    """The commands and their arguments."""
    top = argparse.ArgumentParser(prog="operate", description="The jobs and events of every service.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_jobs(commands.add_parser("jobs", help="work that services do aside"))
    _add_events(commands.add_parser("events", help="what services tell each other"))
    return top


def _add_jobs(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the latest first")
    listing.add_argument("--state", choices=jobs.STATES)
    listing.add_argument("--limit", type=_limit, default=50, help="so many at most (default 50)")
    listing.add_argument("--json", action="store_true")
    again = actions.add_parser("retry", help="queue a failed job again, with all its attempts")
    which = again.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?", metavar="ID")
    which.add_argument("--failed", action="store_true", help="every one that failed")
    again.add_argument("--dry-run", action="store_true", help="only print what would be queued")
    for action in (listing, again):
        action.add_argument("--service", choices=SERVICES, help="of this service alone")
        action.add_argument("--kind", help="of this kind alone")


def _add_events(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    follow = actions.add_parser("tail", help="print events as they come")
    follow.add_argument("subject", nargs="?", metavar="SUBJECT", help="as billing, ai.proposal, events.*.user.erased")
    follow.add_argument("--since", type=_duration, metavar="AGE", help="also those since then, as 90s, 15m, 1h, 3d")
    follow.add_argument("--type", help="of this type alone, as bidwright.gateway.org.created.v1")
    follow.add_argument("--no-follow", action="store_true", help="end when everything since then was printed")
    follow.add_argument("--json", action="store_true", help="whole events, a JSON document a line")
    letters = actions.add_parser("dead", help="what a service could not take in").add_subparsers(
        dest="dead", required=True, metavar="ACTION"
    )
    listing = letters.add_parser("list", help="the oldest first")
    listing.add_argument("--json", action="store_true")
    listing.add_argument("--ignored", action="store_true", help="those that were ignored, with who said so and why")
    show = letters.add_parser("show", help="one with its body")
    show.add_argument("id", metavar="ID", help="of the list; or an event's")
    replay = letters.add_parser("replay", help="give it to its service again; one that was applied changes nothing")
    which = replay.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?", metavar="ID", help="of the list; or an event's")
    which.add_argument("--all", action="store_true", help="every one, the oldest first")
    replay.add_argument("--dry-run", action="store_true", help="only print what would be given")
    ignore = letters.add_parser("ignore", help="have its service count one that nobody can mend as seen; it is kept")
    ignore.add_argument("id", metavar="ID", help="of the list; or an event's")
    ignore.add_argument("--reason", type=_reason, required=True, metavar="TEXT", help="is kept with it, for who asks")
    ignore.add_argument("--dry-run", action="store_true", help="only print what would be ignored")
    for action in (listing, replay, ignore):
        action.add_argument("--service", choices=SERVICES, help="of this service alone")
    anew = actions.add_parser("rebuild", help="have services send again what they said, for a stream that lost it")
    anew.add_argument("services", nargs="+", choices=SERVICES, metavar="SERVICE")
    anew.add_argument("--dry-run", action="store_true", help="only print how much that would be")


def _limit(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 10000")
    return int(text)


def _reason(text: str) -> str:
    line = " ".join(text.split())
    if not line or len(line) > ignoring.REASON_CHARACTERS:
        raise argparse.ArgumentTypeError(f"it takes a sentence of {ignoring.REASON_CHARACTERS} characters at most")
    return line


def _duration(text: str) -> object:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


async def _jobs(arguments: argparse.Namespace) -> int:
    async with databases(arguments.service) as opened:
        if arguments.action == "list":
            return await jobs.show_list(
                opened, state=arguments.state, kind=arguments.kind, limit=arguments.limit, as_json=arguments.json
            )
        if arguments.failed:
            return await jobs.retry_failed(opened, kind=arguments.kind, dry_run=arguments.dry_run)
        job_id = parse_id(arguments.id)
        if job_id is None:
            sys.stderr.write(f"operate: {arguments.id!r} is no job's id\n")
            return EXIT_BAD_SETTING
        return await jobs.retry_one(opened, job_id, dry_run=arguments.dry_run)


async def _events(arguments: argparse.Namespace) -> int:
    async with AsyncExitStack() as stack:
        if arguments.action == "rebuild":
            opened = await stack.enter_async_context(databases())
            if missing := [service for service in arguments.services if service not in opened]:
                raise SettingsError(f"{missing[0].upper()}_WORKER_DATABASE_URL: is not set")
            return await rebuild.rebuild(opened, arguments.services, dry_run=arguments.dry_run)
        js = (await stack.enter_async_context(administrator())).jetstream(timeout=REQUEST_SECONDS)
        if arguments.action == "tail":
            return await tail.tail(
                js,
                subject=arguments.subject,
                since=arguments.since,
                event_type=arguments.type,
                follow=not arguments.no_follow,
                as_json=arguments.json,
            )
        if arguments.dead == "list":
            return await dead.show_list(
                js, service=arguments.service, ignored=arguments.ignored, as_json=arguments.json
            )
        if arguments.dead == "show":
            return await dead.show(js, arguments.id)
        rows = await stack.enter_async_context(databases()) if database_urls() else {}
        if arguments.dead == "ignore":
            return await ignoring.ignore(
                js,
                rows,
                given=arguments.id,
                service=arguments.service,
                reason=arguments.reason,
                dry_run=arguments.dry_run,
            )
        return await dead.replay(
            js,
            rows,
            given=arguments.id,
            service=arguments.service,
            dry_run=arguments.dry_run,
            wait_seconds=WAIT_SECONDS,
        )


def main(argv: list[str]) -> int:
    """Runs one command; returns its exit code."""
    arguments = parser().parse_args(argv)
    configure_logging("operate", "error", "console")
    try:
        return asyncio.run(_jobs(arguments) if arguments.command == "jobs" else _events(arguments))
    except SettingsError as error:
        sys.stderr.write(f"operate: {error}\n")
        return EXIT_BAD_SETTING
    except BrokenPipeError:  # its reader, as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (SQLAlchemyError, NatsError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        sys.stderr.write(f"operate: {' '.join(str(cause).split()) or type(cause).__name__}\n")
        return 1
    except KeyboardInterrupt:
        return 0 if getattr(arguments, "action", "") == "tail" else 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
