"""Orgs, their members and invites."""
