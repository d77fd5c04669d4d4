"""Registering, signing in and out, passwords."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from common.db import Tenant, UnitOfWork
from common.errors import NotFound
from common.ids import new_id
from gateway import events
from gateway.accounts import repository
from gateway.accounts.domain import REGISTRATION_LIFE, personal_org_name
from gateway.audit.repository import record
from gateway.decision.valkey import session_key
from gateway.deps import Actor, Deps
from gateway.errors import EmailUnverified, InvalidToken, WrongCredentials
from gateway.mail.jobs import ATTEMPTS, MAIL_REGISTERED, MAIL_RESET, NOBODY
from gateway.models import Registration, User
from gateway.oauth import repository as oauth
from gateway.orgs.members import create_org
from gateway.passkeys import repository as passkeys
from gateway.passkeys import second_factor

MAX_USER_AGENT: Final = 300


@dataclass(frozen=True, slots=True)
class Client:
    """The browser at the other end."""

    user_agent: str
    address: str
    request_id: str
    cookie: str = ""
    """The session cookie that it sent, whatever it is worth."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: whose, and the value of its cookie."""

    user: User
    cookie: str


async def register(deps: Deps, *, email: str, password: str, name: str) -> str | None:
    """Notes the registration and has a mail sent. What happens, and how long it takes, does not depend on whether the
    address has an account: the mail tells. Returns the link's token in development only, for a new address."""
    password_hash = await deps.passwords.hash(password)
    now = deps.clock.now()
    async with deps.db.unit_of_work(NOBODY) as uow:
        registration = Registration(
            id=new_id(),
            email=email,
            name=name,
            password_hash=password_hash,
            created_at=now,
            expires_at=now + REGISTRATION_LIFE,
        )
        uow.session.add(registration)
        uow.enqueue(
            MAIL_REGISTERED, {"registration_id": str(registration.id)}, org_id=NOBODY.org_id, max_attempts=ATTEMPTS
        )
        token = None
        if deps.settings.hands_out_tokens and await repository.user_by_email(uow, email) is None:
            token = repository.add_email_token(uow, "verify", registration.id, now=now, life=REGISTRATION_LIFE)
        await uow.commit()
    return token


async def verify_email(deps: Deps, token: str, client: Client) -> SignedIn:
    """Turns a registration into an account with an org of its own, and signs in. Raises InvalidToken."""
    now = deps.clock.now()
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        registration_id = await repository.use_email_token(uow, "verify", token, now=now)
        registration = await uow.session.get(Registration, registration_id) if registration_id else None
        if registration is None or registration.expires_at <= now:
            raise InvalidToken
        try:
            user = await add_account(
                uow,
                email=registration.email,
                name=registration.name,
                password_hash=registration.password_hash,
                now=now,
            )
        except IntegrityError:
            raise InvalidToken("This address has an account already; sign in.") from None
        signed_in = await sign_in(deps, uow, user, client, "user.registered")
        await uow.commit()
    return signed_in


async def login(deps: Deps, *, email: str, password: str, client: Client) -> SignedIn:
    """Signs in; unknown addresses take as long as known. Raises WrongCredentials, EmailUnverified, LoginThrottled, and
    SecondFactorRequired when the password is not enough."""
    now = deps.clock.now()
    async with deps.throttle.attempt(email, client.address) as attempt:
        async with deps.db.unit_of_work(Tenant.none()) as uow:
            user = await repository.user_by_email(uow, email)
            registration = await repository.newest_registration(uow, email, now)
        known = user or registration
        attempt.right = await deps.passwords.verify(known.password_hash if known else None, password)
    if not attempt.right:
        raise WrongCredentials
    if user is None:
        raise EmailUnverified
    if user.second_factor:
        raise await second_factor.ask(deps, user)
    async with deps.db.unit_of_work(Tenant(org_id=user.personal_org_id, user_id=user.id)) as uow:
        signed_in = await sign_in(deps, uow, user, client, "session.created")
        await uow.commit()
    return signed_in


async def logout(deps: Deps, actor: Actor, session_id: UUID) -> None:
    """Ends the present session."""
    async with deps.db.unit_of_work(Tenant(user_id=actor.user_id)) as uow:
        user = await repository.user_by_id(uow, actor.user_id)
        ended = await repository.delete_sessions(uow, actor.user_id, only=session_id)
        if user is not None and ended:
            await uow.set_tenant(Tenant(org_id=user.personal_org_id, user_id=user.id))
            record(uow, user.personal_org_id, actor, "session.ended", session_id, at=deps.clock.now(), count=1)
        deps.cache.forget(uow, map(session_key, ended))
        await uow.commit()


