"""pre: Who wrote each paragraph of a revision; requests whose words are redacted once nobody needs them."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("ALTER TABLE section_revisions ADD COLUMN provenance jsonb")
    op.execute("ALTER TABLE generations ADD COLUMN request_redacted boolean NOT NULL DEFAULT false")
    op.execute(
        "CREATE INDEX generations_to_redact ON generations (finished_at)"
        " WHERE NOT request_redacted AND finished_at IS NOT NULL"
    )
    # The timer has no org: it sees which requests have ended and are not redacted, and no other row of anybody.
    op.execute(
        "CREATE POLICY unredacted ON generations FOR SELECT TO ai_worker"
        " USING (NOT request_redacted AND finished_at IS NOT NULL"
        " AND (SELECT current_setting('app.redact_ended', true)) = '1')"
    )
