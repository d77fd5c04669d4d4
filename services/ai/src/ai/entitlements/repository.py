"""Reads and writes of one org's entitlements and charges."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ai.entitlements.domain import ChargedTo, Entitlements, ProposalsUsed
from ai.entitlements.models import EntitlementRow, ProposalCharge
from ai.errors import EntitlementsUnknown
from common.db import unit_of

_LOCK: Final = """
SELECT tier, active_cap, monthly_cap, ai_daily, ai_monthly_tokens, extras_granted, period_start, period_end
FROM entitlements WHERE org_id = %(org_id)s FOR UPDATE
"""
"""The fields of `Entitlements` in their order."""


class EntitlementsRepository:
    """One org's entitlements within the caller's transaction."""

    def __init__(self, session: AsyncSession, org_id: UUID) -> None:
        self._session = session
        self._org_id = org_id

    async def lock(self) -> Entitlements:
        """The entitlements, locked until the transaction ends, so that what is counted stays true.

        Raises EntitlementsUnknown when billing has not spoken about this org yet.
        """
        found = await unit_of(self._session).sql(_LOCK, {"org_id": self._org_id})
        if not found:
            raise EntitlementsUnknown
        return Entitlements(*found[0])

    async def store(self, entitlements: Entitlements, version: int) -> None:
        """Replaces the copy; the inbox has already dropped what is older."""
        values = {
            "tier": entitlements.tier,
            "active_cap": entitlements.active_cap,
            "monthly_cap": entitlements.monthly_cap,
            "ai_daily": entitlements.ai_daily,
            "ai_monthly_tokens": entitlements.ai_monthly_tokens,
            "extras_granted": entitlements.extras_granted,
            "period_start": entitlements.period_start,
            "period_end": entitlements.period_end,
            "version": version,
        }
        await self._session.execute(
            insert(EntitlementRow)
            .values(org_id=self._org_id, **values)
            .on_conflict_do_update(index_elements=[EntitlementRow.org_id], set_=values)
        )

    async def proposals_used(self, period_start: datetime) -> ProposalsUsed:
        """What the ledger says; exact while the entitlements are locked."""
        by_cap = case((ProposalCharge.charged_to == "cap", 1))
        row = (
            await self._session.execute(
                select(
                    func.count(),
                    func.count(by_cap).filter(ProposalCharge.created_at >= period_start),
                    func.count().filter(ProposalCharge.charged_to == "extras"),
                ).where(ProposalCharge.org_id == self._org_id)
            )
        ).one()
        return ProposalsUsed(ever=row[0], in_period=row[1], extras=row[2])

    def add_charge(self, proposal_id: UUID, charged_to: ChargedTo, at: datetime) -> None:
        """Books a proposal against an allowance."""
        self._session.add(
            ProposalCharge(proposal_id=proposal_id, org_id=self._org_id, charged_to=charged_to, created_at=at)
        )
