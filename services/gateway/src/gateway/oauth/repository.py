"""SQL of accounts at other providers, and of the sign-ins with them that are under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select

from common.db import UnitOfWork
from gateway.models import ExternalIdentity, OAuthState
from gateway.oauth.domain import STATE_LIFE, Journey
from gateway.tokens import hash_token


@dataclass(frozen=True, slots=True)
class Taken:
    """What was kept of a sign-in that has come back."""

    verifier: str
    nonce: str
    next: str


def add_state(uow: UnitOfWork, journey: Journey, *, browser: str, provider: str, path: str, now: datetime) -> None:
    """Keeps what is needed when the browser comes back; of what it carries only the hashes."""
    uow.session.add(
        OAuthState(
            state_hash=hash_token(journey.state),
            browser_hash=hash_token(browser),
            provider=provider,
            verifier=journey.verifier,
            nonce=journey.nonce,
            next=path,
            expires_at=now + STATE_LIFE,
        )
    )


async def take_state(uow: UnitOfWork, state: str, *, browser: str, provider: str, now: datetime) -> Taken | None:
    """Uses a state up; None when it is unknown, used, too old, or of another browser or provider."""
    query = (
        delete(OAuthState)
        .where(
            OAuthState.state_hash == hash_token(state),
            OAuthState.browser_hash == hash_token(browser),
            OAuthState.provider == provider,
            OAuthState.expires_at > now,
        )
        .returning(OAuthState.verifier, OAuthState.nonce, OAuthState.next)
    )
    row = (await uow.session.execute(query)).one_or_none()
    return None if row is None else Taken(*row)


async def purge(uow: UnitOfWork, now: datetime) -> None:
    """Deletes the sign-ins that nobody finished."""
    await uow.session.execute(delete(OAuthState).where(OAuthState.expires_at < now))


async def find(uow: UnitOfWork, provider: str, subject: str) -> ExternalIdentity | None:
    """The account at the provider, if it is linked."""
    return await uow.session.get(ExternalIdentity, (provider, subject), populate_existing=True)


async def identities_of(uow: UnitOfWork, user_id: UUID) -> Sequence[ExternalIdentity]:
    """A person's accounts at other providers, the oldest link first."""
    query = select(ExternalIdentity).where(ExternalIdentity.user_id == user_id).order_by(ExternalIdentity.linked_at)
    return (await uow.session.scalars(query)).all()


async def count(uow: UnitOfWork, user_id: UUID) -> int:
    """How many accounts at other providers sign the person in."""
    return await uow.session.scalar(select(func.count()).where(ExternalIdentity.user_id == user_id)) or 0


async def delete_of(uow: UnitOfWork, user_id: UUID, provider: str | None = None) -> int:
    """A person's links, all or those to one provider; how many there were."""
    query = delete(ExternalIdentity).where(ExternalIdentity.user_id == user_id)
    if provider is not None:
        query = query.where(ExternalIdentity.provider == provider)
    return len((await uow.session.scalars(query.returning(ExternalIdentity.subject))).all())
