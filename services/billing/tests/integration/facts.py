"""What other services tell billing."""

from __future__ import annotations

from typing import Any

from billing.deps import Deps
from billing.handlers import EVENT_HANDLERS
from common.ids import new_id
from common.inbox import Consumer
from contracts import Event


def example(event_class: type[Event], **changes: Any) -> Event:
    """A fact as its contract shows it, but for the changes."""
    return event_class.model_validate({**event_class.EXAMPLE, **changes})


async def consume(deps: Deps, *events: Event) -> None:
    """Each takes its effect, one after the other."""
    consumer = Consumer(deps.db, deps.bus, EVENT_HANDLERS, deps)
    for event in events:
        await consumer.apply(event, new_id())
