"""Proposals, their sections, and the drafting of them."""
