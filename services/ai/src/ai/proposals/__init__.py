"""Proposals: what a team writes in answer to a call."""
