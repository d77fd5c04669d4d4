"""pre: The audit as a chain, and what an erasure still waits for.

The running version's inserts are chained too. Why a trigger: docs/decisions/0006-audit-chain.md.
"""

from __future__ import annotations

from alembic import op

from common.migrations import enable_row_level_security

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

HEADS = """
CREATE TABLE audit_heads (
    org_id uuid PRIMARY KEY,
    seq bigint NOT NULL,
    hash text NOT NULL
)
"""

CANONICAL = """
CREATE FUNCTION canonical_json(value jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    CASE jsonb_typeof(value)
    WHEN 'object' THEN
        RETURN '{' || coalesce((
            SELECT string_agg(to_json(key)::text || ':' || canonical_json(item), ',' ORDER BY key COLLATE "C")
            FROM jsonb_each(value) AS members (key, item)
        ), '') || '}';
    WHEN 'array' THEN
        RETURN '[' || coalesce((
            SELECT string_agg(canonical_json(item), ',' ORDER BY position)
            FROM jsonb_array_elements(value) WITH ORDINALITY AS items (item, position)
        ), '') || ']';
    WHEN 'number' THEN
        -- Languages write fractions in different ways, so that a hash over one could not be computed again.
        IF scale((value #>> '{}')::numeric) > 0 THEN
            RAISE EXCEPTION 'an audit row holds no fractions: %', value;
        END IF;
        RETURN value::text;
    ELSE
        RETURN value::text;
    END CASE;
END
$$
"""

HASH = """
CREATE FUNCTION audit_hash(entry audit) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN encode(sha256(convert_to(canonical_json(jsonb_build_object(
        'seq', entry.seq,
        'id', entry.id,
        'org_id', entry.org_id,
        'at', to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'actor_id', entry.actor_id,
        'actor', entry.actor,
        'action', entry.action,
        'target', entry.target,
        'detail', entry.detail,
        'request_id', entry.request_id,
        'previous', entry.previous
    )), 'UTF8')), 'hex');
END
$$
"""

CHAIN = """
CREATE FUNCTION chain_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = gateway, pg_temp AS $$
DECLARE
    head audit_heads;
BEGIN
    INSERT INTO audit_heads (org_id, seq, hash) VALUES (NEW.org_id, 0, '') ON CONFLICT DO NOTHING;
    -- Held until the end of the transaction: the rows of one org come one after the other.
    SELECT * INTO STRICT head FROM audit_heads WHERE org_id = NEW.org_id FOR UPDATE;
    NEW.seq := head.seq + 1;
    NEW.previous := head.hash;
    NEW.hash := audit_hash(NEW);
    UPDATE audit_heads SET seq = NEW.seq, hash = NEW.hash WHERE org_id = NEW.org_id;
    RETURN NEW;
END
$$
"""

CHAIN_OLD_ROWS = """
DO $$
DECLARE
    entry audit;
    head_org uuid;
    head_seq bigint;
    head_hash text;
BEGIN
    -- Ids grow with time, so the same rows always make the same chain.
    FOR entry IN SELECT * FROM audit ORDER BY org_id, id LOOP
        IF head_org IS DISTINCT FROM entry.org_id THEN
            head_org := entry.org_id;
            head_seq := 0;
            head_hash := '';
        END IF;
        entry.seq := head_seq + 1;
        entry.previous := head_hash;
        entry.hash := audit_hash(entry);
        UPDATE audit SET seq = entry.seq, previous = entry.previous, hash = entry.hash WHERE id = entry.id;
        head_seq := entry.seq;
        head_hash := entry.hash;
    END LOOP;
    INSERT INTO audit_heads (org_id, seq, hash)
    SELECT DISTINCT ON (org_id) org_id, seq, hash FROM audit ORDER BY org_id, seq DESC;
END
$$
"""

ERASURES = (
    """
    CREATE TABLE erasures (
        kind text NOT NULL CHECK (kind IN ('org', 'user')),
        subject_id uuid NOT NULL,
        org_id uuid NOT NULL,
        requested_at timestamptz NOT NULL,
        closed_at timestamptz,
        PRIMARY KEY (kind, subject_id)
    )
    """,
    "CREATE INDEX erasures_open ON erasures (requested_at) WHERE closed_at IS NULL",
    """
    CREATE TABLE erasure_receipts (
        kind text NOT NULL,
        subject_id uuid NOT NULL,
        service text NOT NULL,
        org_id uuid NOT NULL,
        erased_at timestamptz NOT NULL,
        PRIMARY KEY (kind, subject_id, service),
        FOREIGN KEY (kind, subject_id) REFERENCES erasures (kind, subject_id)
    )
    """,
)


def upgrade() -> None:
    _chain_the_audit()
    for statement in ERASURES:
        op.execute(statement)
    # The worker counts what is open in all orgs.
    enable_row_level_security(op, "erasures", service="gateway", worker_sees_all=True)
    enable_row_level_security(op, "erasure_receipts", service="gateway")
    op.execute("REVOKE DELETE ON erasures FROM gateway_app, gateway_worker")
    op.execute("REVOKE UPDATE, DELETE ON erasure_receipts FROM gateway_app, gateway_worker")


def _chain_the_audit() -> None:
    op.execute(HEADS)
    enable_row_level_security(op, "audit_heads", service="gateway")
    # The trigger writes as the owner, who is bound by the forced policy as well.
    op.execute("CREATE POLICY chain ON audit_heads TO gateway_owner USING (true) WITH CHECK (true)")
    op.execute("REVOKE INSERT, UPDATE, DELETE ON audit_heads FROM gateway_app, gateway_worker")
    op.execute("ALTER TABLE audit ADD COLUMN seq bigint, ADD COLUMN previous text, ADD COLUMN hash text")
    for function in (CANONICAL, HASH, CHAIN):
        op.execute(function)
    # Nobody writes a row between the old ones and the trigger.
    op.execute("LOCK TABLE audit IN ACCESS EXCLUSIVE MODE")
    op.execute("ALTER TABLE audit NO FORCE ROW LEVEL SECURITY")
    op.execute(CHAIN_OLD_ROWS)
    op.execute("ALTER TABLE audit FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE audit ALTER seq SET NOT NULL, ALTER previous SET NOT NULL, ALTER hash SET NOT NULL")
    op.execute("CREATE UNIQUE INDEX audit_chain ON audit (org_id, seq)")
    op.execute("CREATE TRIGGER chain BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION chain_audit()")


def downgrade() -> None:
    raise NotImplementedError("restore a backup of before instead")
