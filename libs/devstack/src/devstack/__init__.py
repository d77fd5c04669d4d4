"""Starts the real servers and the services on one machine.

Layers, each using only those before it: ``errors`` and ``processes`` (spawn, watch, stop), ``binaries`` and ``ports``,
``servers`` (PostgreSQL, NATS, Valkey, Envoy), ``stack`` (what a stack is made of), ``supervisor`` (keeps it running),
``cli`` (the commands behind ``./bidwright``). ``pytest_plugin`` gives tests the servers without the supervisor.
"""
