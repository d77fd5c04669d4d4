"""The names of the service's own signals."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Histogram

RENDER_SECONDS: Final = Histogram(
    "bidwright_export_render_seconds",
    "Seconds to render one file, its wait for a turn included",
    ["format"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
EXPORTS_REUSED: Final = Counter(
    "bidwright_exports_reused", "Requests answered with a file that was there already", ["format"]
)
