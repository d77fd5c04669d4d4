"""Billing: what is paid is what you may do."""
