"""The secrets of an installation are made once, each process' own in a folder of its own."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from common import deploy_secrets, provision
from contracts import SERVICES
from devstack import parts


def contents(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "secrets"
    assert deploy_secrets.main([str(found)]) == 0
    return found


class TestFolder:
    def test_run_again_it_changes_nothing(self, folder: Path) -> None:
        before = contents(folder)
        assert deploy_secrets.main([str(folder)]) == 0
        assert contents(folder) == before

    def test_what_comes_from_outside_is_left_alone(self, folder: Path) -> None:
        ours = folder / "billing-app" / "STRIPE_SECRET_KEY"
        assert ours.read_text() == ""
        ours.chmod(0o600)
        ours.write_text("sk_live_1")
        assert deploy_secrets.main([str(folder)]) == 0
        assert ours.read_text() == "sk_live_1"

    def test_a_login_that_a_later_version_adds_is_made(self, folder: Path) -> None:
        keep = folder / deploy_secrets.KEPT
        kept = json.loads(keep.read_text())
        lost = kept["passwords"].pop("ai_worker")
        keep.write_text(json.dumps(kept))
        assert deploy_secrets.main([str(folder)]) == 0
        again = json.loads(keep.read_text())
        assert again["passwords"].pop("ai_worker") != lost
        assert again == kept

    def test_only_its_owner_may_enter(self, folder: Path) -> None:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / deploy_secrets.KEPT).stat().st_mode) == 0o600
        # A container's user is another one: what is mounted must be open to it, what is not must be closed.
        assert stat.S_IMODE((folder / "ai-app" / "DATABASE_URL").stat().st_mode) == 0o444

    def test_a_folder_that_cannot_be_is_one_line(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "file").touch()
        assert deploy_secrets.main([str(tmp_path / "file")]) == 1
        assert capsys.readouterr().err.startswith(f"deploy_secrets: {tmp_path / 'file'}: ")


class TestLeastPrivilege:
    def test_a_process_has_its_own_logins_alone(self, folder: Path) -> None:
        passwords = json.loads((folder / deploy_secrets.KEPT).read_text())["passwords"]
        for service in SERVICES:
            for kind in ("app", "worker", "migrate"):
                text = "\n".join(file.read_text() for file in (folder / f"{service}-{kind}").iterdir())
                seen = {login for login, password in passwords.items() if password in text}
                own = {f"{service}_owner"} if kind == "migrate" else {f"{service}_{kind}", service}
                assert seen == own | ({"valkey"} if service == "gateway" and kind != "migrate" else set())
        text = (folder / "nats" / "PROVISION_PASSWORDS").read_text()
        assert {login for login, password in passwords.items() if password in text} == {*SERVICES, "admin"}

    def test_every_login_that_the_product_has_is_made(self) -> None:
        assert set(deploy_secrets.logins()) == set(parts.password_names())
        assert set(provision.roles()) < set(deploy_secrets.logins())
