from __future__ import annotations

from pathlib import Path

import pytest

from devstack import binaries, bootstrap
from devstack.errors import StackError

ROOT = Path(__file__).resolve().parents[4]


class TestLocks:
    @pytest.mark.parametrize("name", ["bootstrap.lock", "requirements.lock", "requirements-test.lock"])
    def test_every_entry_has_a_hash_and_no_host_is_named(self, name: str) -> None:
        lines = (ROOT / name).read_text().splitlines()
        entries = [number for number, line in enumerate(lines) if not line[0].isspace()]
        assert entries
        assert all("==" in lines[number] and "--hash=sha256:" in lines[number + 1] for number in entries)
        assert not any("://" in line for line in lines)

    def test_a_package_can_be_left_out_with_its_hashes(self) -> None:
        lock = "a==1 \\\n    --hash=sha256:1\nb-c==2 ; python_version > '3' \\\n    --hash=sha256:2\nd==3\n"
        assert bootstrap.without({"b-c"}, lock) == "a==1 \\\n    --hash=sha256:1\nd==3\n"
        assert bootstrap.without(set(), lock) == lock

    def test_what_may_be_left_out_is_locked(self) -> None:
        locked = {line.partition("==")[0] for line in (ROOT / "requirements.lock").read_text().splitlines()}
        assert locked >= bootstrap.PROGRAMS


class TestFingerprint:
    def test_a_changed_member_or_lock_makes_the_environment_stale(self, tmp_path: Path) -> None:
        for name in ("bootstrap.lock", "requirements.lock", "requirements-test.lock"):
            (tmp_path / name).write_text("a==1\n")
        member = tmp_path / "libs" / "one"
        member.mkdir(parents=True)
        (member / "pyproject.toml").write_text("[project]\n")
        first = bootstrap.fingerprint(tmp_path, "up")
        (tmp_path / "requirements-test.lock").write_text("a==2\n")
        assert bootstrap.fingerprint(tmp_path, "up") == first
        (member / "pyproject.toml").write_text("[project]\nname = 'one'\n")
        assert bootstrap.fingerprint(tmp_path, "up") != first


class TestPrograms:
    def test_one_that_no_wheel_has_comes_from_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(binaries, "package_folder", lambda package: None)
        program = tmp_path / "nats-server"
        program.touch(mode=0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert binaries.find("nats-server") == program

    def test_all_missing_ones_are_named_at_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(binaries, "package_folder", lambda package: None)
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(StackError, match="no build of postgres, initdb, nats-server, valkey-server, envoy for"):
            binaries.check_all()
