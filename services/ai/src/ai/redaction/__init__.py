"""Redaction: what is kept of a request has tokens where it spoke of people: their names, addresses and numbers."""
