"""Dead letters, read from their stream: what a service could not take in, and why.

Their id is the place in the stream. One event may be a dead letter of several services, and of one service again after
a replay that failed. One that was ignored is kept beside them, as long as it would have been, with who said so and why.
"""

from __future__ import annotations

import json
import urllib.parse
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import APIError

from common.bus import DEAD_LETTERS_STREAM, IGNORED, REPLAY
from common.ids import parse_id

BATCH: Final = 256
FETCH_SECONDS: Final = 5.0
READER_LIFE_SECONDS: Final = 30.0
"""When NATS forgets a reader that was killed."""
DEAD: Final = "dead"
OURS: Final = "bidwright-"
"""Begins the headers that say why, which are no part of the event."""


@dataclass(frozen=True)
class Letter:
    """One dead letter; a list has them without their bodies."""

    id: int
    service: str
    subject: str
    at: datetime
    headers: dict[str, str]
    data: bytes
    ignored: bool = False

    @property
    def event_id(self) -> UUID | None:
        """The event's own id, when it has a good one."""
        return parse_id(self.headers.get("ce-id", ""))

    @property
    def reason(self) -> str:
        """Why, in a word: unknown_type, invalid_payload, handler_failed."""
        return self.headers.get(f"{OURS}reason", "unknown")

    @property
    def replay_id(self) -> str:
        """The message that gives it to its service again."""
        return f"{REPLAY}:{self.service}:{self.id}"

    def follows(self, before: Letter) -> bool:
        """Whether it is what became of that one's replay; see `Bus.dead_letter`."""
        return self.headers.get("Nats-Msg-Id", "").startswith(f"{self.service}:{before.replay_id}:")

    def summary(self) -> dict[str, Any]:
        """What a list shows."""
        return {
            "id": self.id,
            "service": self.service,
            "subject": self.subject,
            "type": self.headers.get("ce-type"),
            "event_id": self.headers.get("ce-id"),
            "reason": self.reason,
            "detail": self.headers.get(f"{OURS}detail", ""),
            "at": self.at.isoformat(),
            **({"ignored": self._ignored()} if self.ignored else {}),
        }

    def _ignored(self) -> dict[str, str]:
        why = {name: self.headers.get(f"{OURS}ignored-{name}", "") for name in ("by", "reason")}
        return {name: urllib.parse.unquote(text) for name, text in why.items()}

    def whole(self) -> dict[str, Any]:
        """The summary with the headers and the body."""
        try:
            body = json.loads(self.data)
        except ValueError:
            body = self.data.decode(errors="replace")
        return {**self.summary(), "headers": self.headers, "body": body}


async def read(js: JetStreamContext, service: str | None, *, ignored: bool = False) -> list[Letter]:
    """Those that wait now (or were ignored), the oldest first, without their bodies."""
    subject = f"{IGNORED if ignored else DEAD}.{service or '*'}.>"
    return [_letter(message) for message in await _scan(js, subject, headers_only=True)]


async def find(js: JetStreamContext, given: str, *, also_ignored: bool = False) -> list[Letter]:
    """The one of that id, or every one of that event; empty when there is none."""
    if given.isdigit():
        ids = [int(given)]
    else:
        known = await read(js, None) + (await read(js, None, ignored=True) if also_ignored else [])
        ids = [letter.id for letter in known if letter.headers.get("ce-id") == given]
    return [found for letter_id in ids if (found := await get(js, letter_id)) is not None]


async def get(js: JetStreamContext, letter_id: int) -> Letter | None:
    """The one of that id."""
    found = [_letter(message) for message in await _scan(js, ">", headers_only=False, first=letter_id, most=1)]
    return found[0] if found and found[0].id == letter_id else None


async def hand_over(js: JetStreamContext, letter_id: int) -> bool:
    """Gives the event to its service once more, then removes the letter; False when another was faster.

    From here on it is an event like any other: applied, or a dead letter anew. Killed in between, the letter is still
    there, and what it is given twice has its effect once (`common.inbox`).
    """
    letter = await get(js, letter_id)
    if letter is None:
        return False
    headers = {name: value for name, value in letter.headers.items() if not name.startswith(OURS)}
    headers["Nats-Msg-Id"] = letter.replay_id  # of two operators at once, one is heard
    await js.publish(f"{REPLAY}.{letter.service}.{letter.subject}", letter.data, headers=headers)
    return await _remove(js, letter_id)


async def set_aside(js: JetStreamContext, letter: Letter, *, by: str, reason: str) -> bool:
    """Has the letter wait no more, and keeps it with who said so and why; False when another was faster."""
    why = {f"{OURS}ignored-by": by, f"{OURS}ignored-reason": reason}
    headers = {
        **letter.headers,
        # A header holds ASCII.
        **{name: urllib.parse.quote(text, safe=" ,;:/()'") for name, text in why.items()},
        "Nats-Msg-Id": f"{IGNORED}:{letter.service}:{letter.id}",  # of two operators at once, one is kept
    }
    await js.publish(f"{IGNORED}.{letter.service}.{letter.subject}", letter.data, headers=headers)
    return await _remove(js, letter.id)


async def _remove(js: JetStreamContext, letter_id: int) -> bool:
    try:
        return await js.delete_msg(DEAD_LETTERS_STREAM, letter_id)
    except APIError:
        if await get(js, letter_id) is None:
            return False
        raise


async def _scan(
    js: JetStreamContext, subject: str, *, headers_only: bool, first: int | None = None, most: int | None = None
) -> list[Msg]:
    """What is there now, in order, without acknowledging any or hiding it from others."""
    subscription = await js.pull_subscribe(
        subject,
        stream=DEAD_LETTERS_STREAM,
        config=ConsumerConfig(
            ack_policy=AckPolicy.NONE,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE if first else DeliverPolicy.ALL,
            opt_start_seq=first,
            headers_only=headers_only,
            inactive_threshold=READER_LIFE_SECONDS,
            mem_storage=True,
        ),
    )
    found: list[Msg] = []
    try:
        pending = (await subscription.consumer_info()).num_pending or 0
        wanted = pending if most is None else min(most, pending)
        while len(found) < wanted:
            found += await subscription.fetch(min(BATCH, wanted - len(found)), timeout=FETCH_SECONDS)
    except TimeoutError:
        pass  # the rest was removed meanwhile
    finally:
        await subscription.unsubscribe()
    return found


def _letter(message: Msg) -> Letter:
    kind, service, subject = message.subject.split(".", 2)
    at, place = message.metadata.timestamp, message.metadata.sequence.stream
    return Letter(place, service, subject, at, dict(message.headers or {}), message.data, kind == IGNORED)
