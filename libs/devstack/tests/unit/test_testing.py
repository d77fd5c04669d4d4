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


def test_a_test_file_that_no_suite_runs_is_found(tmp_path: Path) -> None:
    for name in ("services/billing/tests/unit", "services/billing/tests", "tests/e2e"):
        folder = tmp_path / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "test_it.py").touch()
    assert testing.homeless_tests(tmp_path) == ["services/billing/tests/test_it.py"]
