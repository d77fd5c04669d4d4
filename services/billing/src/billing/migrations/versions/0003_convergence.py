"""pre: What Stripe reported, whatever the order; parked events; the comparison with Stripe."""

from alembic import op

from common.migrations import enable_row_level_security

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE stripe_events ADD COLUMN reason text")
    op.execute("ALTER TABLE stripe_events DROP CONSTRAINT stripe_events_outcome_check")
    # `failed` is what a worker of the version before still writes during a rollout.
    op.execute(
        "ALTER TABLE stripe_events ADD CONSTRAINT stripe_events_outcome_check"
        " CHECK (outcome IN ('applied', 'stale', 'ignored', 'parked', 'failed'))"
    )
    op.execute("CREATE INDEX stripe_events_parked ON stripe_events (received_at) WHERE outcome IN ('parked', 'failed')")
    op.execute("CREATE INDEX stripe_events_by_receipt ON stripe_events (received_at DESC, event_id)")
    op.execute(
        "CREATE TABLE subscription_histories (subscription_id text PRIMARY KEY, org_id uuid NOT NULL,"
        " reports jsonb NOT NULL)"
    )
    op.execute("CREATE INDEX subscription_histories_by_org ON subscription_histories (org_id)")
    op.execute(
        """
        CREATE TABLE invoice_payments (
            invoice_id text PRIMARY KEY,
            org_id uuid NOT NULL,
            subscription_id text,
            failed_at timestamptz,
            settled_at timestamptz
        )
        """
    )
    op.execute("CREATE INDEX invoice_payments_by_org ON invoice_payments (org_id, subscription_id)")
    op.execute(
        """
        CREATE TABLE stripe_subscriptions (
            subscription_id text PRIMARY KEY,
            org_id uuid NOT NULL,
            digest text NOT NULL,
            ended boolean NOT NULL,
            checked_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    op.execute("CREATE INDEX stripe_subscriptions_live ON stripe_subscriptions (checked_at) WHERE NOT ended")
    op.execute(
        """
        CREATE TABLE reconciliations (
            name text PRIMARY KEY,
            due_at timestamptz NOT NULL DEFAULT now(),
            since timestamptz,
            newest timestamptz,
            cursor text
        )
        """
    )
    op.execute("INSERT INTO reconciliations (name) VALUES ('events'), ('subscriptions')")
    # What is there already: the owner is bound by row-level security too, so it is lifted for this transaction.
    for table in ("accounts", "subscriptions"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "INSERT INTO stripe_subscriptions (subscription_id, org_id, digest, ended)"
        " SELECT subscription_id, org_id, '', status IN ('canceled', 'incomplete_expired') FROM subscriptions"
    )
    op.execute(
        "INSERT INTO invoice_payments (invoice_id, org_id, failed_at)"
        " SELECT 'unknown:' || org_id, org_id, first_failed_at FROM accounts WHERE first_failed_at IS NOT NULL"
    )
    for table in ("accounts", "subscriptions"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for table in ("subscription_histories", "invoice_payments"):
        enable_row_level_security(op, table, service="billing")
    enable_row_level_security(op, "stripe_subscriptions", service="billing", worker_sees_all=True)
    op.execute("ALTER TABLE reconciliations ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE reconciliations FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY worker ON reconciliations TO billing_worker USING (true) WITH CHECK (true)")
