"""What the ai service refuses, beside the refusals that all services share.

BidwrightError
  x  QuotaExceeded               402  common
  x  Conflict                    409
     +  SectionLocked
     +  GenerationRunning
     +  RevisionCapReached
     +  GenerationFailed
     +  EntitlementsUnknown            by way of NotYetConsistent
  x  StaleRevision               412  common
  x  RateLimited                 429
     +  DailyCapReached
     +  MonthlyTokensReached
  x  Unavailable                 503
     +  ProviderUnavailable
"""

from __future__ import annotations

from common.errors import Conflict, NotYetConsistent, RateLimited, Unavailable


class SectionLocked(Conflict):
    """This section is approved; take the approval back before you change it."""

    error = "section_locked"


class GenerationRunning(Conflict):
    """Something is being written here already; wait for it or cancel it."""

    error = "generation_running"


class RevisionCapReached(Conflict):
    """This section was revised as often as is allowed; write it anew or approve it."""

    error = "revision_cap_reached"


class DailyCapReached(RateLimited):
    """Your organisation has used its AI requests for today."""

    error = "daily_cap_reached"


class MonthlyTokensReached(RateLimited):
    """Your organisation has used its AI tokens for this month."""

    error = "monthly_tokens_reached"


class EntitlementsUnknown(NotYetConsistent):
    """Your plan is being set up; try again in a moment."""


class ProviderUnavailable(Unavailable):
    """The AI provider does not answer just now; your text is unchanged, try again in a moment."""

    error = "provider_unavailable"


class GenerationFailed(Conflict):
    """This could not be written; your text is unchanged."""
