"""What one running fake was started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Config:
    """Addresses, secrets and pace.

    `webhook_url` empty: events are kept and can be listed, and delivered only to endpoints made by the API.
    `webhook_ca`: a certificate in PEM that `webhook_url` is known by, for one that no public authority signed.
    `tick` is how often, in seconds, renewals and the ends of trials are looked for that the time of day has brought.
    `retry_base` is the first back-off in seconds; it doubles up to `retry_max`, for at most `max_attempts` tries.
    """

    public_url: str
    state: Path
    webhook_url: str = ""
    webhook_secret: str = ""
    webhook_ca: Path | None = None
    tick: float = 60.0
    retry_base: float = 0.5
    retry_max: float = 60.0
    max_attempts: int = 20
