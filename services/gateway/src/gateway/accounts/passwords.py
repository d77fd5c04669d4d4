"""Passwords: what is accepted, and argon2id in a thread, a few at a time."""

from __future__ import annotations

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 256
# fmt: off
_COMMON: Final = frozenset({
    "password", "passwort", "password1", "12345678", "123456789", "1234567890", "qwertyuiop", "qwerty123", "iloveyou",
    "letmein1", "11111111",
})
# fmt: on

PARALLEL_HASHES: Final = 2
"""Each takes a core for a while and MEMORY_KIB; more at a time would only make all of them late."""
MEMORY_KIB: Final = 19_456
ITERATIONS: Final = 2


def password_problem(password: str, *, email: str) -> str | None:
    """What is wrong with a new password, to be shown; None when it is fine. Length counts, odd characters do not."""
    if len(password) < MIN_LENGTH:
        return f"At least {MIN_LENGTH} characters."
    if len(password) > MAX_LENGTH:
        return f"At most {MAX_LENGTH} characters."
    if password.lower() in _COMMON or password.lower() == email.lower():
        return "This one is too easy to guess."
    return None


class Passwords:
    """Hashes and verifies off the event loop."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=ITERATIONS, memory_cost=MEMORY_KIB, parallelism=1)
        self._slots = asyncio.Semaphore(PARALLEL_HASHES)
        # Verified for unknown addresses, so that they take as long as known ones.
        self._nobody = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """The argon2id hash to store."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password is right. Takes the same time when there is nothing stored to compare with."""
        if len(password) > MAX_LENGTH:
            password = password[:MAX_LENGTH] + "\0too long"
        async with self._slots:
            matches = await asyncio.to_thread(self._matches, stored or self._nobody, password)
        return matches and stored is not None

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
