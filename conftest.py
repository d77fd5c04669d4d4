"""Every test can have the real servers: see devstack.pytest_plugin."""

import os

pytest_plugins = ["devstack.pytest_plugin"]

# Of two workers that start servers at the same moment neither may choose the other's ports.
if (worker := os.environ.get("PYTEST_XDIST_WORKER", "")).startswith("gw"):
    first = 20_000 + int(worker.removeprefix("gw")) % 4 * 3_000
    os.environ["BIDWRIGHT_PORTS"] = f"{first}-{first + 3_000}"
