"""Tables: the copy of an org's entitlements, and a row for each proposal that was ever paid for."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from ai.tables import Base


class EntitlementRow(Base):
    """What an org may do. Its row is also the lock under which quota and caps are decided."""

    __tablename__ = "entitlements"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    tier: Mapped[str]
    active_cap: Mapped[int | None]
    monthly_cap: Mapped[int | None]
    ai_daily: Mapped[int | None]
    ai_monthly_tokens: Mapped[int | None]
    extras_granted: Mapped[int]
    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    version: Mapped[int]


class ProposalCharge(Base):
    """A proposal that was made, and the allowance that paid for it; stays when the proposal is deleted."""

    __tablename__ = "proposal_charges"
    __table_args__ = (Index("proposal_charges_by_time", "org_id", "created_at"),)

    proposal_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    charged_to: Mapped[str]
    created_at: Mapped[datetime]
