"""pre: Which prompt a generation came from, and the vendor's own count of its tokens."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE generations
            ADD COLUMN input_tokens bigint,
            ADD COLUMN output_tokens bigint,
            ADD COLUMN prompt text,
            ADD COLUMN prompt_checksum text
        """
    )
