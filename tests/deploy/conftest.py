"""The deployment files are checked without a cluster or an engine; kubectl comes from the test lock's wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from common import deploy_secrets


@pytest.fixture(scope="session")
def secrets_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Secrets as an operator makes them, by workload."""
    folder = tmp_path_factory.mktemp("installation") / "secrets"
    assert deploy_secrets.main([str(folder)]) == 0
    return folder
