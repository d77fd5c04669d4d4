"""What the edge and the decision say to each other about leases."""

from __future__ import annotations

import pytest

from gateway.decision.facts import Caller, Facts, Lease, Place
from gateway.decision.leases import read_unspent, verdict
from gateway.decision.limits import Taken

USER = "01920000-0000-7000-8000-000000000001"
ORG = "01920000-0000-7000-8000-000000000002"
FACTS = Facts(Caller(USER, ORG, USER, "", "ada@example.org", "Ada", 4e9), Place(ORG, "admin", "pro", "Northwind"))


class TestVerdict:
    def test_names_the_window_that_its_requests_were_counted_in(self) -> None:
        said = verdict(FACTS, Taken(600, 590, 41_000, passed=True), Lease(37, 1_790_000_000_123))
        assert said == f"{USER}:{ORG}:1790000000123 37 600 590 41000"


class TestReadUnspent:
    def test_reads_each(self) -> None:
        header = f"{USER}:{ORG}:1790000000123:37, {ORG}:{USER}:1790000000456:1"
        assert list(read_unspent(header)) == [
            (USER, ORG, Lease(37, 1_790_000_000_123)),
            (ORG, USER, Lease(1, 1_790_000_000_456)),
        ]

    @pytest.mark.parametrize(
        "header", ["", ",", "x", f"{USER}:{ORG}:1:-5", f"{USER}:{ORG}:1:99999", f"{USER}:{ORG}:x:1", f"*:{ORG}:1:1"]
    )
    def test_passes_over_what_is_malformed(self, header: str) -> None:
        assert list(read_unspent(header)) == []

    def test_reads_so_many_at_once(self) -> None:
        assert len(list(read_unspent(",".join([f"{USER}:{ORG}:1:1"] * 1000)))) == 32
