"""Whose rows a transaction may see."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose rows a transaction may see: the org's, and as a person, one's own memberships."""

    org_id: UUID | None = None
    user_id: UUID | None = None

    @classmethod
    def none(cls) -> Tenant:
        """No org: tenant tables show no row; for what is found before the org is known."""
        return cls()
