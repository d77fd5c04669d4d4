"""Settings are read once, at start, from the environment; a bad or missing one stops the process with one line.

For a service `billing` and a field `database_url` the sources are, first match wins: `BILLING_DATABASE_URL`,
`BILLING_DATABASE_URL_FILE`, `DATABASE_URL`, `DATABASE_URL_FILE`, a file of either name in the folder SECRETS_DIR, the
default. An empty value means unset.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

S = TypeVar("S", bound="ServiceSettings")

EXIT_BAD_SETTING = 2


class SettingsError(Exception):
    """A setting is missing or wrong; the message is one line that names the key and says what to do."""


def lookup(key: str, *, service: str = "", environ: Mapping[str, str] = os.environ) -> str | None:
    """The value of a key, or None when it is nowhere set. Raises SettingsError when a named file cannot be read.

    Args:
        service: whose own value, `BILLING_KEY`, wins over the common one.
    """
    candidates = (f"{service.upper()}_{key}", key) if service else (key,)
    for candidate in candidates:
        if value := environ.get(candidate, "").strip():
            return value
        if path := environ.get(f"{candidate}_FILE", "").strip():
            return _read(f"{candidate}_FILE", Path(path))
    if folder := environ.get("SECRETS_DIR", "").strip():
        for candidate in candidates:
            # A file that is there but empty stands for a secret that this installation does not have.
            if (file := Path(folder) / candidate).is_file() and (value := _read("SECRETS_DIR", file)):
                return value
    return None


def _read(key: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{key}: cannot read {path}: {error.strerror}") from error


class _EnvironmentSource(PydanticBaseSettingsSource):
    """The environment, with service prefixes and secrets in files."""

    def __init__(self, settings_cls: type[BaseSettings], service: str, environ: Mapping[str, str]) -> None:
        super().__init__(settings_cls)
        self._service = service
        self._environ = environ

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return lookup(field_name.upper(), service=self._service, environ=self._environ), field_name, False

    def __call__(self) -> dict[str, Any]:
        values = {}
        for name, field in self.settings_cls.model_fields.items():
            value, _, _ = self.get_field_value(field, name)
            if value is not None:
                values[name] = value
        return values


class ServiceSettings(BaseSettings):
    """What every service reads. A service subclasses it, sets SERVICE and adds its own keys."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    SERVICE: ClassVar[str] = ""

    debug: bool = False
    secret_key: SecretStr
    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    database_url: SecretStr
    database_pool_size: int = Field(default=10, ge=1, le=100)
    """Connections of one process; Postgres' max_connections must hold the sum of them."""
    nats_url: SecretStr
    public_base_url: str = "http://localhost:8080"
    identity_jwks_url: str = ""
    clock_file: str = ""
    """Moves the clock that the rules read (`common.clock.SteeredClock`); nothing but DEBUG=1 makes it count."""
    shutdown_grace_seconds: float = Field(default=8.0, ge=0, le=600)
    shutdown_unready_seconds: float = Field(default=0.0, ge=0, le=60)
    """How long a process that is told to stop says so on /readyz while it still serves; 0 where nobody would notice."""
    """How long running requests and jobs may take to finish after a stop signal; a supervisor must wait longer."""

    @model_validator(mode="after")
    def _check_secret(self) -> ServiceSettings:
        if not self.debug and len(self.secret_key.get_secret_value()) < 32:
            raise ValueError(
                "SECRET_KEY: at least 32 bytes are needed when DEBUG=0; make one with `openssl rand -hex 32`"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, _EnvironmentSource(settings_cls, cls.SERVICE, os.environ))


def read(settings_class: type[S]) -> S:
    """Reads and checks the settings; raises SettingsError with one line that names the first bad key."""
    try:
        return settings_class()
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        key = "_".join(str(part) for part in first["loc"]).upper()
        if first["type"] == "missing":
            message = "is not set, and has no default"
        raise SettingsError(f"{key}: {message}" if key else message) from error


def load(settings_class: type[S]) -> S:
    """Like `read`, for a process entry: a bad setting prints one line to stderr and exits with code 2."""
    try:
        return read(settings_class)
    except SettingsError as error:
        sys.stderr.write(f"{settings_class.SERVICE}: {error}\n")
        raise SystemExit(EXIT_BAD_SETTING) from None
