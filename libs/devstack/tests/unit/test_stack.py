from __future__ import annotations

from pathlib import Path

import pytest

from devstack.data import DataFolder
from devstack.stack import Stack


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    folder.open()
    return folder


class TestStripeFakeArgv:
    def test_it_posts_to_the_edge_in_the_clear_without_a_certificate(self, tmp_path: Path, data: DataFolder) -> None:
        argv = Stack.plan(tmp_path, data, 8080, {}).stripe_fake_argv()
        assert argv[argv.index("--webhook-url") + 1] == "http://127.0.0.1:8080/api/stripe/webhook"
        assert "--webhook-ca" not in argv

    def test_it_is_handed_the_certificate_of_the_edge(
        self, tmp_path: Path, data: DataFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        argv = Stack.plan(tmp_path, data, 8443, {"EDGE_TLS_CERT_FILE": "tls/edge.pem"}).stripe_fake_argv()
        assert argv[argv.index("--webhook-url") + 1] == "https://127.0.0.1:8443/api/stripe/webhook"
        assert argv[argv.index("--webhook-ca") + 1] == str(tmp_path / "tls" / "edge.pem")
