"""pre: Which thresholds were told, and which orgs are gone."""

from alembic import op

from common.migrations import enable_row_level_security

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # A default, so that a process of the version before can still open an account during a rollout.
    op.execute("ALTER TABLE accounts ADD COLUMN usage_version bigint NOT NULL DEFAULT 0")
    op.execute(
        """
        CREATE TABLE usage_thresholds (
            org_id uuid NOT NULL,
            cap text NOT NULL,
            period_start timestamptz NOT NULL,
            threshold bigint NOT NULL,
            reached_at timestamptz NOT NULL,
            PRIMARY KEY (org_id, cap, period_start, threshold)
        )
        """
    )
    op.execute("CREATE TABLE erased_orgs (org_id uuid PRIMARY KEY, erased_at timestamptz NOT NULL)")
    enable_row_level_security(op, "usage_thresholds", service="billing")
    enable_row_level_security(op, "erased_orgs", service="billing")
