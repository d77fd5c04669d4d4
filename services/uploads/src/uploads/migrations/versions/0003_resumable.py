"""pre: Uploads that go on where they broke off."""

from __future__ import annotations

from alembic import op

from common.migrations import enable_row_level_security

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE resumable_uploads (
        id uuid PRIMARY KEY,
        org_id uuid NOT NULL,
        user_id uuid,
        state text NOT NULL CHECK (state IN ('receiving', 'stored', 'refused', 'cancelled', 'expired')),
        filename text NOT NULL,
        declared_type text,
        proposal_id uuid,
        length bigint NOT NULL CHECK (length >= 0),
        received bigint NOT NULL CHECK (received >= 0 AND received <= length),
        refused_code text,
        refused_detail text,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX resumable_uploads_by_org ON resumable_uploads (org_id, expires_at)",
    "CREATE INDEX resumable_uploads_by_age ON resumable_uploads (expires_at)",
    """
    CREATE TABLE resumable_parts (
        upload_id uuid NOT NULL REFERENCES resumable_uploads (id) ON DELETE CASCADE,
        start bigint NOT NULL,
        org_id uuid NOT NULL,
        size bigint NOT NULL CHECK (size > 0),
        key text NOT NULL,
        PRIMARY KEY (upload_id, start)
    )
    """,
    "ALTER TABLE storage_claims ADD COLUMN upload_id uuid",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    # The sweep removes what was given up in any org, and an erased person's are found wherever they are.
    enable_row_level_security(op, "resumable_uploads", service="uploads", worker_sees_all=True)
    enable_row_level_security(op, "resumable_parts", service="uploads")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
