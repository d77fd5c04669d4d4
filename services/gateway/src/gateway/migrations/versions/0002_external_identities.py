"""pre: Accounts at other providers, and the sign-ins with them that are under way. Like people and sessions they are
found before an org is known, so there is no row-level security on them."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE external_identities (
        provider text NOT NULL,
        subject text NOT NULL,
        user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        email text NOT NULL,
        linked_at timestamptz NOT NULL,
        last_used_at timestamptz NOT NULL,
        PRIMARY KEY (provider, subject)
    )
    """,
    "CREATE INDEX external_identities_user ON external_identities (user_id)",
    """
    CREATE TABLE oauth_states (
        state_hash text PRIMARY KEY,
        browser_hash text NOT NULL,
        provider text NOT NULL,
        verifier text NOT NULL,
        nonce text NOT NULL,
        next text NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX oauth_states_expiry ON oauth_states (expires_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup of before instead")
