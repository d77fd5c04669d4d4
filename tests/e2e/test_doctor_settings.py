"""doctor on settings alone, before anything runs: each fault is named, with the exit code of the settings page."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


class TestSettingsAlone:
    def write(self, file: Path, **more: str) -> Path:
        (file.parent / "jwt.pem").write_text(signing_key())
        settings = {
            "SECRET_KEY": "s" * 40,
            "JWT_SIGNING_KEY_FILE": str(file.parent / "jwt.pem"),
            "DATABASE_URL": "postgresql://app@db/bidwright",
            "NATS_URL": "nats://app@nats",
            "REDIS_URL": "redis://valkey",
            "PUBLIC_BASE_URL": "https://bids.example.org",
            "ALLOWED_HOSTS": "bids.example.org",
            "EMAIL_HOST": "mail.example.org",
            "STRIPE_WEBHOOK_SECRET": "whsec_x",
            **more,
        }
        file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return file

    def look(self, root: Path, file: Path, *words: str) -> tuple[int, list[dict[str, str]]]:
        argv = [sys.executable, str(root / "bidwright"), "doctor", "--json", "--env", str(file), *words]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, [one for check in json.loads(done.stdout)["checks"] for one in check["findings"]]

    def test_a_good_set_is_fine(self, pytestconfig: pytest.Config, tmp_path: Path) -> None:
        assert self.look(pytestconfig.rootpath, self.write(tmp_path / "env"), "--strict") == (0, [])

    @pytest.mark.parametrize(
        ("key", "value", "says", "code"),
        [
            ("SECRET_KEY", "short", "at least 32 bytes", 2),
            ("ALLOWED_HOSTS", "*", "name each host", 2),
            ("AI_TEST_OPEN", "1", "must not be set when DEBUG=0", 2),
            ("STRIPE_WEBHOOK_SECRET", "", "every webhook is refused", 2),
            ("QUOTA_FREE_ACTIVE_CAP", "many", "QUOTA_FREE_ACTIVE_CAP", 2),
            ("CELERY_BROKER_URL", "redis://old", "NATS: nothing reads it", 0),
            ("CELERY_RESULT_BACKEND", "redis://old", "NATS: nothing reads it", 0),
            ("QUOTA_FREE_ACTIVE_CAP", "0", "QUOTA_FREE_ACTIVE_CAP=0", 0),
            ("CSP_ALLOW_INLINE_STYLES", "1", "temporary way out", 0),
            ("SECRET_KEE", "x", "misspelt", 0),
            ("PUBLIC_BASE_URL", "http://localhost:8080", "is the loopback", 0),
        ],
    )
    def test_each_fault_is_named(
        self, pytestconfig: pytest.Config, tmp_path: Path, key: str, value: str, says: str, code: int
    ) -> None:
        file = self.write(tmp_path / "env", **{key: value})
        exit_code, findings = self.look(pytestconfig.rootpath, file, "--strict")
        assert any(says in one["cause"] for one in findings), findings
        assert exit_code == code
        if code:
            assert self.look(pytestconfig.rootpath, file)[0] == 1


def signing_key() -> str:
    """An Ed25519 private key as PEM."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return (
        Ed25519PrivateKey.generate()
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )
