"""SQL of passkeys and of the ceremonies that are under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select

from common.db import UnitOfWork
from gateway.models import Passkey, PasskeyCeremony
from gateway.passkeys.domain import CEREMONY_LIFE, hash_challenge
from gateway.tokens import hash_token


@dataclass(frozen=True, slots=True)
class Ceremony:
    """A challenge that was used up just now, and whose it was; None: anyone's."""

    user_id: UUID | None


async def passkeys_of(uow: UnitOfWork, user_id: UUID) -> Sequence[Passkey]:
    """A person's passkeys, the oldest first."""
    return (await uow.session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id))).all()


async def count(uow: UnitOfWork, user_id: UUID) -> int:
    """How many passkeys a person has."""
    return await uow.session.scalar(select(func.count()).where(Passkey.user_id == user_id)) or 0


async def passkey_of(uow: UnitOfWork, user_id: UUID, passkey_id: UUID) -> Passkey | None:
    """One of a person's passkeys, locked."""
    query = select(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == user_id).with_for_update()
    found: Passkey | None = await uow.session.scalar(query)
    return found


async def by_credential(uow: UnitOfWork, credential_id: bytes) -> Passkey | None:
    """The passkey with the id that its authenticator gave it."""
    query = (
        select(Passkey)
        .where(Passkey.credential_id == credential_id)
        # Read before the owner was locked, and again after.
        .execution_options(populate_existing=True)
    )
    found: Passkey | None = await uow.session.scalar(query)
    return found


async def delete_of(uow: UnitOfWork, user_id: UUID) -> None:
    """All of an erased person."""
    await uow.session.execute(delete(Passkey).where(Passkey.user_id == user_id))
    await delete_ceremonies_of(uow, user_id)


async def delete_ceremonies_of(uow: UnitOfWork, user_id: UUID) -> None:
    """Ends what a person has begun and not finished."""
    await uow.session.execute(delete(PasskeyCeremony).where(PasskeyCeremony.user_id == user_id))


def add_ceremony(
    uow: UnitOfWork,
    challenge: bytes,
    *,
    purpose: str,
    now: datetime,
    user_id: UUID | None = None,
    ticket: str | None = None,
) -> None:
    """Remembers that a challenge was given out, by its hash."""
    uow.session.add(
        PasskeyCeremony(
            challenge_hash=hash_challenge(challenge),
            purpose=purpose,
            user_id=user_id,
            ticket_hash=None if ticket is None else hash_token(ticket),
            expires_at=now + CEREMONY_LIFE,
        )
    )


async def take_ceremony(
    uow: UnitOfWork,
    challenge_hash: str,
    *,
    purpose: str,
    now: datetime,
    user_id: UUID | None = None,
    ticket: str | None = None,
) -> Ceremony | None:
    """Uses a challenge up; None when it is unknown, used, expired, or another's. Of parallel takers one gets it."""
    query = delete(PasskeyCeremony).where(
        PasskeyCeremony.challenge_hash == challenge_hash,
        PasskeyCeremony.purpose == purpose,
        PasskeyCeremony.expires_at > now,
    )
    if user_id is not None:
        query = query.where(PasskeyCeremony.user_id == user_id)
    if ticket is not None:
        query = query.where(PasskeyCeremony.ticket_hash == hash_token(ticket))
    row = (await uow.session.execute(query.returning(PasskeyCeremony.user_id))).one_or_none()
    return None if row is None else Ceremony(row.user_id)


async def purge(uow: UnitOfWork, now: datetime) -> None:
    """Deletes the ceremonies that nobody finished."""
    await uow.session.execute(delete(PasskeyCeremony).where(PasskeyCeremony.expires_at < now))
