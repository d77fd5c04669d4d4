"""pre: What a call demands, one by one, and which sections answer it."""

from alembic import op

from common.migrations import enable_row_level_security

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    """
    CREATE TABLE requirements (
        id uuid PRIMARY KEY,
        org_id uuid NOT NULL,
        proposal_id uuid NOT NULL REFERENCES proposals (id) ON DELETE CASCADE,
        position bigint NOT NULL,
        kind text NOT NULL CHECK (kind IN ('eligibility', 'content', 'format', 'attachment', 'deadline')),
        words text NOT NULL,
        page bigint NOT NULL,
        span_start bigint,
        span_end bigint,
        weight bigint,
        limit_value bigint,
        limit_unit text CHECK (limit_unit IN ('words', 'characters', 'pages')),
        mapped_by_hand boolean NOT NULL
    )
    """,
    "CREATE INDEX requirements_by_proposal ON requirements (org_id, proposal_id, position)",
    "CREATE INDEX requirements_of_proposal ON requirements (proposal_id)",
    """
    CREATE TABLE requirement_sections (
        requirement_id uuid NOT NULL REFERENCES requirements (id) ON DELETE CASCADE,
        section_id uuid NOT NULL REFERENCES sections (id) ON DELETE CASCADE,
        org_id uuid NOT NULL,
        proposal_id uuid NOT NULL,
        PRIMARY KEY (requirement_id, section_id)
    )
    """,
    "CREATE INDEX requirement_sections_by_proposal ON requirement_sections (org_id, proposal_id)",
    "CREATE INDEX requirement_sections_of_section ON requirement_sections (section_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    for table in ("requirements", "requirement_sections"):
        enable_row_level_security(op, table, service="ai")
