"""Several pieces of work side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any


async def run_together(*work: Awaitable[Any]) -> None:
    """Run side by side; the first failure ends the others and is raised."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        for finished in asyncio.as_completed(tasks):
            await finished
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
