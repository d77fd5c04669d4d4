"""Billing's use cases. Each opens its units of work, says commit, and writes what it tells others to the outbox."""
