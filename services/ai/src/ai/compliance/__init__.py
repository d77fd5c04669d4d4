"""Compliance: what the call demands, which sections answer it, how far they are, and what is left before submission."""
