"""pre: The schema as exports starts with it."""

from alembic import op

from common.migrations import create_plumbing, enable_row_level_security

revision = "0001"
down_revision = None

TENANT_TABLES = ("orgs", "entitlements", "proposals", "section_texts", "artifacts", "exports")

STATEMENTS = (
    """
    CREATE TABLE orgs (
        org_id uuid PRIMARY KEY,
        name text NOT NULL,
        deleted boolean NOT NULL DEFAULT false
    )
    """,
    """
    CREATE TABLE entitlements (
        org_id uuid PRIMARY KEY,
        storage_bytes bigint
    )
    """,
    """
    CREATE TABLE proposals (
        id uuid PRIMARY KEY,
        org_id uuid NOT NULL,
        title text NOT NULL,
        state text NOT NULL,
        revision bigint NOT NULL,
        sections jsonb NOT NULL
    )
    """,
    "CREATE INDEX proposals_by_org ON proposals (org_id, id)",
    """
    CREATE TABLE section_texts (
        section_id uuid NOT NULL,
        revision bigint NOT NULL,
        org_id uuid NOT NULL,
        proposal_id uuid NOT NULL,
        text text NOT NULL,
        PRIMARY KEY (section_id, revision)
    )
    """,
    "CREATE INDEX section_texts_by_proposal ON section_texts (org_id, proposal_id)",
    """
    CREATE TABLE artifacts (
        org_id uuid NOT NULL,
        content_key text NOT NULL,
        sha256 text NOT NULL,
        size bigint NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (org_id, content_key)
    )
    """,
    "CREATE INDEX artifacts_by_sha256 ON artifacts (org_id, sha256)",
    """
    CREATE TABLE exports (
        id uuid PRIMARY KEY,
        org_id uuid NOT NULL,
        proposal_id uuid NOT NULL,
        proposal_revision bigint NOT NULL,
        format text NOT NULL,
        status text NOT NULL,
        content_key text NOT NULL,
        document text,
        manifest jsonb NOT NULL,
        filename text NOT NULL,
        sections_included bigint NOT NULL,
        sections_total bigint NOT NULL,
        requested_by uuid,
        job_id uuid,
        sha256 text,
        size bigint,
        error_code text,
        error_detail text,
        version bigint NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL,
        finished_at timestamptz
    )
    """,
    "CREATE INDEX exports_by_org ON exports (org_id, id)",
    "CREATE INDEX exports_by_proposal ON exports (org_id, proposal_id, id)",
    "CREATE INDEX exports_by_sha256 ON exports (org_id, sha256)",
    "CREATE INDEX exports_by_requester ON exports (requested_by) WHERE requested_by IS NOT NULL",
    """
    CREATE UNIQUE INDEX exports_once ON exports (org_id, proposal_id, proposal_revision, content_key)
    WHERE status <> 'failed'
    """,
)

# Erasing a person reaches into every org they exported in: the worker may see those rows (for their orgs, to set each
# as the tenant), and only while it has set that person.
OWN_EXPORTS = """
    CREATE POLICY own_exports ON exports FOR SELECT TO exports_worker
    USING (requested_by = (SELECT nullif(current_setting('app.user_id', true), '')::uuid))
"""


def upgrade() -> None:
    create_plumbing(op, "exports")
    for statement in STATEMENTS:
        op.execute(statement)
    for table in TENANT_TABLES:
        enable_row_level_security(op, table, service="exports")
    op.execute(OWN_EXPORTS)
