"""Settings come from the environment, and a bad one stops the process with one line that names the key."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from common.settings import ServiceSettings, SettingsError, load, read

GOOD = {
    "SECRET_KEY": "k" * 32,
    "PORT": "8001",
    "DATABASE_URL": "postgresql://shared",
    "NATS_URL": "nats://n",
}


class Settings(ServiceSettings):
    SERVICE: ClassVar[str] = "billing"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for key in ("DEBUG", "BILLING_DATABASE_URL", "SECRET_KEY_FILE", "HOST"):
        monkeypatch.delenv(key, raising=False)
    for key, value in GOOD.items():
        monkeypatch.setenv(key, value)
    return monkeypatch


class TestRead:
    def test_the_services_own_key_wins(self, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("BILLING_DATABASE_URL", "postgresql://own")
        assert read(Settings).database_url.get_secret_value() == "postgresql://own"

    def test_an_empty_value_means_unset(self, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("BILLING_DATABASE_URL", "")
        environment.setenv("HOST", " ")
        settings = read(Settings)
        assert (settings.database_url.get_secret_value(), settings.host) == ("postgresql://shared", "127.0.0.1")

    def test_a_secret_may_come_from_a_file(self, environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("f" * 40 + "\n")
        environment.delenv("SECRET_KEY")
        environment.setenv("SECRET_KEY_FILE", str(tmp_path / "key"))
        assert read(Settings).secret_key.get_secret_value() == "f" * 40

    def test_a_folder_of_secrets_has_a_file_for_each_key(self, environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "SECRET_KEY").write_text("f" * 40 + "\n")
        (tmp_path / "BILLING_NATS_URL").write_text("nats://own")
        (tmp_path / "NATS_URL").write_text("nats://shared")
        (tmp_path / "HOST").write_text("\n")
        for key in ("SECRET_KEY", "NATS_URL"):
            environment.delenv(key)
        environment.setenv("SECRETS_DIR", str(tmp_path))
        settings = read(Settings)
        assert settings.secret_key.get_secret_value() == "f" * 40
        assert settings.nats_url.get_secret_value() == "nats://own"
        assert settings.host == "127.0.0.1", "an empty file means unset"

    def test_the_environment_wins_over_the_folder(self, environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "BILLING_DATABASE_URL").write_text("postgresql://file")
        environment.setenv("SECRETS_DIR", str(tmp_path))
        assert read(Settings).database_url.get_secret_value() == "postgresql://shared"

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("PORT", "http"),
            ("PORT", "70000"),
            ("DATABASE_URL", None),
            ("SECRET_KEY", None),
            ("SECRET_KEY", "short"),
            ("LOG_LEVEL", "loud"),
            ("DEBUG", "maybe"),
        ],
    )
    def test_a_bad_or_missing_one_names_its_key(
        self, environment: pytest.MonkeyPatch, key: str, value: str | None
    ) -> None:
        if value is None:
            environment.delenv(key)
        else:
            environment.setenv(key, value)
        with pytest.raises(SettingsError, match=key):
            read(Settings)

    def test_a_file_that_cannot_be_read_names_its_key(self, environment: pytest.MonkeyPatch) -> None:
        environment.delenv("SECRET_KEY")
        environment.setenv("SECRET_KEY_FILE", "/nowhere/key")
        with pytest.raises(SettingsError, match="SECRET_KEY_FILE: cannot read /nowhere/key"):
            read(Settings)

    def test_a_short_secret_is_fine_in_development(self, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("SECRET_KEY", "short")
        environment.setenv("DEBUG", "1")
        assert read(Settings).debug


class TestLoad:
    def test_it_ends_the_process_with_one_line(
        self, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        environment.delenv("NATS_URL")
        with pytest.raises(SystemExit) as stopped:
            load(Settings)
        assert stopped.value.code == 2
        assert capsys.readouterr().err == "billing: NATS_URL: is not set, and has no default\n"
