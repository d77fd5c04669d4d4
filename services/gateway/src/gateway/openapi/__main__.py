"""`python -m gateway.openapi > FILE`: the merged document of the services that the *_UPSTREAM keys name.

It fails when one does not answer: a committed document must be whole.
"""

from __future__ import annotations

import asyncio
import json
import sys

from contracts.base import SERVICES
from gateway.edge.settings import EdgeSettings
from gateway.openapi.collector import fetch
from gateway.openapi.merge import merge


def main(argv: list[str] | None = None) -> int:
    """Writes the document to standard output; 1 and a line on standard error when a service is missing."""
    del argv
    settings = EdgeSettings()
    documents = asyncio.run(fetch(settings.upstreams))
    missing = sorted(set(SERVICES) - set(documents))
    if missing:
        sys.stderr.write(f"openapi: no answer from {', '.join(missing)}; start them, or set their *_UPSTREAM\n")
        return 1
    sys.stdout.write(json.dumps(merge(documents), indent=2, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
