"""pre: What passages are about, as vectors; German words beside the English ones.

What is there already is indexed by jobs, which the worker's timer orders document by document
(`ai.knowledge.indexing`); it may be stopped at any time. Needs the extension `vector`, which provisioning makes.
"""

from alembic import op

from common.migrations import enable_row_level_security

revision = "0005"
down_revision = "0004"

_WANTED = "(SELECT nullif(current_setting('app.embedding', true), ''))"


def upgrade() -> None:
    op.execute("ALTER TABLE documents ADD COLUMN indexed_with text")
    op.execute("ALTER TABLE passages ADD COLUMN words_german tsvector")
    op.execute(
        """
        CREATE TABLE passage_vectors (
            passage_id bigint PRIMARY KEY REFERENCES passages (id) ON DELETE CASCADE,
            org_id uuid NOT NULL,
            document_id uuid NOT NULL,
            embedding text NOT NULL,
            vector extensions.halfvec NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX passage_vectors_by_document ON passage_vectors (org_id, document_id)")
    enable_row_level_security(op, "passage_vectors", service="ai")
    # The timer has no org: it sees which documents lack an index, and no other row of anybody.
    op.execute(
        "CREATE POLICY unindexed ON documents FOR SELECT TO ai_worker"  # noqa: S608  # constants
        f" USING (status = 'ready' AND {_WANTED} IS NOT NULL AND indexed_with IS DISTINCT FROM {_WANTED})"
    )
