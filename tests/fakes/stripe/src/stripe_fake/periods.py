"""Calendar steps of a billing period."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta


def add(start: int, interval: str, count: int, anchor: int) -> int:
    """`start` plus a number of intervals; months keep the anchor's day where the month has it, else their last day."""
    moment = datetime.fromtimestamp(start, UTC)
    if interval == "day":
        return int((moment + timedelta(days=count)).timestamp())
    if interval == "week":
        return int((moment + timedelta(weeks=count)).timestamp())
    months = count * (12 if interval == "year" else 1)
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(datetime.fromtimestamp(anchor, UTC).day, calendar.monthrange(year, month + 1)[1])
    return int(moment.replace(year=year, month=month + 1, day=day).timestamp())
