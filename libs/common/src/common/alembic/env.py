"""Alembic's entry, shared by every service; `common.migrations` sets the connection and the folder of versions."""

from alembic import context
from sqlalchemy import text

from common.migrations import MIGRATION_LOCK_TIMEOUT

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=None, transaction_per_migration=True)
# A migration that waits behind a long transaction makes every query behind it wait too: give up instead, and retry.
connection.execute(text(f"SET lock_timeout = '{MIGRATION_LOCK_TIMEOUT}'"))
connection.commit()
with context.begin_transaction():
    context.run_migrations()
