"""The parts of the stack, and the three servers that everything stands on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from devstack import control, parts
from devstack.doctor import asking
from devstack.doctor.findings import CannotCheck, Finding, Page, error, warning
from devstack.doctor.subject import Subject
from devstack.errors import StackError

STATUS_SECONDS = 6.0
FLAPPING_RESTARTS = 3
FLAPPING_UPTIME_SECONDS = 120
LOCK_WAIT_SECONDS = 5
CONNECTIONS_SHARE = 0.85

_SERVER_PAGES: dict[str, Page] = {
    "postgres": "postgres-down",
    "nats": "nats-down",
    "valkey": "valkey-down",
    "envoy": "edge-down",
}


def part_rows(subject: Subject) -> list[dict[str, Any]]:
    """The supervisor's rows; raises CannotCheck when it does not answer."""
    try:
        answer = control.ask(subject.state["control"], {"op": "status"}, timeout=STATUS_SECONDS)
    except (StackError, OSError, KeyError) as problem:
        raise CannotCheck(str(problem)) from problem
    rows: list[dict[str, Any]] = answer["parts"]
    return rows


def page_of(part: str) -> Page:
    """The page for a part that is down."""
    return _SERVER_PAGES.get(part, "worker-down" if part.endswith("-worker") else "service-down")


def parts_run(subject: Subject) -> Iterator[Finding]:
    """Each part is up, and stays up."""
    for row in part_rows(subject):
        name = row["name"]
        if not row["ready"]:
            state = "answers no more" if row["state"] == "running" else f"is {row['state']}"
            yield error(
                page_of(name),
                f"{name} is down",
                f"{name} {state} (restarted {row['restarts']} times)",
                f"./bidwright logs {name}; ./bidwright restart {name}",
            )
        elif row["restarts"] >= FLAPPING_RESTARTS and row["uptime_s"] < FLAPPING_UPTIME_SECONDS:
            yield warning(
                page_of(name),
                f"{name} restarts again and again",
                f"{row['restarts']} restarts, the last {row['uptime_s']:.0f} s ago",
                f"./bidwright logs {name}",
            )


def postgres(subject: Subject) -> Iterator[Finding]:
    """PostgreSQL answers, and has room for connections."""
    try:
        found = asking.rows(
            subject,
            "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),"
            " current_setting('max_connections')::int",
        )
    except CannotCheck as problem:
        yield error(
            "postgres-down",
            "nothing can be read or saved; requests answer 503",
            str(problem),
            "./bidwright logs postgres; ./bidwright restart postgres",
        )
        return
    used, most = found[0]
    if used > most * CONNECTIONS_SHARE:
        yield warning(
            "postgres-locks",
            "requests answer 503 now and then",
            f"{used} of {most} connections to PostgreSQL are taken",
            "lower DATABASE_POOL_SIZE, or raise max_connections",
        )


def postgres_locks(subject: Subject) -> Iterator[Finding]:
    """Nobody waits long for a lock."""
    waiting = asking.rows(
        subject,
        "SELECT waiter.pid, coalesce(waiter.relation::regclass::text, waiter.locktype),"
        " extract(epoch FROM now() - waiter.waitstart)::int, blocker.pid, blocker.usename, blocker.application_name,"
        " blocker.state"
        " FROM pg_locks AS waiter CROSS JOIN LATERAL unnest(pg_blocking_pids(waiter.pid)) AS blocking(pid)"
        " JOIN pg_stat_activity AS blocker ON blocker.pid = blocking.pid"
        " WHERE NOT waiter.granted AND waiter.waitstart < now() - make_interval(secs => %s)"
        " ORDER BY 3 DESC LIMIT 3",
        (LOCK_WAIT_SECONDS,),
    )
    for _, what, seconds, blocker, user, application, state in waiting:
        yield error(
            "postgres-locks",
            "requests hang, then answer 503",
            f"waited for {what} these {seconds} s; process {blocker} of {user} ({application}, {state}) holds it",
            _ending(blocker, user),
        )


def _ending(pid: int, user: str) -> str:
    service, _, kind = user.partition("_")
    if service in parts.SERVICES and kind in ("app", "worker"):
        url = f"{service.upper()}_DATABASE_URL" if kind == "app" else f"{service.upper()}_WORKER_DATABASE_URL"
        return f'psql "${url}" -c "SELECT pg_terminate_backend({pid})" (./bidwright env prints the address)'
    return f"whoever runs it ends it, or the superuser: SELECT pg_terminate_backend({pid})"


def migrations(subject: Subject) -> Iterator[Finding]:
    """Each schema is of the version that this code has."""
    for service in parts.SERVICES:
        folder = subject.root / "services" / service / "src" / service / "migrations" / "versions"
        newest = max((file.name.partition("_")[0] for file in folder.glob("[0-9]*_*.py")), default="")
        found = asking.rows(
            subject,
            "SELECT version_num FROM " + service + ".alembic_version"  # noqa: S608  # a name of our own table
            if _has_versions(subject, service)
            else "SELECT NULL",
        )
        present = found[0][0] if found else None
        if newest and present != newest:
            yield error(
                "migration-stuck",
                f"{service} does not start, or answers 500",
                f"its schema is at {present or 'nothing'}, the code at {newest}",
                "./bidwright restart (it migrates first); ./bidwright logs " + f"{service}-migrate says why it failed",
            )


def _has_versions(subject: Subject, service: str) -> bool:
    return bool(asking.rows(subject, "SELECT to_regclass(%s) IS NOT NULL", (f"{service}.alembic_version",))[0][0])


def nats(subject: Subject) -> Iterator[Finding]:
    """NATS answers and has its streams."""

    async def names(js: Any) -> set[str]:
        return {info.config.name for info in await js.streams_info()}

    try:
        missing = {"EVENTS", "JOBS", "DEAD_LETTERS"} - asking.nats(subject, names)
    except CannotCheck as problem:
        yield error(
            "nats-down",
            "work is saved but nothing follows: tiers, counts and jobs wait",
            str(problem),
            "./bidwright logs nats; ./bidwright restart nats",
        )
        return
    if missing:
        yield error(
            "nats-down",
            "work is saved but nothing follows: tiers, counts and jobs wait",
            f"NATS lacks the streams {', '.join(sorted(missing))}",
            "./bidwright restart (it makes them again)",
        )


def valkey(subject: Subject) -> Iterator[Finding]:
    """Valkey answers."""
    try:
        asking.valkey(subject, lambda client: client.ping())
    except CannotCheck as problem:
        yield error(
            "valkey-down",
            "requests are a little slower; limits hold per gateway process only",
            str(problem),
            "./bidwright logs valkey; ./bidwright restart valkey (nothing is lost)",
        )
