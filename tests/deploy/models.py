"""Which settings exist, by the code that reads them."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from contracts import SERVICES
from gateway.edge.settings import EdgeSettings

# Read by libraries, or by the provisioner and by what makes the secrets.
OTHERS = re.compile(r"(OTEL|AWS)_[A-Z0-9_]+|S3_ENDPOINT_URL|SECRETS_DIR|(GATEWAY|BILLING|AI|EXPORTS|UPLOADS)_UPSTREAM")
PROVISIONING = {"PROVISION_POSTGRES_URL", "PROVISION_DATABASE", "PROVISION_PASSWORDS", "PROVISION_NATS_URL",
                "PROVISION_NATS_REPLICAS"}  # fmt: skip


def model(service: str) -> Any:
    """A service's settings class."""
    return importlib.import_module(f"{service}.settings").Settings


def known() -> set[str]:
    """Every key that some process of ours reads."""
    classes = [*(model(service) for service in SERVICES), EdgeSettings]
    return {name.upper() for one in classes for name in one.model_fields}


def is_known(key: str) -> bool:
    """Whether any process of ours reads the key."""
    return key in known() or OTHERS.fullmatch(key) is not None


def secrets_of(service: str) -> set[str]:
    """The keys of a service whose values are secret."""
    return {
        name.upper() for name, field in model(service).model_fields.items() if SecretStr in _types(field.annotation)
    }


def _types(annotation: Any) -> tuple[Any, ...]:
    return getattr(annotation, "__args__", (annotation,))


def only(patch: pytest.MonkeyPatch, environment: Mapping[str, str], secrets: Path | None = None) -> None:
    """Makes the process see this environment and these files, and nothing else."""
    for key in list(os.environ):
        patch.delenv(key)
    for key, value in environment.items():
        patch.setenv(key, value)
    if secrets is not None:
        patch.setenv("SECRETS_DIR", str(secrets))
