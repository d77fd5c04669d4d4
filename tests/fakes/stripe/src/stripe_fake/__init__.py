"""A small stateful Stripe: the pinned API version over HTTP, hosted pages and signed webhooks, for tests and demos.

It never sees a real card. What it models and what it leaves out stands in the README beside the package.
"""

API_VERSION = "2026-10-28.endive"
