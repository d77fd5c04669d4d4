"""A bad setting stops the process with one line that names it."""

from __future__ import annotations

import pytest

from common.settings import SettingsError, read
from gateway.decision.signer import Signer
from gateway.settings import Settings

KEYS = {
    "SECRET_KEY": "s" * 40,
    "PORT": "1",
    "DATABASE_URL": "postgresql://a@b/c",
    "NATS_URL": "nats://a",
    "REDIS_URL": "redis://a",
    "DEBUG": "1",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in KEYS.items():
        monkeypatch.setenv(key, value)


@pytest.mark.parametrize(
    ("key", "value", "debug"),
    [
        ("JWT_SIGNING_KEY", "", "0"),
        ("JWT_SIGNING_KEY", "no pem", "1"),
        ("JWT_SIGNING_KEY", "s" * 40, "1"),
        ("SESSION_IDLE_MINUTES", "0", "1"),
        ("API_RATE_PER_MIN_FREE", "many", "1"),
        ("REDIS_URL", "", "1"),
    ],
)
def test_it_names_the_key(monkeypatch: pytest.MonkeyPatch, key: str, value: str, debug: str) -> None:
    monkeypatch.setenv("DEBUG", debug)
    monkeypatch.setenv(key, value)
    with pytest.raises(SettingsError, match=f"^{key}: ") as caught:
        read(Settings)
    assert "\n" not in str(caught.value)


def test_development_needs_no_signing_key() -> None:
    settings = read(Settings)
    assert settings.jwt_signing_key is None
    assert settings.hands_out_tokens
    assert Signer(None).published()["keys"]
