"""Migrations of the ai schema, run by `common.migrations` as the schema's owner."""
