"""pre: Uploads and exports share an org's storage, and tell each other what they take of it."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE org_storage ADD COLUMN version bigint NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE org_storage ADD COLUMN bytes_elsewhere bigint NOT NULL DEFAULT 0")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
