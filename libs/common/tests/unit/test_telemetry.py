"""Logs: what they must not say."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from common.telemetry import configure_logging, get_logger


@pytest.fixture
def _logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.usefixtures("_logging_restored")
def test_a_traceback_shows_no_local_variable(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("test")

    def fail(cookie: str) -> None:
        raise ValueError("no")

    try:
        fail("hunter2")
    except ValueError:
        get_logger().exception("it.failed")
    line = capsys.readouterr().err
    assert "hunter2" not in line.replace('fail("hunter2")', "")
    assert json.loads(line)["exception"][0]["exc_type"] == "ValueError"
