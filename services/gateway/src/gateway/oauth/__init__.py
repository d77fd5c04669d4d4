"""Signing in with an account at Google, GitHub or Facebook."""
