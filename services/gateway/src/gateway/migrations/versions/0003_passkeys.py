"""pre: Passkeys, and the ceremonies with them that are under way. Like people and sessions they are found before an org
is known, so there is no row-level security on them."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE users ADD COLUMN second_factor boolean NOT NULL DEFAULT false",
    """
    CREATE TABLE passkeys (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        credential_id bytea NOT NULL UNIQUE,
        public_key bytea NOT NULL,
        sign_count bigint NOT NULL,
        transports text[] NOT NULL,
        aaguid text NOT NULL,
        synced boolean NOT NULL,
        backed_up boolean NOT NULL,
        name text NOT NULL,
        created_at timestamptz NOT NULL,
        last_used_at timestamptz
    )
    """,
    "CREATE INDEX passkeys_user ON passkeys (user_id)",
    """
    CREATE TABLE passkey_ceremonies (
        challenge_hash text PRIMARY KEY,
        purpose text NOT NULL CHECK (purpose IN ('register', 'sign_in', 'second_factor')),
        user_id uuid REFERENCES users (id) ON DELETE CASCADE,
        ticket_hash text UNIQUE,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX passkey_ceremonies_user ON passkey_ceremonies (user_id)",
    "CREATE INDEX passkey_ceremonies_expiry ON passkey_ceremonies (expires_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup of before instead")
