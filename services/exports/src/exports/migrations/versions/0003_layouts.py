"""pre: Layouts, page limits, an org's own Word template, and who wrote the approved paragraphs."""

from alembic import op

from common.migrations import enable_row_level_security

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    "ALTER TABLE exports ADD COLUMN pages bigint, ADD COLUMN page_limit bigint",
    "ALTER TABLE artifacts ADD COLUMN pages bigint, ADD COLUMN missing jsonb NOT NULL DEFAULT '{}'",
    "ALTER TABLE section_texts ADD COLUMN origins jsonb",
    "CREATE INDEX exports_by_content ON exports (org_id, content_key)",
    "DROP INDEX exports_once",
    """
    CREATE UNIQUE INDEX exports_once ON exports (org_id, proposal_id, proposal_revision, content_key, page_limit)
    NULLS NOT DISTINCT WHERE status <> 'failed'
    """,
    """
    CREATE TABLE templates (
        org_id uuid PRIMARY KEY,
        sha256 text NOT NULL,
        name text NOT NULL,
        content bytea NOT NULL,
        uploaded_by uuid,
        created_at timestamptz NOT NULL
    )
    """,
)

# As with exports: erasing a person reaches into every org whose template they sent.
OWN_TEMPLATES = """
    CREATE POLICY own_templates ON templates FOR SELECT TO exports_worker
    USING (uploaded_by = (SELECT nullif(current_setting('app.user_id', true), '')::uuid))
"""


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    enable_row_level_security(op, "templates", service="exports")
    op.execute(OWN_TEMPLATES)
