"""Pure rules of accounts: addresses and lifetimes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from email_validator import EmailNotValidError, validate_email

REGISTRATION_LIFE: Final = timedelta(days=2)
RESET_LIFE: Final = timedelta(hours=1)
MAILS_PER_HOUR: Final = 10
"""To one address and for one purpose; what a stranger can cause by typing somebody's address again and again."""


def normal_email(text: str) -> str:
    """The address in the one spelling that we store and compare. Raises ValueError with what is wrong."""
    try:
        # Reserved names such as `.test` are let through: mail to them goes nowhere, which harms nobody.
        found = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    return found.normalized.lower()


def session_ends(absolute_end: datetime, last_seen_at: datetime, idle: timedelta) -> datetime:
    """When a session ends if it is not used again: the absolute or the sliding end, whichever comes first."""
    return min(absolute_end, last_seen_at + idle)


def personal_org_name(name: str) -> str:
    """What a person's own org is called at first."""
    return f"{name}'s workspace"
