"""A clock that a file moves, for DEBUG alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from common.clock import Clock, SteeredClock, SystemClock, parse_duration, read_offset, write_offset
from common.parts import open_parts
from common.settings import ServiceSettings


def ahead(clock: Clock) -> timedelta:
    return clock.now() - datetime.now(UTC)


class TestSteeredClock:
    def test_goes_with_the_machine_until_it_is_moved_and_again_when_the_file_is_gone(self, tmp_path: Path) -> None:
        file = tmp_path / "clock"
        clock = SteeredClock(file)
        assert abs(ahead(clock)) < timedelta(seconds=1)
        write_offset(file, timedelta(days=3))
        assert abs(ahead(clock) - timedelta(days=3)) < timedelta(seconds=1)
        write_offset(file, read_offset(file) + timedelta(hours=1))
        assert abs(ahead(clock) - timedelta(days=3, hours=1)) < timedelta(seconds=1)
        file.unlink()
        assert abs(ahead(clock)) < timedelta(seconds=1)

    def test_a_damaged_file_moves_nothing(self, tmp_path: Path) -> None:
        file = tmp_path / "clock"
        file.write_text("tomorrow")
        assert abs(ahead(SteeredClock(file))) < timedelta(seconds=1)

    @pytest.mark.parametrize(("debug", "kind"), [("1", SteeredClock), ("0", SystemClock)])
    async def test_only_a_service_in_debug_looks_at_it(
        self, debug: str, kind: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Settings(ServiceSettings):
            SERVICE: ClassVar[str] = "billing"

        nobody = "127.0.0.1:1"
        for key, value in {
            "SECRET_KEY": "k" * 32,
            "PORT": "1",
            "DATABASE_URL": f"postgresql://x@{nobody}/x",
            "NATS_URL": f"nats://{nobody}",
            "CLOCK_FILE": str(tmp_path / "clock"),
            "DEBUG": debug,
        }.items():
            monkeypatch.setenv(key, value)
        async with open_parts(Settings()) as parts:
            assert type(parts.clock) is kind
            assert parts.db.clock is parts.clock


class TestParseDuration:
    @pytest.mark.parametrize(
        ("text", "seconds"), [("90s", 90), ("15m", 900), ("1h", 3600), ("3d", 3 * 86400), ("0s", 0)]
    )
    def test_a_number_and_a_unit(self, text: str, seconds: int) -> None:
        assert parse_duration(text) == timedelta(seconds=seconds)

    @pytest.mark.parametrize("text", ["", "3", "d", "-1d", "1.5h", "1w", "1d ", "99999999d", "٣d"])
    def test_nothing_else(self, text: str) -> None:
        with pytest.raises(ValueError, match="is no duration"):
            parse_duration(text)
