"""Stripe, plans and quotas."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.subscriptions import SUBSCRIPTIONS
from devstack.doctor import asking
from devstack.doctor.findings import Finding, error, warning
from devstack.doctor.subject import Subject

UNHANDLED_SECONDS = 60
COPY_SECONDS = 60


def webhook_secret(subject: Subject) -> Iterator[Finding]:
    """Stripe's webhooks can be told from a forger's."""
    if subject.setting("STRIPE_WEBHOOK_SECRET", "billing"):
        return
    if subject.on("DEBUG", "billing"):
        yield warning(
            "stripe-webhooks",
            "anybody can make anybody pro",
            "no STRIPE_WEBHOOK_SECRET and DEBUG=1: unsigned webhooks are accepted",
            "set STRIPE_WEBHOOK_SECRET (locally: the one that `stripe listen` prints)",
        )
        return
    yield error(
        "stripe-webhooks",
        "who pays stays on the old plan",
        "STRIPE_WEBHOOK_SECRET is not set: every webhook is refused",
        "set it to the endpoint's signing secret, restart billing, then resend the events in Stripe's dashboard",
    )


def prices(subject: Subject) -> Iterator[Finding]:
    """With a key, something is on sale."""
    names = ("PRO_MONTHLY", "PRO_YEARLY", "ENTERPRISE_MONTHLY", "BUNDLE_1", "BUNDLE_10", "BUNDLE_25")
    missing = [f"PRICE_{name}" for name in names if not subject.setting(f"PRICE_{name}", "billing")]
    if subject.setting("STRIPE_SECRET_KEY", "billing") and missing:
        yield warning(
            "quota",
            "some plans cannot be bought, or give no tier",
            f"{', '.join(missing)} not set: their price ids mean nothing here",
            "set each to its price id in Stripe",
        )


def webhook_answers(subject: Subject) -> Iterator[Finding]:
    """POST /api/stripe/webhook is reached, and refuses a bad signature."""
    if subject.on("DEBUG", "billing") and not subject.setting("STRIPE_WEBHOOK_SECRET", "billing"):
        return  # it would take the question for an event
    url = f"{subject.state['env']['BASE_URL']}/api/stripe/webhook"
    answer = asking.http("POST", url, content=b"{}", headers={"Stripe-Signature": "t=1,v1=00"})
    if answer.status != 400 or "invalid_signature" not in answer.text:
        yield error(
            "stripe-webhooks",
            "who pays stays on the old plan",
            f"POST /api/stripe/webhook answers {answer.status or answer.text} to a bad signature, not 400",
            "./bidwright logs billing; ./bidwright restart billing; Stripe sends again for three days",
        )


def stripe_events(subject: Subject) -> Iterator[Finding]:
    """Each event that Stripe sent was applied."""
    ((waiting, age),) = asking.rows(
        subject,
        "SELECT count(*), coalesce(extract(epoch FROM now() - min(received_at)), 0)::int FROM billing.stripe_events"
        " WHERE handled_at IS NULL AND received_at < now() - make_interval(secs => %s)",
        (UNHANDLED_SECONDS,),
    )
    if waiting:
        yield error(
            "stripe-events",
            "who paid is still on the old plan",
            f"{waiting} of Stripe's events are not applied, the oldest for {age} s",
            "./bidwright logs billing-worker; ./bidwright restart billing-worker",
        )
    # A parked event stays until it is applied after all, so there is no limit of time.
    parked = asking.rows(
        subject,
        "SELECT type, count(*), max(coalesce(to_jsonb(event)->>'reason', error, 'unknown'))"
        " FROM billing.stripe_events AS event WHERE outcome NOT IN ('applied', 'stale', 'ignored') GROUP BY 1",
    )
    for kind, count, reason in parked:
        yield error(
            "stripe-events",
            "somebody who paid has not got it",
            f"{count} events {kind} are parked: {' '.join(str(reason).split())[:160]}",
            "correct the cause (mostly a price id or a customer that is not known),"
            " then ./bidwright billing events replay --parked",
        )


def plans(subject: Subject) -> Iterator[Finding]:
    """Whoever has a paid subscription has its tier, and every service knows it."""
    ((count,),) = asking.rows(
        subject,
        "SELECT count(*) FROM billing.subscriptions AS bought JOIN billing.accounts USING (org_id)"
        " WHERE bought.status IN ('active', 'trialing') AND bought.price IS NOT NULL AND accounts.tier = 'free'",
    )
    if count:
        yield error(
            "quota",
            "pro limits are not applied to who pays",
            f"{count} orgs have an active subscription and the free tier",
            "compare PRICE_* with the price ids in Stripe; then ./bidwright billing reconcile (first with --dry-run)",
        )
    for consumer, entities in SUBSCRIPTIONS.items():
        if "billing.entitlements" not in entities:
            continue
        # Names of our own schemas.
        ((behind,),) = asking.rows(
            subject,
            "SELECT count(*) FROM billing.accounts AS known"  # noqa: S608
            f" LEFT JOIN {consumer}.aggregate_versions AS have"
            " ON have.aggregate = 'billing.entitlements:' || known.org_id"
            " WHERE known.entitlements_version > coalesce(have.version, 0) AND EXISTS (SELECT 1 FROM billing.outbox"
            " WHERE subject = 'events.billing.entitlements.changed' AND outbox.org_id = known.org_id"
            " AND published_at < now() - make_interval(secs => %s)"
            " AND (body->>'version')::bigint > coalesce(have.version, 0))",
            (COPY_SECONDS,),
        )
        if behind:
            yield error(
                "quota",
                f"{consumer} still applies the old plan",
                f"it has not heard of the newest entitlements of {behind} orgs",
                f"./bidwright logs {consumer}-worker; ./bidwright restart {consumer}-worker",
            )


def quota_settings(subject: Subject) -> Iterator[Finding]:
    """Caps that refuse everybody."""
    for key, who in (
        ("QUOTA_FREE_ACTIVE_CAP", "free"),
        ("QUOTA_PRO_PER_SEAT", "pro"),
        ("QUOTA_PRO_MONTHLY_CAP", "pro"),
    ):
        if subject.setting(key, "billing") == "0":
            yield warning(
                "quota",
                f"nobody on {who} can start a proposal",
                f"{key}=0",
                f"set {key}, then ./bidwright restart billing",
            )
    if subject.setting("FAILED_PAYMENT_GRACE_DAYS", "billing") == "0":
        yield warning(
            "quota",
            "a card that fails once ends the plan at once",
            "FAILED_PAYMENT_GRACE_DAYS=0",
            "set FAILED_PAYMENT_GRACE_DAYS (3 by default)",
        )
