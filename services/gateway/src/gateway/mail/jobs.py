"""The jobs that send mail.

A link's token is made here and not before, so that no queue or job row ever holds one. It follows from the job's id and
our secret: a job that is tried again, because an answer was lost or a worker died, mails the same link under the same
Message-ID, and whichever copy arrives works.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete

from common.db import Tenant, UnitOfWork
from common.jobs import JobContext, JobFailed, JobKind
from common.telemetry import get_logger
from gateway import telemetry
from gateway.accounts import repository as accounts
from gateway.accounts.domain import MAILS_PER_HOUR, REGISTRATION_LIFE, RESET_LIFE
from gateway.deps import Deps
from gateway.mail import messages
from gateway.mail.mime import Mail
from gateway.mail.sender import DELIVERY_TIMEOUT_SECONDS, MailRefused, MailUnavailable
from gateway.models import Invite, Org, Registration
from gateway.tokens import derived_token, hash_token

MAIL_REGISTERED: Final = "mail_registered"
MAIL_RESET: Final = "mail_reset"
MAIL_INVITE: Final = "mail_invite"
NOBODY: Final = Tenant(org_id=UUID(int=0))
"""The tenant of jobs for those who have no org yet, or may not exist."""
ATTEMPTS: Final = 8
"""Over about nine minutes: a server that turns a stranger away at first, as many do, takes the mail after five."""
TIMEOUT_SECONDS: Final = DELIVERY_TIMEOUT_SECONDS + 10

log = get_logger()

Context = JobContext[Deps]


async def mail_registered(context: Context, payload: dict[str, Any]) -> dict[str, Any]:
    """To who registered: the link that confirms the address, or that it has an account already."""
    deps, now = context.deps, context.deps.clock.now()
    registration_id = UUID(payload["registration_id"])
    async with context.unit_of_work() as uow:
        registration = await uow.session.get(Registration, registration_id)
        if registration is None or registration.expires_at <= now:
            return {"sent": False}
        to, name, base_url = registration.email, registration.name, deps.settings.base_url
        if await accounts.user_by_email(uow, to) is not None:
            mail = messages.already_registered(to=to, base_url=base_url)

            async def forget(uow: UnitOfWork) -> None:
                await uow.session.execute(delete(Registration).where(Registration.id == registration_id))

            context.on_finish = forget
        else:
            token = _token(context)
            if not await accounts.keep_email_token(
                uow, "verify", registration_id, token, now=now, life=REGISTRATION_LIFE
            ):
                return {"sent": False}
            mail = messages.verify(to=to, name=name, base_url=base_url, token=token)
        await uow.commit()
    return await send(context, mail)


async def mail_reset(context: Context, payload: dict[str, Any]) -> dict[str, Any]:
    """To who forgot their password, if the address has an account."""
    deps, now = context.deps, context.deps.clock.now()
    async with context.unit_of_work() as uow:
        user = await accounts.user_by_email(uow, payload["email"])
        if user is None:
            return {"sent": False}
        recent = await accounts.count_email_tokens(uow, "reset", user.id, now - timedelta(hours=1))
        if recent >= MAILS_PER_HOUR and context.job.attempt == 1:
            log.warning(telemetry.MAIL_HELD_BACK, kind=MAIL_RESET, user_id=str(user.id))
            return {"sent": False}
        token = _token(context)
        if not await accounts.keep_email_token(uow, "reset", user.id, token, now=now, life=RESET_LIFE):
            return {"sent": False}
        mail = messages.reset(to=user.email, name=user.name, base_url=deps.settings.base_url, token=token)
        await uow.commit()
    return await send(context, mail)


async def mail_invite(context: Context, payload: dict[str, Any]) -> dict[str, Any]:
    """To who is invited, if the invite is still open."""
    deps = context.deps
    async with context.unit_of_work() as uow:
        invite = await uow.session.get(Invite, UUID(payload["invite_id"]), with_for_update=True)
        if invite is None or invite.accepted_at is not None or invite.revoked_at is not None:
            return {"sent": False}
        org = await uow.session.get_one(Org, invite.org_id)
        inviter = await accounts.user_by_id(uow, invite.invited_by)
        token = _token(context)
        invite.token_hash = hash_token(token)
        mail = messages.invite(
            to=invite.email,
            org_name=org.name,
            inviter=inviter.name if inviter else "Someone",
            role=invite.role,
            base_url=deps.settings.base_url,
            token=token,
        )
        await uow.commit()
    return await send(context, mail)


def _token(context: Context) -> str:
    return derived_token(context.deps.settings.secret_key.get_secret_value(), context.job.kind, str(context.job.id))


async def send(context: Context, mail: Mail) -> dict[str, Any]:
    """Hands a job's mail over, and returns the job's result."""
    deps, kind = context.deps, context.job.kind
    try:
        await deps.sender.send(mail, reference=str(context.job.id), at=deps.clock.now())
    except MailUnavailable:
        telemetry.MAILS.labels(kind, "failed").inc()
        raise  # the job framework tries again
    except MailRefused as error:
        telemetry.MAILS.labels(kind, "refused").inc()
        raise JobFailed("mail_refused", f"The mail cannot be sent: {error}.") from error
    telemetry.MAILS.labels(kind, "sent").inc()
    log.info(telemetry.MAIL_SENT, kind=kind)
    return {"sent": True}


JOB_KINDS: Final[dict[str, JobKind[Deps]]] = {
    MAIL_REGISTERED: JobKind(mail_registered, TIMEOUT_SECONDS),
    MAIL_RESET: JobKind(mail_reset, TIMEOUT_SECONDS),
    MAIL_INVITE: JobKind(mail_invite, TIMEOUT_SECONDS),
}
