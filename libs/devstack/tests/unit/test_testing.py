from __future__ import annotations

from pathlib import Path

import pytest

from devstack import testing
from devstack.errors import UsageError


class TestChoose:
    def test_without_names_everything_but_chaos(self) -> None:
        names = [suite.name for suite in testing.choose([])]
        assert names == ["lint", "unit", "web", "integration", "contract", "e2e", "browser"]

    def test_a_misspelt_name_is_refused_with_the_nearest(self) -> None:
        with pytest.raises(UsageError, match="did you mean unit"):
            testing.choose(["units"])

    def test_a_file_or_folder_is_run_beside_the_suites(self, tmp_path: Path) -> None:
        (tmp_path / "tests/e2e").mkdir(parents=True)
        (tmp_path / "tests/e2e/test_it.py").touch()
        lint, chosen = testing.choose(["tests/e2e", "lint", "tests/e2e/test_it.py"], tmp_path)
        assert lint.name == "lint"
        (step,) = chosen.steps(tmp_path)
        assert step[-2:] == ["tests/e2e", "tests/e2e/test_it.py"]

    def test_a_file_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="no tests are called"):
            testing.choose(["tests/e2e/test_gone.py"], tmp_path)


def test_a_test_file_that_no_suite_runs_is_found(tmp_path: Path) -> None:
    for name in ("services/billing/tests/unit", "services/billing/tests", "tests/e2e"):
        folder = tmp_path / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "test_it.py").touch()
    assert testing.homeless_tests(tmp_path) == ["services/billing/tests/test_it.py"]
