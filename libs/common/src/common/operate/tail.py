"""`events tail`: the facts that services tell each other, as they come."""

from __future__ import annotations

import asyncio
import json
import signal
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from common.bus import EVENTS_STREAM
from common.operate.letters import BATCH, READER_LIFE_SECONDS
from common.operate.output import say, say_json

FETCH_SECONDS: Final = 1.0


def filter_subject(given: str | None) -> str:
    """The stream's subject for what an operator names: nothing, `billing`, `billing.>`, `events.billing.payment.*`."""
    if not given:
        return "events.>"
    subject = given if given == "events" or given.startswith("events.") else f"events.{given}"
    return f"{subject}.>" if len(subject.split(".")) < 4 and not subject.endswith(">") else subject


async def tail(
    js: JetStreamContext,
    *,
    subject: str | None,
    since: timedelta | None,
    event_type: str | None,
    follow: bool,
    as_json: bool,
) -> int:
    """Prints what comes, from `since` ago on, until Ctrl-C; without `follow`, what is there now."""
    # By a handler of our own: a cancelled fetch may call itself timed out, and we would follow on.
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    start = datetime.now(UTC) - since if since is not None else None
    subscription = await js.pull_subscribe(
        filter_subject(subject),
        stream=EVENTS_STREAM,
        config=ConsumerConfig(
            ack_policy=AckPolicy.NONE,
            deliver_policy=DeliverPolicy.BY_START_TIME if start else DeliverPolicy.NEW,
            opt_start_time=start,
            inactive_threshold=READER_LIFE_SECONDS,
            mem_storage=True,
        ),
    )
    try:
        left = (await subscription.consumer_info()).num_pending or 0
        while not stop.is_set() and (follow or left > 0):
            try:
                messages = await subscription.fetch(BATCH if follow else min(BATCH, left), timeout=FETCH_SECONDS)
            except TimeoutError:
                if follow:
                    continue
                break
            for message in messages:
                if event_type in (None, (message.headers or {}).get("ce-type")):
                    _show(message, as_json=as_json)
            left -= len(messages)
    finally:
        await subscription.unsubscribe()
    return 0


def _show(message: Msg, *, as_json: bool) -> None:
    headers = message.headers or {}
    try:
        body: Any = json.loads(message.data)
    except ValueError:
        body = message.data.decode(errors="replace")
    at = message.metadata.timestamp
    if as_json:
        line = {"at": at.isoformat(), "subject": message.subject, "headers": headers, "body": body}
        say_json(line, indent=None)
        return
    known = body if isinstance(body, dict) else {}
    say(
        f"{at:%Y-%m-%d %H:%M:%S}  {message.subject:<40} org {known.get('org_id')}  version {known.get('version')}"
        f"  {headers.get('ce-id')}"
    )
