"""pre: Uploads and exports share an org's storage, and tell each other what they take of it."""

from alembic import op

from common.migrations import enable_row_level_security

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE org_storage (
            org_id uuid PRIMARY KEY,
            version bigint NOT NULL DEFAULT 0,
            bytes_elsewhere bigint NOT NULL DEFAULT 0
        )
        """
    )
    enable_row_level_security(op, "org_storage", service="exports")
