from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from devstack.data import VERSION, DataFolder
from devstack.errors import DataFolderError


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "stack")
    folder.open()
    return folder


class TestOpen:
    def test_makes_the_folder_with_its_version(self, data: DataFolder) -> None:
        assert (data.path / "version").read_text() == f"{VERSION}\n"

    def test_an_empty_folder_is_taken(self, tmp_path: Path) -> None:
        DataFolder(tmp_path).open()

    def test_a_folder_of_somebody_else_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").write_text("mine")
        with pytest.raises(DataFolderError, match="not a data folder of Bidwright"):
            DataFolder(tmp_path).open()

    def test_a_newer_version_is_refused(self, data: DataFolder) -> None:
        (data.path / "version").write_text(f"{VERSION + 1}\n")
        with pytest.raises(DataFolderError, match="made by a newer Bidwright"):
            data.open()

    def test_a_path_below_a_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(DataFolderError, match="cannot use the data folder"):
            DataFolder(tmp_path / "file" / "stack").open()


class TestLock:
    def test_a_second_claim_is_refused(self, data: DataFolder) -> None:
        assert data.lock()
        assert not DataFolder(data.path).lock()


class TestSecrets:
    def test_they_are_made_once_and_only_the_owner_can_read_them(self, data: DataFolder) -> None:
        first = data.secrets()
        assert data.secrets().values == first.values
        assert stat.S_IMODE((data.path / "secrets.json").stat().st_mode) == 0o600

    def test_two_stacks_share_none(self, data: DataFolder, tmp_path: Path) -> None:
        other = DataFolder(tmp_path / "other")
        other.open()
        assert not set(data.secrets().passwords.values()) & set(other.secrets().passwords.values())

    def test_the_signing_key_is_an_ed25519_key(self, data: DataFolder) -> None:
        key = load_pem_private_key(data.secrets()["JWT_SIGNING_KEY"].encode(), None)
        assert isinstance(key, Ed25519PrivateKey)

    def test_one_that_a_later_version_needs_is_added_to_the_others(self, data: DataFolder) -> None:
        old = data.secrets().values
        del old["SECRET_KEY"], old["passwords"]["backup"]
        (data.path / "secrets.json").write_text(json.dumps(old))
        new = data.secrets()
        assert len(new["SECRET_KEY"]) >= 32
        assert new.passwords["backup"]
        assert new["stack_id"] == old["stack_id"]
