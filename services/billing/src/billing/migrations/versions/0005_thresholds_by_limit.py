"""pre: A threshold is told once for each limit that the cap has had in a period: of a greater cap it is news again."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("ALTER TABLE usage_thresholds ADD COLUMN cap_limit bigint NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE usage_thresholds DROP CONSTRAINT usage_thresholds_pkey")
    op.execute("ALTER TABLE usage_thresholds ADD PRIMARY KEY (org_id, cap, period_start, threshold, cap_limit)")
