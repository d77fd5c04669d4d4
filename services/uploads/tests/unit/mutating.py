"""Damages files as broken disks, transfers and attackers do."""

from __future__ import annotations

import re
from collections.abc import Callable

from hypothesis import strategies as st

_NUMBER = re.compile(rb"\d{1,10}")
_PIECES = (
    b"",
    b"\0",
    b"\xff" * 8,
    b"<<",
    b"[" * 300,
    b"obj",
    b"/JS",
    b"<!DOCTYPE a [",
    b"PK\x01\x02",
    b"\xff\xd9",
    b"IEND",
    b"%%EOF",
)
_NUMBERS = (b"0", b"1", b"-1", b"99999999", b"4294967295", b"9" * 20)


@st.composite
def mutations(draw: Callable[[st.SearchStrategy[int]], int], seed: bytes, other: bytes) -> bytes:
    """`seed` with one to five damages; `other` lends pieces."""
    data = bytearray(seed)
    for _ in range(draw(st.integers(1, 5))):
        if not data:
            break
        at = draw(st.integers(0, len(data) - 1))
        length = draw(st.integers(0, min(200, len(data) - at)))
        how = draw(st.integers(0, 7))
        if how == 0:
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif how == 1:
            del data[at : at + length]
        elif how == 2:
            data[at:at] = data[at : at + length] * draw(st.integers(1, 20))
        elif how == 3:
            del data[at:]
        elif how == 4:
            start = draw(st.integers(0, max(0, len(other) - 1)))
            data[at : at + length] = other[start : start + 400]
        elif how == 5:
            data[at : at + length] = _PIECES[draw(st.integers(0, len(_PIECES) - 1))]
        elif how == 6:
            data[at : at + 4] = draw(st.integers(0, 2**32 - 1)).to_bytes(4, "big")
        elif found := _NUMBER.search(data, at):
            data[found.start() : found.end()] = _NUMBERS[draw(st.integers(0, len(_NUMBERS) - 1))]
    return bytes(data)
