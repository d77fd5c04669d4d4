"""Damaged files: whatever bytes arrive, a check ends in time with a pass or a refusal, never with another error."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uploads.domain import display_name
from uploads.inspection import KINDS, Caps, Refused, check_declared_type, check_signature, check_structure, kind_of
from uploads.inspection.refusal import CODES

from .good_files import GOOD
from .mutating import mutations

SECONDS = 10
"""For one check; the child is stopped after 20."""


@cache
def good(index: int) -> bytes:
    return GOOD[index][2]()


@settings(max_examples=400, deadline=timedelta(seconds=SECONDS), suppress_health_check=list(HealthCheck))
@given(index=st.integers(0, len(GOOD) - 1), other=st.integers(0, len(GOOD) - 1), data=st.data())
def test_a_mutated_file_passes_or_is_refused(index: int, other: int, data: st.DataObject) -> None:
    name = GOOD[index][1]
    mutated = data.draw(mutations(good(index), good(other)))
    kind = kind_of(name, list(KINDS))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(mutated)
        refusal = None
        try:
            check_signature(kind, mutated[:4096], ole_directory=mutated)
            check_structure(kind.name, path, Caps())
        except Refused as refused:
            refusal = refused
    assert refusal is None or (refusal.code in CODES and refusal.detail.endswith("."))


@given(name=st.text(max_size=300), declared=st.none() | st.text(max_size=80))
def test_any_name_and_any_type_pass_or_are_refused(name: str, declared: str | None) -> None:
    shown = display_name(name)
    assert len(shown) <= 255
    assert not set(shown) & set("/\\\0\r\n\u202e")
    code = None
    try:
        check_declared_type(kind_of(shown, list(KINDS)), declared)
    except Refused as refused:
        code = refused.code
    assert code in {None, "extension_not_allowed", "mismatched_content_type"}
