"""pre: The answers that an org approved and keeps, how often each was used, and sections that can be put back."""

from alembic import op

from common.migrations import enable_row_level_security

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    """
    CREATE TABLE library_answers (
        id uuid PRIMARY KEY,
        org_id uuid NOT NULL,
        question text NOT NULL,
        answer text NOT NULL,
        tags jsonb NOT NULL,
        owner_id uuid,
        review_on date,
        state text NOT NULL CHECK (state IN ('active', 'archived')),
        proposal_id uuid REFERENCES proposals (id) ON DELETE SET NULL,
        section_id uuid REFERENCES sections (id) ON DELETE SET NULL,
        question_id text,
        uses bigint NOT NULL,
        last_used_at timestamptz,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        words tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('english', question)) STORED
    )
    """,
    "CREATE INDEX library_answers_by_org ON library_answers (org_id, id)",
    "CREATE INDEX library_answers_of_proposal ON library_answers (proposal_id)",
    "CREATE INDEX library_answers_of_section ON library_answers (section_id)",
    # One row for each time that an answer was used, so that the same use sent twice counts once.
    """
    CREATE TABLE library_uses (
        answer_id uuid NOT NULL REFERENCES library_answers (id) ON DELETE CASCADE,
        use_id uuid NOT NULL,
        org_id uuid NOT NULL,
        used_at timestamptz NOT NULL,
        PRIMARY KEY (answer_id, use_id)
    )
    """,
    "CREATE INDEX library_uses_by_org ON library_uses (org_id, answer_id)",
    "ALTER TABLE sections ADD COLUMN removed_at timestamptz",
)
ERASED = "(SELECT nullif(current_setting('app.erase_user_id', true), '')::uuid)"


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    for table in ("library_answers", "library_uses"):
        enable_row_level_security(op, table, service="ai")
    # As in 0001: the worker finds and empties a person's id in every org while that person is erased.
    op.execute(
        f"CREATE POLICY erase_see ON library_answers FOR SELECT TO ai_worker "
        f"USING ({ERASED} IS NOT NULL AND (owner_id IS NULL OR owner_id = {ERASED}))"
    )
    op.execute(
        f"CREATE POLICY erase_empty ON library_answers FOR UPDATE TO ai_worker "
        f"USING (owner_id = {ERASED}) WITH CHECK ({ERASED} IS NOT NULL AND owner_id IS NULL)"
    )
