"""Wrong passwords: so many a minute for an account and for an address, then none is even looked at."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.accounts.passwords import PARALLEL_HASHES
from gateway.decision.limits import LocalWindows, Taken
from gateway.decision.requests import countable
from gateway.decision.valkey import FactStore, ValkeyAway
from gateway.errors import LoginThrottled


@dataclass
class Attempt:
    """One try at a password; `right` is set when it was."""

    right: bool = False


class LoginThrottle:
    """Counts a try before it is made and takes it back when the password was right, so that a burst cannot slip by."""

    def __init__(self, store: FactStore, *, per_account: int, per_address: int) -> None:
        self._store = store
        self._per_account = per_account
        self._per_address = per_address
        self._local = LocalWindows()
        # As many as are checked at once: an account's own parallel sign-ins do not count against each other.
        self._slots = asyncio.Semaphore(PARALLEL_HASHES)

    @asynccontextmanager
    async def attempt(self, email: str, address: str) -> AsyncIterator[Attempt]:
        """Around the check of a password. Raises LoginThrottled."""
        account_key = f"bw:r:login:{hashlib.sha256(email.encode()).hexdigest()}"
        address_key = f"bw:r:login-from:{countable(address)}"
        async with self._slots:
            for key, limit in ((account_key, self._per_account), (address_key, self._per_address)):
                taken = await self._take(key, limit)
                if not taken.passed:
                    raise LoginThrottled(retry_after=taken.reset_seconds)
            attempt = Attempt()
            yield attempt
            if attempt.right:
                for key in (account_key, address_key):
                    await self._give_back(key)

    async def _take(self, key: str, limit: int) -> Taken:
        try:
            return await self._store.take(key, limit)
        except ValkeyAway:
            return self._local.take(key, limit)

    async def _give_back(self, key: str) -> None:
        try:
            await self._store.give_back(key)
        except ValkeyAway:
            self._local.give_back(key)
