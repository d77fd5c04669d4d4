from __future__ import annotations

from pathlib import Path

import pytest

from devstack import options
from devstack.errors import UsageError


class TestParsePair:
    @pytest.mark.parametrize(
        "text",
        [
            "DEBUG=1",
            "QUOTA_FREE_ACTIVE_CAP=3",
            "BILLING_DATABASE_URL=postgresql://x/y",
            "SECRET_KEY_FILE=/run/secrets/key",
            "AI_DAILY_REQUEST_CAP_PRO=5",
            "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318",
            "OPENAI_BASE_URL=http://127.0.0.1:1/v1?a=b",
            "OAUTH_GOOGLE_ISSUER=http://127.0.0.1:1",
            "STRIPE_SECRET_KEY=",
        ],
    )
    def test_a_documented_key_is_taken(self, text: str) -> None:
        key, value = options.parse_pair(text)
        assert f"{key}={value}" == text

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("QUOTA_FREE_ACTIV_CAP=3", "did you mean QUOTA_FREE_ACTIVE_CAP?"),
            ("NONSENSE_KEY=1", "unknown setting NONSENSE_KEY"),
            ("DEBUG", "is not KEY=VALUE"),
            ("debug=1", "no setting's name"),
            ("=1", "no setting's name"),
            ("DEBUG=1\0", "NUL"),
        ],
    )
    def test_anything_else_is_refused_in_one_line(self, text: str, said: str) -> None:
        with pytest.raises(UsageError) as refusal:
            options.parse_pair(text)
        assert said in str(refusal.value)
        assert "\n" not in str(refusal.value)


class TestParseFile:
    def test_comments_quotes_and_export_are_understood(self, tmp_path: Path) -> None:
        file = tmp_path / "env"
        file.write_text("# why\n\nexport DEBUG=1\nPUBLIC_BASE_URL='http://localhost:1'\nLOG_LEVEL=\"info\"\n")
        assert options.parse_file(file) == {
            "DEBUG": "1",
            "PUBLIC_BASE_URL": "http://localhost:1",
            "LOG_LEVEL": "info",
        }

    def test_a_wrong_line_is_named(self, tmp_path: Path) -> None:
        file = tmp_path / "env"
        file.write_text("DEBUG=1\nnonsense\n")
        with pytest.raises(UsageError, match=r"env:2: 'nonsense' is not KEY=VALUE"):
            options.parse_file(file)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="no such file"):
            options.parse_file(tmp_path / "none")
