"""The names of what a stack is made of, once, for the supervisor, the tests and the seed."""

from __future__ import annotations

import secrets

from contracts import SERVICES

__all__ = ["DATABASE", "SERVICES", "new_passwords", "password_names", "role"]

DATABASE = "bidwright"


def role(service: str, kind: str) -> str:
    """The login role of a service: ``owner`` migrates, ``app`` answers requests, ``worker`` relays and works."""
    return f"{service}_{kind}"


def password_names() -> tuple[str, ...]:
    """Every login of a stack: database roles, NATS users (named like the service), the two administrators."""
    roles = [role(service, kind) for service in SERVICES for kind in ("owner", "app", "worker")]
    return (*roles, "backup", *SERVICES, "admin", "postgres", "valkey")


def new_passwords() -> dict[str, str]:
    """A random password for each login; hexadecimal, so that it needs no quoting in an address."""
    return {name: secrets.token_hex(16) for name in password_names()}
