"""pre: Everything that the gateway keeps at first.

The policies beyond the plain tenant: a person sees their own memberships and through them their orgs' names and tiers;
who holds an invite's or a key's secret sees that one row (`app.secret_hash`).
"""

from __future__ import annotations

from alembic import op

from common.migrations import create_plumbing, enable_row_level_security

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ORG = "(SELECT nullif(current_setting('app.org_id', true), '')::uuid)"
USER = "(SELECT nullif(current_setting('app.user_id', true), '')::uuid)"
HOLDER = "(SELECT nullif(current_setting('app.secret_hash', true), ''))"
OWN_ORGS = f"(SELECT m.org_id FROM memberships m WHERE m.user_id = {USER})"  # noqa: S608  # constants only

TABLES = (
    """
    CREATE TABLE users (
        id uuid PRIMARY KEY,
        email text NOT NULL UNIQUE,
        name text NOT NULL,
        password_hash text,
        personal_org_id uuid NOT NULL,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE registrations (
        id uuid PRIMARY KEY,
        email text NOT NULL,
        name text NOT NULL,
        password_hash text NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX registrations_email ON registrations (email, created_at)",
    """
    CREATE TABLE email_tokens (
        token_hash text PRIMARY KEY,
        purpose text NOT NULL CHECK (purpose IN ('verify', 'reset')),
        subject_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz
    )
    """,
    "CREATE INDEX email_tokens_subject ON email_tokens (purpose, subject_id)",
    """
    CREATE TABLE sessions (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        token_hash text NOT NULL UNIQUE,
        created_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        user_agent text NOT NULL,
        address text NOT NULL
    )
    """,
    "CREATE INDEX sessions_user ON sessions (user_id)",
    """
    CREATE TABLE orgs (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        personal boolean NOT NULL,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        deleted_at timestamptz
    )
    """,
    """
    CREATE TABLE memberships (
        org_id uuid NOT NULL REFERENCES orgs (id),
        user_id uuid NOT NULL REFERENCES users (id),
        role text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
        joined_at timestamptz NOT NULL,
        PRIMARY KEY (org_id, user_id)
    )
    """,
    "CREATE INDEX memberships_user ON memberships (user_id)",
    "CREATE UNIQUE INDEX memberships_owner ON memberships (org_id) WHERE role = 'owner'",
    """
    CREATE TABLE member_versions (
        org_id uuid NOT NULL,
        user_id uuid NOT NULL,
        version bigint NOT NULL,
        PRIMARY KEY (org_id, user_id)
    )
    """,
    """
    CREATE TABLE invites (
        id uuid PRIMARY KEY,
        org_id uuid NOT NULL REFERENCES orgs (id),
        email text NOT NULL,
        role text NOT NULL CHECK (role IN ('admin', 'member', 'viewer')),
        token_hash text NOT NULL UNIQUE,
        invited_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        accepted_at timestamptz,
        revoked_at timestamptz
    )
    """,
    "CREATE INDEX invites_org ON invites (org_id, id)",
    "CREATE UNIQUE INDEX invites_open ON invites (org_id, email) WHERE accepted_at IS NULL AND revoked_at IS NULL",
    """
    CREATE TABLE api_keys (
        id uuid PRIMARY KEY,
        org_id uuid NOT NULL REFERENCES orgs (id),
        user_id uuid NOT NULL,
        name text NOT NULL,
        prefix text NOT NULL,
        key_hash text NOT NULL UNIQUE,
        scopes text[] NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        last_used_at timestamptz,
        revoked_at timestamptz
    )
    """,
    "CREATE INDEX api_keys_org ON api_keys (org_id, id)",
    """
    CREATE TABLE audit (
        id uuid PRIMARY KEY,
        org_id uuid NOT NULL,
        at timestamptz NOT NULL DEFAULT now(),
        actor_id uuid,
        actor text NOT NULL,
        action text NOT NULL,
        target text NOT NULL,
        detail jsonb NOT NULL,
        request_id text NOT NULL
    )
    """,
    "CREATE INDEX audit_org ON audit (org_id, id)",
    """
    CREATE TABLE org_entitlements (
        org_id uuid PRIMARY KEY,
        tier text NOT NULL,
        status text NOT NULL,
        seats bigint,
        ai_per_minute bigint,
        updated_at timestamptz NOT NULL
    )
    """,
)


def upgrade() -> None:
    create_plumbing(op, "gateway")
    for statement in TABLES:
        op.execute(statement)
    for table in ("member_versions", "audit"):
        enable_row_level_security(op, table, service="gateway")
    _policy("memberships", using=f"org_id = {ORG} OR user_id = {USER}", check=f"org_id = {ORG}")
    _policy("orgs", using=f"id = {ORG} OR id IN {OWN_ORGS}", check=f"id = {ORG}")
    _policy("org_entitlements", using=f"org_id = {ORG} OR org_id IN {OWN_ORGS}", check=f"org_id = {ORG}")
    _policy("invites", using=f"org_id = {ORG} OR token_hash = {HOLDER}", check=f"org_id = {ORG}")
    _policy("api_keys", using=f"org_id = {ORG} OR key_hash = {HOLDER}", check=f"org_id = {ORG}")
    # History is added to, not rewritten.
    op.execute("REVOKE UPDATE, DELETE ON audit FROM gateway_app, gateway_worker")


def _policy(table: str, *, using: str, check: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({using}) WITH CHECK ({check})")


def downgrade() -> None:
    raise NotImplementedError("restore a backup of before instead")
