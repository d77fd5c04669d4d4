"""Hostile and damaged files and names over HTTP: an answer in time, never a 500, nothing left behind."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.integration

SECONDS = 25
"""For one answer: a check is stopped after 20."""
SEEDS = ("pdf", "pdf with a form and a link", "docx", "docx with a link", "png", "jpeg", "text in utf-16", "scan")
NAMES = (
    "a.txt\0.exe",
    "a\u202etxt.exe",
    "a.txt.",
    "..",
    "a.txt::$DATA",
    "a.exe\r\nX: y",
    "x" * 1000 + ".exe",
    "%00.exe",
    "'\";.exe",
)


def damaged(data: bytes, dice: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(out))
        how = dice.randrange(4)
        if how == 0:
            out[at] = dice.randrange(256)
        elif how == 1:
            del out[at : at + dice.randrange(1, 60)]
        elif how == 2:
            out[at:at] = dice.randbytes(dice.randrange(1, 60))
        else:
            out[at:at] = out[at : at + 200] * 3
        out = out or bytearray(b"x")
    return bytes(out)


@pytest.mark.parametrize("seed", SEEDS)
async def test_damaged_files_get_an_answer_in_time(
    make: Callable[[str], bytes], caller: Any, staged: Any, seed: str
) -> None:
    extension = {"text in utf-16": "txt", "scan": "pdf", "jpeg": "jpg"}.get(seed, seed.split(maxsplit=1)[0])
    ada, data, dice = caller(), make(seed), random.Random(seed)

    async def send() -> int:
        began = time.monotonic()
        answer = await ada.upload(damaged(data, dice), f"call.{extension}")
        assert time.monotonic() - began < SECONDS
        if answer.status_code != 201:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["error"], answer.text
        return int(answer.status_code)

    codes = [code for _ in range(4) for code in await asyncio.gather(*(send() for _ in range(4)))]
    assert set(codes) <= {201, 400}
    assert staged() == []


@pytest.mark.parametrize("name", NAMES)
async def test_a_hostile_name_is_refused(caller: Any, name: str) -> None:
    answer = await caller().upload(b"A work plan.", name)
    assert (answer.status_code, answer.json()["error"]) == (400, "extension_not_allowed")


async def test_a_hostile_name_before_an_allowed_extension_is_only_data(caller: Any) -> None:
    ada = caller()
    created = await ada.upload(b"A work plan.", "../../etc/\u202eevil\r\nX-Evil: 1<script>.txt")
    assert created.status_code == 201, created.text
    answer = await ada.get(f"/api/uploads/{created.json()['id']}/file")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "x-evil" not in answer.headers
    assert "\u202e" not in created.json()["filename"]
    assert "/" not in created.json()["filename"]
