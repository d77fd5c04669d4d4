"""What one running fake was started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Config:
    """Addresses, secrets and pace.

    `webhook_url` empty: events are kept and can be listed, but nothing is delivered.
    `retry_base` is the first back-off in seconds; it doubles up to `retry_max`, for at most `max_attempts` tries.
    """

    public_url: str
    state: Path
    webhook_url: str = ""
    webhook_secret: str = ""
    retry_base: float = 0.5
    retry_max: float = 60.0
    max_attempts: int = 20
