"""pre: What is still to be forgotten of the cached facts, written with the change that made them wrong."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE stale_facts (
            id uuid PRIMARY KEY,
            keys text[] NOT NULL,
            at timestamptz NOT NULL DEFAULT now()
        )
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup of before instead")
