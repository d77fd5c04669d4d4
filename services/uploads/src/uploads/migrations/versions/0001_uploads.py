"""pre: Uploads, their text, the storage of an org."""

from __future__ import annotations

from alembic import op

from common.migrations import create_plumbing, enable_row_level_security

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE uploads (
        id uuid PRIMARY KEY,
        org_id uuid NOT NULL,
        uploaded_by uuid,
        proposal_id uuid,
        filename text NOT NULL,
        kind text NOT NULL,
        content_type text NOT NULL,
        size bigint NOT NULL CHECK (size > 0),
        sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        status text NOT NULL CHECK (status IN ('processing', 'ready', 'unreadable')),
        reason text,
        page_count bigint,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX uploads_by_org ON uploads (org_id, id)",
    "CREATE INDEX uploads_by_content ON uploads (org_id, sha256)",
    """
    CREATE TABLE upload_pages (
        upload_id uuid NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
        number bigint NOT NULL,
        org_id uuid NOT NULL,
        text text NOT NULL,
        ocr boolean NOT NULL,
        PRIMARY KEY (upload_id, number)
    )
    """,
    """
    CREATE TABLE org_storage (
        org_id uuid PRIMARY KEY,
        bytes_used bigint NOT NULL DEFAULT 0 CHECK (bytes_used >= 0),
        erased_at timestamptz
    )
    """,
    """
    CREATE TABLE storage_claims (
        id uuid PRIMARY KEY,
        org_id uuid NOT NULL,
        sha256 text NOT NULL,
        size bigint NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX storage_claims_by_org ON storage_claims (org_id, sha256)",
    "CREATE INDEX storage_claims_by_age ON storage_claims (expires_at)",
    """
    CREATE TABLE entitlements (
        org_id uuid PRIMARY KEY,
        tier text NOT NULL,
        storage_bytes bigint
    )
    """,
)
_ERASING = "(SELECT nullif(current_setting('app.erasing_user_id', true), '')::uuid)"


def upgrade() -> None:
    create_plumbing(op, "uploads")
    for statement in _TABLES:
        op.execute(statement)
    for table in ("uploads", "upload_pages", "org_storage", "entitlements"):
        enable_row_level_security(op, table, service="uploads")
    # The sweep finds what a kill left behind in any org, as it finds lost jobs.
    enable_row_level_security(op, "storage_claims", service="uploads", worker_sees_all=True)
    # Erasing a person reaches into every org they uploaded to: only their rows, only to take their id away.
    # (A row has to be visible before and after the update, hence the first policy's NULL.)
    op.execute(
        "CREATE POLICY erase_person_find ON uploads FOR SELECT TO uploads_worker "
        f"USING ({_ERASING} IS NOT NULL AND (uploaded_by = {_ERASING} OR uploaded_by IS NULL))"
    )
    op.execute(
        "CREATE POLICY erase_person ON uploads FOR UPDATE TO uploads_worker "
        f"USING (uploaded_by = {_ERASING}) WITH CHECK (uploaded_by IS NULL)"
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
