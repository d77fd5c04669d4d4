"""pre: The schema as billing starts with it."""

from alembic import op

from common.migrations import create_plumbing, enable_row_level_security

revision = "0001"
down_revision = None

TABLES = (
    """
    CREATE TABLE accounts (
        org_id uuid PRIMARY KEY,
        name text NOT NULL,
        personal boolean NOT NULL,
        stripe_customer_id text,
        first_failed_at timestamptz,
        last_paid_at timestamptz,
        extras_granted bigint NOT NULL,
        tier text NOT NULL CHECK (tier IN ('free', 'pro', 'enterprise')),
        status text NOT NULL,
        limits jsonb NOT NULL,
        period_start timestamptz NOT NULL,
        period_end timestamptz NOT NULL,
        grace_ends_at timestamptz,
        entitlements_version bigint NOT NULL,
        subscription_version bigint NOT NULL,
        credits_version bigint NOT NULL,
        payment_version bigint NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE subscriptions (
        subscription_id text PRIMARY KEY,
        org_id uuid NOT NULL,
        status text NOT NULL,
        price text,
        seats bigint CHECK (seats > 0),
        cancel_at_period_end boolean NOT NULL,
        period_start timestamptz,
        period_end timestamptz,
        discount text,
        as_of timestamptz NOT NULL
    )
    """,
    "CREATE INDEX subscriptions_by_org ON subscriptions (org_id)",
    """
    CREATE TABLE credit_grants (
        source text PRIMARY KEY,
        org_id uuid NOT NULL,
        credits bigint NOT NULL CHECK (credits > 0),
        granted_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE proposal_counts (
        proposal_id uuid PRIMARY KEY,
        org_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        charged_to text NOT NULL CHECK (charged_to IN ('cap', 'extras')),
        active boolean NOT NULL
    )
    """,
    "CREATE INDEX proposal_counts_by_org ON proposal_counts (org_id, created_at)",
    """
    CREATE TABLE generation_counts (
        generation_id uuid PRIMARY KEY,
        org_id uuid NOT NULL,
        accepted_at timestamptz NOT NULL,
        tokens bigint NOT NULL CHECK (tokens >= 0)
    )
    """,
    "CREATE INDEX generation_counts_by_org ON generation_counts (org_id, accepted_at)",
    """
    CREATE TABLE stored_files (
        file_id uuid PRIMARY KEY,
        org_id uuid NOT NULL,
        size bigint NOT NULL CHECK (size >= 0)
    )
    """,
    "CREATE INDEX stored_files_by_org ON stored_files (org_id)",
    "CREATE TABLE members (org_id uuid NOT NULL, user_id uuid NOT NULL, PRIMARY KEY (org_id, user_id))",
    "CREATE TABLE stripe_customers (stripe_customer_id text PRIMARY KEY, org_id uuid NOT NULL)",
    "CREATE TABLE reviews (org_id uuid PRIMARY KEY, due_at timestamptz NOT NULL)",
    "CREATE INDEX reviews_due ON reviews (due_at)",
    """
    CREATE TABLE stripe_events (
        event_id text PRIMARY KEY,
        type text NOT NULL,
        created timestamptz NOT NULL,
        body bytea NOT NULL,
        received_at timestamptz NOT NULL DEFAULT now(),
        claimed_until timestamptz,
        attempts bigint NOT NULL,
        org_id uuid,
        handled_at timestamptz,
        outcome text CHECK (outcome IN ('applied', 'stale', 'ignored', 'failed')),
        error text
    )
    """,
    "CREATE INDEX stripe_events_unhandled ON stripe_events (created, event_id) WHERE handled_at IS NULL",
)


def upgrade() -> None:
    create_plumbing(op, "billing")
    for statement in TABLES:
        op.execute(statement)
    for table in (
        "accounts",
        "subscriptions",
        "credit_grants",
        "proposal_counts",
        "generation_counts",
        "stored_files",
        "members",
    ):
        enable_row_level_security(op, table, service="billing")
    for table in ("stripe_customers", "reviews", "stripe_events"):
        enable_row_level_security(op, table, service="billing", worker_sees_all=True)
    # Stripe names no org that could be trusted before the event is applied: the API may put a webhook in, not read it.
    op.execute("CREATE POLICY deliver ON stripe_events FOR INSERT TO billing_app WITH CHECK (org_id IS NULL)")
