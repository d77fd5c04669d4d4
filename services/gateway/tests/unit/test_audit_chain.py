"""The chain and the table, without the database."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from contracts import load
from contracts.subscriptions import SUBSCRIPTIONS
from gateway.audit.changes import CHANGES
from gateway.audit.domain import FIELDS, Chain, canonical, csv_header, csv_lines, entry_hash
from gateway.erasure.service import ANSWERING
from gateway.handlers import EVENT_HANDLERS


def chain_of(count: int) -> list[dict[str, Any]]:
    """So many rows, one following the other."""
    rows: list[dict[str, Any]] = []
    for number in range(1, count + 1):
        row: dict[str, Any] = dict.fromkeys(FIELDS, "") | {"seq": number, "detail": {"n": number}, "actor_id": None}
        row["previous"] = rows[-1]["hash"] if rows else ""
        row["hash"] = entry_hash(row)
        rows.append(row)
    return rows


def first_bad(rows: list[dict[str, Any]]) -> int | None:
    chain = Chain()
    return next((index for index, row in enumerate(rows) if not chain.follows(row)), None)


class TestFollows:
    def test_rows_in_their_order_follow(self) -> None:
        assert first_bad(chain_of(5)) is None

    @pytest.mark.parametrize("name", [name for name in FIELDS if name != "seq"])
    def test_a_change_of_any_field_breaks_it_there(self, name: str) -> None:
        rows = chain_of(5)
        rows[2][name] = {"n": 99} if name == "detail" else "changed"
        assert first_bad(rows) == 2

    def test_a_row_that_is_missing_breaks_it_at_the_next(self) -> None:
        rows = chain_of(5)
        del rows[1]
        assert first_bad(rows) == 1

    def test_a_row_hashed_anew_breaks_it_at_the_next(self) -> None:
        rows = chain_of(5)
        rows[2]["action"] = "other"
        rows[2]["hash"] = entry_hash(rows[2])
        assert first_bad(rows) == 3


class TestCanonical:
    def test_neither_order_nor_spaces_nor_script_matter(self) -> None:
        assert canonical({"b": 1, "a": {"z": None, "é": "ü\n"}}) == '{"a":{"z":null,"é":"ü\\n"},"b":1}'


class TestCsvLines:
    @pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\tx", "\rx", "'x", "''", "plain", "", 'a "b", c\r\nd'])
    def test_a_cell_is_never_a_formula_and_gives_its_value_back(self, text: str) -> None:
        row = chain_of(1)[0] | {"target": text}
        [read] = csv.DictReader(io.StringIO(csv_header() + csv_lines([row]), newline=""))
        assert not read["target"].startswith(("=", "+", "-", "@", "\t", "\r"))
        assert read["target"].removeprefix("'") == text


class TestWhatIsHandled:
    def test_every_fact_of_billing_and_exports_that_an_org_should_see_is_a_row(self) -> None:
        told = {"billing.subscription", "billing.credits", "billing.payment", "exports.export"}
        facts = {event for event in load().values() if f"{event.META.service}.{event.META.entity}" in told}
        assert set(CHANGES) == facts
        assert told <= set(SUBSCRIPTIONS["gateway"])

    def test_an_example_of_each_becomes_a_row(self) -> None:
        for event_class, change in CHANGES.items():
            made = change(event_class.model_validate(event_class.EXAMPLE))
            assert made.action.startswith(("billing.", "export."))
            assert canonical(made.detail)

    def test_the_receipts_of_all_other_services_are_handled(self) -> None:
        receipts = {
            event for event in load().values() if event.META.fact == "erased" and event.META.service in ANSWERING
        }
        assert len(receipts) == 2 * len(ANSWERING) == 8
        assert receipts <= set(EVENT_HANDLERS)
