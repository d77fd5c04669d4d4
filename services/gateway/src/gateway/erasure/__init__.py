"""Erasures: what was asked for, and who has answered."""
