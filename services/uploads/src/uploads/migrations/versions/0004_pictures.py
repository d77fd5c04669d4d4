"""pre: Pictures are handed out as we have encoded them."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE uploads ADD COLUMN shown_sha256 text CHECK (shown_sha256 ~ '^[0-9a-f]{64}$')")
    op.execute("ALTER TABLE uploads ADD COLUMN shown_size bigint CHECK (shown_size >= 0)")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
