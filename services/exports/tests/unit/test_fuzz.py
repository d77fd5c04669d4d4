"""Any text that was accepted is exported, in every format. EXPORTS_FUZZ=2000 is the full number; a run of all tests
makes fewer, and the same ones every time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from hypothesis import HealthCheck, given, settings

from contracts.exports import Format
from exports.rendering.__main__ import render
from exports.rendering.document import Document

from .fuzzing import documents

FORMATS: tuple[Format, ...] = ("md", "docx", "pdf")
DOCUMENTS = int(os.environ.get("EXPORTS_FUZZ", "60"))


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    """One process for all, which keeps its fonts; a crash of it fails the document that did it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


@settings(
    max_examples=DOCUMENTS,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(documents())
def test_every_document_is_made_in_every_format(pool: ProcessPoolExecutor, document: Document) -> None:
    assert Document.parse(document.canonical()) == document
    waiting = [pool.submit(render, document, one) for one in FORMATS]
    text, word, pdf = (one.result(timeout=120).data for one in waiting)

    assert text.startswith(b"# ")
    assert word.startswith(b"PK")
    assert pdf.startswith(b"%PDF")
