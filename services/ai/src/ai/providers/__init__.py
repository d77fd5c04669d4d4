"""Who writes the text: one port; behind it the built-in drafter, or a chain of vendors.

AI_PROVIDER=local                 deterministic, offline: composes from what it is given, and says so
AI_PROVIDER=openai>gemini>local   asks one after the other (chain.py), each by an adapter to its SDK (vendors/)
"""
