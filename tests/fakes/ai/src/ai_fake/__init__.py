"""A small server that speaks the wire protocols of OpenAI, Gemini and Anthropic to their unchanged SDKs.

It is no model: it says what it was told to say, and fails as it was told to fail.
"""
