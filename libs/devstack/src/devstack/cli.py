"""The commands behind ``./bidwright``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from devstack import billing_command, clock_command, operate_command, stripe_command
from devstack.errors import StackError, UsageError


class _Parser(argparse.ArgumentParser):
    """Refuses in one line instead of a screen of usage."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(f"{message}; see: ./bidwright {self.prog.partition(' ')[2]} --help".replace("  ", " "))


def _port(text: str) -> int:
    if not text.isdigit() or not 0 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 1 to 65535, or 0 for any free one")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """The command line as contract.md has it."""
    top = _Parser(prog="bidwright", description="Bidwright on this machine, with its real servers.")
    top.add_argument("--root", type=Path, required=True, help=argparse.SUPPRESS)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.add_argument("--data", type=Path, default=None, metavar="DIR", help="which stack (default .bidwright)")
        return made

    up = command("up", "start everything, and stay until Ctrl-C")
    up.add_argument("--port", type=_port, default=8080, help="where the product answers (default 8080; 0: any free)")
    up.add_argument("--detach", action="store_true", help="return when everything is ready")
    up.add_argument("--env", type=Path, metavar="FILE", help="settings, a KEY=VALUE a line")
    up.add_argument("settings", nargs="*", metavar="KEY=VALUE", help="settings; they win over the file's")
    command("down", "stop everything")
    restart = command("restart", "restart a part, or everything")
    restart.add_argument("part", nargs="?")
    status = command("status", "how each part is; exit 1 when one is down")
    status.add_argument("--json", action="store_true")
    logs = command("logs", "what the parts wrote")
    logs.add_argument("part", nargs="?")
    logs.add_argument("-f", "--follow", action="store_true")
    logs.add_argument("-n", "--lines", type=int, default=200, help="the last so many lines of each (default 200)")
    command("env", "the addresses and test secrets of a running stack, as KEY=VALUE")
    command("seed", "a demo: orgs on each tier, people, proposals, uploads")
    mail = command("mail", "the local mailbox")
    mail.add_argument("--json", action="store_true")
    doctor = command("doctor", "the settings, then each symptom of the runbook on the running stack; exit 1 on errors")
    doctor.add_argument("--strict", action="store_true", help="exit 2 on errors")
    doctor.add_argument("--json", action="store_true")
    doctor.add_argument(
        "--env", type=Path, metavar="FILE", help="only check this whole set of settings, before a deploy"
    )
    backup = command("backup", "the database and the objects of a running stack, into a folder")
    backup.add_argument("folder", type=Path, metavar="DIR")
    restore = command("restore", "put a backup into a running stack")
    restore.add_argument("folder", type=Path, metavar="DIR", help="where the backups are, or the dump to restore")
    restore.add_argument("--yes", action="store_true", help="also into a stack that holds data, which is kept aside")
    billing = command("billing", f"Stripe's events and the comparison with Stripe: {billing_command.COMMANDS}")
    billing.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="...", help="billing's own command; try: events --help"
    )
    for name, what in (("jobs", operate_command.JOBS), ("events", operate_command.EVENTS)):
        command(name, f"of every service: {what}").add_argument(
            "words", nargs=argparse.REMAINDER, metavar="...", help="what to do; try: list --help, dead --help"
        )
    clock_command.add_arguments(command("clock", f"DEBUG=1: the time that the rules go by: {clock_command.ACTIONS}"))
    stripe_command.add_arguments(command("stripe", "trigger: an event of the fake Stripe; without a name, a list"))
    web = command("web", "the app with hot reload, in front of a running stack")
    web.add_argument("--port", type=_port, default=5173, help="where it answers (default 5173)")
    test = command(
        "test", "run the tests: lint, unit, integration, contract, e2e, web, browser; all when none is named"
    )
    test.add_argument("names", nargs="*", metavar="NAME", help="a suite; or a file or folder with tests, as tests/e2e")
    command("lock", "write the lock files anew from what the members ask for")
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one command; every expected failure is one line on stderr and an exit code that is not 0."""
    try:
        arguments = parser().parse_args(argv)
        return _run(arguments)
    except StackError as error:
        print(f"bidwright: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        return 130


def _run(arguments: argparse.Namespace) -> int:
    # Imported here: `status` need not load what `test` needs.
    root: Path = arguments.root
    if arguments.command == "lock":
        from devstack import locks

        return locks.write(root)
    if arguments.command == "test":
        from devstack import testing

        return testing.run(root, arguments.names)
    from devstack import commands
    from devstack.data import DataFolder

    data = DataFolder(arguments.data or root / ".bidwright")
    if arguments.command == "up":
        return commands.up(root, data, arguments.port, arguments.env, arguments.settings, detach=arguments.detach)
    if arguments.command == "down":
        return commands.down(data)
    if arguments.command == "restart":
        return commands.restart(data, arguments.part)
    if arguments.command == "status":
        return commands.status(data, as_json=arguments.json)
    if arguments.command == "logs":
        return commands.logs(data, arguments.part, follow=arguments.follow, lines=arguments.lines)
    if arguments.command == "env":
        return commands.env(data)
    if arguments.command == "mail":
        return commands.mail(data, as_json=arguments.json)
    if arguments.command == "billing":
        words, folder = billing_command.split_data(arguments.words)
        data = DataFolder(folder) if folder else data
        return billing_command.run(root, data, commands.running_state(data), words)
    if arguments.command == "clock":
        return clock_command.run(data, commands.running_state(data), arguments)
    if arguments.command in ("jobs", "events"):
        words, folder = billing_command.split_data(arguments.words, arguments.command)
        data = DataFolder(folder) if folder else data
        return operate_command.run(root, data, commands.running_state(data), [arguments.command, *words])
    if arguments.command == "stripe":
        return stripe_command.run(arguments, lambda: commands.running_env(data))
    if arguments.command == "web":
        from devstack import web_command

        return web_command.run(root, data, commands.running_env(data), port=arguments.port)
    if arguments.command == "doctor":
        from devstack.doctor import command as doctor

        return doctor.run(root, data, arguments.env, strict=arguments.strict, as_json=arguments.json)
    if arguments.command == "backup":
        from devstack.backups import backup

        return backup.run(root, data, arguments.folder)
    if arguments.command == "restore":
        from devstack.backups import restore

        return restore.run(root, data, arguments.folder, yes=arguments.yes)
    from devstack import seed

    return seed.run(root, data, commands.running_env(data))


if __name__ == "__main__":
    sys.exit(main())
