"""Who writes the text: one port, one module per party behind it.

AI_PROVIDER=local      the built-in drafter: deterministic, offline, composes from what it is given
"""
