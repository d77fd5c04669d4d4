"""Every test can have the real servers: see devstack.pytest_plugin."""

pytest_plugins = ["devstack.pytest_plugin"]