async def forgot_password(deps: Deps, email: str) -> None:
    """Has a link mailed, should the address have an account; here nobody looks, so the answer cannot tell."""
    async with deps.db.unit_of_work(NOBODY) as uow:
        uow.enqueue(MAIL_RESET, {"email": email}, org_id=NOBODY.org_id, max_attempts=ATTEMPTS)
        await uow.commit()


async def reset_password(deps: Deps, *, token: str, password: str, request_id: str) -> None:
    """Sets a new password and ends every session. Raises InvalidToken."""
    password_hash = await deps.passwords.hash(password)
    now = deps.clock.now()
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        user_id = await repository.use_email_token(uow, "reset", token, now=now)
        user = await repository.user_by_id(uow, user_id, lock=True) if user_id else None
        if user is None:
            raise InvalidToken
        user.password_hash = password_hash
        # Who knew the old password may be half-way in.
        await passkeys.delete_ceremonies_of(uow, user.id)
        await uow.set_tenant(Tenant(org_id=user.personal_org_id, user_id=user.id))
        ended = await repository.delete_sessions(uow, user.id)
        record(
            uow,
            user.personal_org_id,
            Actor(user.id, "link", request_id),
            "password.reset",
            user.id,
            at=now,
            sessions_ended=len(ended),
        )
        deps.cache.forget(uow, map(session_key, ended))
        await uow.commit()


async def end_sessions(deps: Deps, actor: Actor, *, only: UUID | None = None, keep: UUID | None = None) -> None:
    """Ends one session, or all but `keep`. Raises NotFound when `only` is none of the caller's."""
    async with deps.db.unit_of_work(Tenant(user_id=actor.user_id)) as uow:
        user = await repository.user_by_id(uow, actor.user_id)
        ended = await repository.delete_sessions(uow, actor.user_id, only=only, keep=keep)
        if user is None or (only is not None and not ended):
            raise NotFound
        await uow.set_tenant(Tenant(org_id=user.personal_org_id, user_id=user.id))
        if ended:
            what, now = str(only or "others"), deps.clock.now()
            record(uow, user.personal_org_id, actor, "session.ended", what, at=now, count=len(ended))
        deps.cache.forget(uow, map(session_key, ended))
        await uow.commit()


async def purge_expired(deps: Deps) -> None:
    """Deletes registrations, links, sessions, and sign-ins under way that have expired."""
    async with deps.db.unit_of_work(Tenant.none()) as uow:
        await repository.purge(uow, deps.clock.now())
        await passkeys.purge(uow, deps.clock.now())
        await oauth.purge(uow, deps.clock.now())
        await uow.commit()


async def add_account(uow: UnitOfWork, *, email: str, name: str, password_hash: str | None, now: datetime) -> User:
    """Makes the account of a verified address with an org of its own, which is the unit of work's tenant from then on.
    Registrations of the address are void: whoever made them has not shown that it is theirs.

    Raises:
        IntegrityError: the address has an account.
    """
    org_id, user_id = new_id(), new_id()
    await uow.set_tenant(Tenant(org_id=org_id, user_id=user_id))
    user = User(
        id=user_id,
        email=email,
        name=name,
        password_hash=password_hash,
        personal_org_id=org_id,
        version=1,
        created_at=now,
    )
    uow.session.add(user)
    await uow.flush()
    await repository.delete_registrations(uow, email)
    uow.publish(events.user_registered(user))
    await create_org(uow, org_id=org_id, name=personal_org_name(name), personal=True, owner_id=user_id, now=now)
    return user


async def sign_in(
    deps: Deps, uow: UnitOfWork, user: User, client: Client, action: str, **detail: str | int
) -> SignedIn:
    """Makes the session of a person who has shown enough, under their own org, in place of the one that this browser
    had; the caller commits. `detail` is for the audit."""
    now = deps.clock.now()
    ended = await repository.delete_session_of(uow, client.cookie) if client.cookie else []
    if ended:
        detail["sessions_ended"] = len(ended)
        deps.cache.forget(uow, map(session_key, ended))
    cookie = repository.add_session(
        uow,
        user.id,
        now=now,
        life=timedelta(days=deps.settings.session_max_days),
        user_agent=client.user_agent[:MAX_USER_AGENT],
        address=client.address,
    )
    record(uow, user.personal_org_id, Actor(user.id, "session", client.request_id), action, user.id, at=now, **detail)
    return SignedIn(user, cookie)
