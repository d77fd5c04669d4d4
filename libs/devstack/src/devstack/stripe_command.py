"""``./bidwright stripe trigger NAME``: an event on demand, as the fake Stripe of a running stack tells it.

What the event is about is made or changed in the fake first, so that who asks Stripe for it afterwards finds it so.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from devstack.errors import StackError, UsageError

if TYPE_CHECKING:  # every command reads the arguments of this one; only a trigger needs a client
    import httpx

_ANSWER_SECONDS = 10.0
_DELIVERY_SECONDS = 15.0  # a delivery that was refused is tried again after 0.5 s, 1 s, 2 s, 4 s
_FIELDS = ("subscription", "customer", "price", "quantity", "amount", "email")
_DONE = {"delivered", "failed", "dropped"}


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The arguments after ``stripe``."""
    command.add_argument("action", choices=["trigger"], help="what to do")
    command.add_argument("name", nargs="?", metavar="NAME", help="the event's type; without it, the names are listed")
    command.add_argument(
        "--org", action="append", metavar="ORG_ID", help="whose it is; given again, the next org's too"
    )
    command.add_argument("--subscription", metavar="SUB_ID", help="which one, other than the newest that lives")
    command.add_argument("--customer", metavar="CUS_ID", help="whose it is, by Stripe's id")
    command.add_argument("--price", metavar="PRICE_ID", help="what is bought, or changed to")
    command.add_argument("--quantity", metavar="SEATS", help="how many")
    command.add_argument("--amount", metavar="CENTS", help="how much of a payment is given back")
    command.add_argument("--email", metavar="ADDRESS", help="of a buyer who has to be made first")


def run(arguments: argparse.Namespace, running_env: Callable[[], dict[str, str]]) -> int:
    """Trigger, say what was told and whether it was taken; exit 1 when something was not."""
    import httpx

    from stripe_fake.triggers import TRIGGERS

    name = arguments.name
    if name is None:
        print("\n".join(sorted(TRIGGERS)))
        return 0
    if name not in TRIGGERS:
        raise UsageError(f"unknown event {name!r}: ./bidwright stripe trigger lists those that can be triggered")
    fake = running_env().get("STRIPE_FAKE_URL")
    if not fake:
        raise StackError("this stack uses Stripe itself: start it without STRIPE_SECRET_KEY to have the fake")
    body = {key: getattr(arguments, key) for key in _FIELDS if getattr(arguments, key) is not None}
    taken = True
    with httpx.Client(base_url=fake, timeout=_ANSWER_SECONDS, trust_env=False) as http:
        for org in arguments.org or [None]:
            told = _call(http, "POST", f"/_fake/trigger/{name}", {**body, **({"org": org} if org else {})})["events"]
            taken = _report(http, told) and taken
    return 0 if taken else 1


def _call(http: httpx.Client, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    import httpx

    try:
        reply = http.request(method, path, json=body)
    except httpx.HTTPError as problem:
        raise StackError(f"the fake Stripe does not answer: {problem}") from problem
    answer: dict[str, Any] = reply.json() if "json" in reply.headers.get("Content-Type", "") else {}
    if reply.status_code != 200:
        raise StackError(str(answer.get("error", {}).get("message", f"the fake Stripe answered {reply.status_code}")))
    return answer


def _report(http: httpx.Client, told: list[dict[str, Any]]) -> bool:
    """Wait until every event was delivered or given up, and print a line for each."""
    width = max((len(event["type"]) for event in told), default=0)
    deadline = time.monotonic() + _DELIVERY_SECONDS
    rows: dict[str, list[dict[str, Any]]] = {event["id"]: [] for event in told}
    while True:
        for event_id in rows:
            rows[event_id] = []
        for row in _call(http, "GET", "/_fake/deliveries")["items"]:
            if row["event_id"] in rows:
                rows[row["event_id"]].append(row)
        statuses = {row["status"] for kept in rows.values() for row in kept}
        if statuses <= _DONE or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    for event in told:
        how = [_how(row) for row in rows[event["id"]]] or ["sent nowhere"]
        print(f"{event['type']:<{width}}  {event['id']}  {', '.join(how)}")
    return statuses <= _DONE - {"failed"}


def _how(row: dict[str, Any]) -> str:
    if row["status"] == "dropped":
        return "dropped on demand"
    answer = row["response_status"] or row["error"] or "not sent yet"
    return str(answer) if row["attempts"] < 2 else f"{answer} at try {row['attempts']}"
