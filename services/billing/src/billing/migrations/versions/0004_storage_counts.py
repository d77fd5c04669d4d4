"""pre: Storage is counted as the services that hold the files tell it, where a content that files share counts once."""

from alembic import op

from common.migrations import enable_row_level_security

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE storage_counts (
            org_id uuid NOT NULL,
            service text NOT NULL,
            bytes_used bigint NOT NULL,
            PRIMARY KEY (org_id, service)
        )
        """
    )
    enable_row_level_security(op, "storage_counts", service="billing")
    # Nothing was released that had counted files here.
    op.execute("DROP TABLE stored_files")
