"""What the rules find in calls of ten funders' habits, whose requirements are marked; see `bench/requirements`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import reduce
from operator import add
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ai.planning.outline import make_plan

BENCH = Path(__file__).parents[4] / "bench"


@pytest.fixture(scope="module")
def labelled() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCH))
        import labelled_calls

        yield labelled_calls
    sys.modules.pop("labelled_calls", None)


def total(labelled: ModuleType, *, held_out: bool) -> Any:
    found = [call for call in labelled.marked_calls() if call.is_held_out is held_out]
    assert len(found) >= 4
    return reduce(add, (labelled.score(call, make_plan(call.pages).requirements) for call in found))


class TestTheRules:
    @pytest.mark.parametrize("held_out", [False, True])
    def test_find_nine_tenths_and_little_else(self, labelled: ModuleType, held_out: bool) -> None:
        score = total(labelled, held_out=held_out)
        assert score.recall >= 0.9
        assert score.precision >= 0.85

    def test_say_where_it_stands(self, labelled: ModuleType) -> None:
        assert total(labelled, held_out=True).span_accuracy >= 0.85


class TestAScore:
    def test_counts_what_is_missed_and_what_is_none(self, labelled: ModuleType) -> None:
        [call, *_] = labelled.marked_calls()
        plan = make_plan(call.pages).requirements
        assert labelled.score(call, []).recall == 0
        assert labelled.score(call, plan[:5]).recall < 0.5
        from dataclasses import replace

        elsewhere = [replace(one, page=1, start=0, end=5) for one in plan]
        assert labelled.score(call, elsewhere).precision == 0
