"""What billing reports that the owners and admins of an org should read: in words, by a mail to each of them.

The mails are enqueued in the transaction that consumes the event, so that each is sent once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from common.db import UnitOfWork
from common.jobs import JobKind
from contracts import Event
from contracts.billing import PaymentFailed, SubscriptionChanged, UsageThresholdReached
from gateway.deps import Deps
from gateway.mail import messages
from gateway.mail.jobs import ATTEMPTS, TIMEOUT_SECONDS, Context, send
from gateway.models import Membership, Org, User

MAIL_NOTICE: Final = "mail_notice"
MANAGERS: Final = ("owner", "admin")
KEPT: Final = "Nothing that was written is lost: reading and exporting stay open to everyone."


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told; `{org}` stands for the org's name, which is looked up when the mail is sent."""

    subject: str
    said: list[str]
    to_do: str
    action: str


def payment_failed(event: PaymentFailed) -> Notice:
    """Until when everything stays as it is, and how to pay."""
    if event.grace_ends_at > event.failed_at:
        until = day(event.grace_ends_at)
        meaning = f"Everything stays open until {until}. After that {{org}} goes back to the free plan. {KEPT}"
    else:
        meaning = f"{{org}} goes back to the free plan until it is paid. {KEPT}"
    return Notice(
        "A payment for {org} failed",
        ["The last payment for the plan of {org} did not go through.", meaning],
        "Open “Manage subscription” on the billing page and update the payment method; it is then tried again.",
        "Update the payment method",
    )


def subscription_changed(event: SubscriptionChanged) -> Notice | None:
    """That the plan will end, or has ended; nothing for any other change."""
    if event.news == "cancel_scheduled":
        end = f"on {day(event.current_period_end)}" if event.current_period_end else "with its period"
        return Notice(
            "The plan of {org} was cancelled",
            [f"The plan of {{org}} ends {end}. Until then everything stays open. {KEPT}"],
            "Should that be a mistake, you can resume the plan on the billing page until then.",
            "See the plan",
        )
    if event.news == "ended":
        return Notice(
            "The plan of {org} has ended",
            [f"The plan of {{org}} has ended; it is on the free plan now. {KEPT}"],
            "You can buy a plan again at any time, and go on where you were.",
            "See the plans",
        )
    return None


@dataclass(frozen=True, slots=True)
class _Cap:
    """How a cap is spoken of."""

    what: str
    when_full: str
    more_on_free: str
    more_on_paid: str


_UPGRADE: Final = "With a bigger plan there is more."
_RESTARTS: Final = "It starts anew by itself on {restart}."
_CAPS: Final[Mapping[str, _Cap]] = {
    "active_cap": _Cap("proposals", "New ones cannot be started.", "Upgrade to Pro to start more.", _UPGRADE),
    "monthly_cap": _Cap(
        "proposals of this period",
        "New ones cannot be started before {restart}.",
        _UPGRADE,
        "Add seats for more every month, or buy extra proposals, which last until they are used.",
    ),
    "seats": _Cap("seats", "Nobody else can join.", _UPGRADE, "Add seats to invite more people."),
    "ai_daily": _Cap("AI requests of today", "The AI answers again on {restart}.", _UPGRADE, _RESTARTS),
    "ai_monthly_tokens": _Cap("AI tokens of this month", "The AI answers again on {restart}.", _UPGRADE, _RESTARTS),
    "storage_bytes": _Cap(
        "storage",
        "Files can neither be uploaded nor exported.",
        "Delete files that are not needed any more, or upgrade to Pro for more.",
        "Delete files that are not needed any more, or choose a bigger plan.",
    ),
}


def threshold_reached(event: UsageThresholdReached) -> Notice | None:
    """How much of a cap is used, and what to do; nothing when a higher threshold was passed at the same time."""
    if not event.is_highest:
        return None
    cap, restart = _CAPS[event.cap], day(event.period_end)
    is_storage = event.cap == "storage_bytes"
    used, limit = (size(it) if is_storage else f"{it:,}" for it in (event.used, event.limit))
    said = [f"{{org}} has used {used} of {limit}{' of' if is_storage else ''} {cap.what}."]
    full = event.threshold >= 100
    if full and event.cap in ("active_cap", "monthly_cap") and event.extras_left:
        said.append(f"New ones are taken from the {event.extras_left:,} extra proposals that are left.")
    elif full:
        said.append(cap.when_full.format(restart=restart))
    more = cap.more_on_free if event.tier == "free" else cap.more_on_paid
    how_much = "all of its" if full else f"{event.threshold}% of its"
    return Notice(f"{{org}} has used {how_much} {cap.what}", said, more.format(restart=restart), "See usage and plans")


NOTICES: Final[Mapping[type[Event], Callable[[Any], Notice | None]]] = {
    PaymentFailed: payment_failed,
    SubscriptionChanged: subscription_changed,
    UsageThresholdReached: threshold_reached,
}


async def tell_managers(uow: UnitOfWork, event: Event) -> None:
    """Enqueues a mail to each owner and admin of the org, if there is something to say."""
    notice = NOTICES[type(event)](event)
    if notice is None:
        return
    managers = await uow.session.scalars(
        select(Membership.user_id).where(Membership.org_id == event.org_id, Membership.role.in_(MANAGERS))
    )
    for user_id in managers:
        payload = {"user_id": str(user_id), **asdict(notice)}
        uow.enqueue(MAIL_NOTICE, payload, org_id=event.org_id, max_attempts=ATTEMPTS)


async def mail_notice(context: Context, payload: dict[str, Any]) -> dict[str, Any]:
    """To one owner or admin, if they still are that."""
    org_id = context.job.org_id
    async with context.unit_of_work() as uow:
        found = (
            await uow.session.execute(
                select(User.email, User.name, Org.name)
                .join(Membership, Membership.user_id == User.id)
                .join(Org, Org.id == Membership.org_id)
                .where(
                    User.id == UUID(payload["user_id"]),
                    Org.id == org_id,
                    Org.deleted_at.is_(None),
                    Membership.role.in_(MANAGERS),
                )
            )
        ).first()
    if found is None:
        return {"sent": False}
    to, name, org_name = found
    mail = messages.notice(
        to=to,
        name=name,
        org_id=str(org_id),
        org_name=org_name,
        base_url=context.deps.settings.base_url,
        subject=named(payload["subject"], org_name),
        said=[named(paragraph, org_name) for paragraph in payload["said"]],
        to_do=payload["to_do"],
        action=payload["action"],
    )
    return await send(context, mail)


def named(words: str, org_name: str) -> str:
    """The words with the org's name, which is itself no pattern."""
    return org_name.join(words.split("{org}"))


def day(moment: datetime) -> str:
    """A day as it is written in a sentence."""
    return f"{moment.day} {moment:%B %Y}"


def size(count: int) -> str:
    """Bytes as a person reads them, as the app shows them."""
    value, units = float(count), ["B", "KB", "MB", "GB", "TB"]
    while value >= 1024 and len(units) > 1:
        value /= 1024
        units.pop(0)
    return f"{value:.1f} {units[0]}".replace(".0 ", " ") if value < 10 else f"{round(value)} {units[0]}"


NOTICE_KINDS: Final[dict[str, JobKind[Deps]]] = {MAIL_NOTICE: JobKind(mail_notice, TIMEOUT_SECONDS)}
