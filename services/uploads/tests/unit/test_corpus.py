"""Every hostile file of the corpus is refused for its own reason, and within bounds of time and memory."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from uploads.inspection import Refused

from .checking import check
from .hostile_documents import DOCUMENTS
from .hostile_others import NAMES, PICTURES, TEXTS, Case
from .hostile_pdfs import PDFS

SECONDS = 15
"""A bomb is stopped by then; the whole check of any other file takes less than one."""
HOSTILE: list[Case] = [
    *((name, "call.pdf", "application/pdf", make, code) for name, make, code in PDFS),
    *((name, "call.docx", None, make, code) for name, make, code in DOCUMENTS),
    *PICTURES,
    *TEXTS,
    *NAMES,
]


@pytest.mark.parametrize(
    ("filename", "declared", "make", "code"),
    [case[1:] for case in HOSTILE],
    ids=[f"{case[1].rpartition('.')[2]}: {case[0]}".encode("ascii", "replace").decode() for case in HOSTILE],
)
async def test_a_hostile_file_is_refused_for_its_reason(
    tmp_path: Path, filename: str, declared: str | None, make: Callable[[], bytes], code: str
) -> None:
    data = make()
    began = time.monotonic()
    with pytest.raises(Refused) as refused:
        await check(data, filename, declared, tmp_path)
    assert (refused.value.code, time.monotonic() - began < SECONDS) == (code, True), refused.value.detail
    assert "than is allowed" not in refused.value.detail or "bomb" in filename, "it was stopped, not seen through"
    assert refused.value.detail.endswith(".")


def test_the_corpus_is_as_large_as_promised_and_has_every_reason() -> None:
    codes = Counter(case[-1] for case in HOSTILE)
    assert len(HOSTILE) - len(NAMES) >= 60
    assert set(codes) == {
        "extension_not_allowed",
        "mismatched_signature",
        "mismatched_content_type",
        "malformed_file",
        "active_content",
        "encrypted_file",
        "empty_file",
    }  # infected and scan_error are the scanner's: test_clamav.py
