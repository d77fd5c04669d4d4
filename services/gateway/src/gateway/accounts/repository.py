"""SQL of people, registrations, mailed tokens and sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select

from common.db import UnitOfWork
from common.ids import new_id
from gateway.models import EmailToken, Registration, Session, User
from gateway.oauth import repository as oauth
from gateway.tokens import hash_token, new_token


async def user_by_email(uow: UnitOfWork, email: str) -> User | None:
    """The person with this address."""
    user: User | None = await uow.session.scalar(select(User).where(User.email == email))
    return user


async def user_by_id(uow: UnitOfWork, user_id: UUID, *, lock: bool = False) -> User | None:
    """The person."""
    return await uow.session.get(User, user_id, with_for_update=lock or None)


async def has_way_in_beside_passkeys(uow: UnitOfWork, user: User) -> bool:
    """Whether the person could still sign in without any passkey."""
    return user.password_hash is not None or bool(await oauth.count(uow, user.id))


async def newest_registration(uow: UnitOfWork, email: str, now: datetime) -> Registration | None:
    """The last unexpired registration of an address."""
    query = (
        select(Registration)
        .where(Registration.email == email, Registration.expires_at > now)
        .order_by(Registration.created_at.desc())
        .limit(1)
    )
    registration: Registration | None = await uow.session.scalar(query)
    return registration


async def delete_registrations(uow: UnitOfWork, email: str) -> None:
    """All of an address: it has an account now."""
    await uow.session.execute(delete(Registration).where(Registration.email == email))


async def purge(uow: UnitOfWork, now: datetime) -> None:
    """Deletes what has expired."""
    await uow.session.execute(delete(Registration).where(Registration.expires_at < now))
    await uow.session.execute(delete(EmailToken).where(EmailToken.expires_at < now - timedelta(days=1)))
    await uow.session.execute(delete(Session).where(Session.expires_at < now))


def add_email_token(uow: UnitOfWork, purpose: str, subject_id: UUID, *, now: datetime, life: timedelta) -> str:
    """Makes a token for a link and returns it; only its hash is kept."""
    token = new_token()
    row = EmailToken(
        token_hash=hash_token(token), purpose=purpose, subject_id=subject_id, created_at=now, expires_at=now + life
    )
    uow.session.add(row)
    return token


async def keep_email_token(
    uow: UnitOfWork, purpose: str, subject_id: UUID, token: str, *, now: datetime, life: timedelta
) -> bool:
    """Keeps a mailed link's token valid from now on, also one that was kept before; False when it has been used."""
    hashed = hash_token(token)
    row = await uow.session.get(EmailToken, hashed, with_for_update=True)
    if row is None:
        row = EmailToken(token_hash=hashed, purpose=purpose, subject_id=subject_id, created_at=now)
        uow.session.add(row)
    row.expires_at = now + life
    return row.used_at is None


async def use_email_token(uow: UnitOfWork, purpose: str, token: str, *, now: datetime) -> UUID | None:
    """Uses a token up and returns what it stands for; None when it is unknown, used or too old."""
    row = await uow.session.get(EmailToken, hash_token(token), with_for_update=True)
    if row is None or row.purpose != purpose or row.used_at is not None or row.expires_at <= now:
        return None
    row.used_at = now
    return row.subject_id


async def count_email_tokens(uow: UnitOfWork, purpose: str, subject_id: UUID, since: datetime) -> int:
    """How many links were mailed since then."""
    query = select(func.count()).where(
        EmailToken.purpose == purpose, EmailToken.subject_id == subject_id, EmailToken.created_at > since
    )
    return await uow.session.scalar(query) or 0


def add_session(
    uow: UnitOfWork, user_id: UUID, *, now: datetime, life: timedelta, user_agent: str, address: str
) -> str:
    """Signs a browser in and returns its cookie's value; only its hash is kept."""
    token = new_token()
    row = Session(
        id=new_id(),
        user_id=user_id,
        token_hash=hash_token(token),
        created_at=now,
        last_seen_at=now,
        expires_at=now + life,
        user_agent=user_agent,
        address=address,
    )
    uow.session.add(row)
    return token


async def sessions_of(uow: UnitOfWork, user_id: UUID, now: datetime) -> Sequence[Session]:
    """Where a person is signed in, newest use first."""
    query = (
        select(Session)
        .where(Session.user_id == user_id, Session.expires_at > now)
        .order_by(Session.last_seen_at.desc())
        .limit(100)
    )
    return (await uow.session.scalars(query)).all()


async def delete_sessions(
    uow: UnitOfWork, user_id: UUID, *, only: UUID | None = None, keep: UUID | None = None
) -> list[str]:
    """Ends sessions and returns their hashes, for the cache to forget."""
    query = delete(Session).where(Session.user_id == user_id)
    if only is not None:
        query = query.where(Session.id == only)
    if keep is not None:
        query = query.where(Session.id != keep)
    return list((await uow.session.scalars(query.returning(Session.token_hash))).all())


async def delete_session_of(uow: UnitOfWork, cookie: str) -> list[str]:
    """Ends the session of a cookie, whosever it is, and returns its hash."""
    query = delete(Session).where(Session.token_hash == hash_token(cookie)).returning(Session.token_hash)
    return list((await uow.session.scalars(query)).all())


async def session_hashes(uow: UnitOfWork, user_id: UUID) -> list[str]:
    """The hashes of a person's sessions."""
    return list((await uow.session.scalars(select(Session.token_hash).where(Session.user_id == user_id))).all())
