"""What a text is about, as numbers: the built-in embedding, which needs no key, no network and no library.

It is a table of word vectors (`static_vectors`): a text is the mean of its pieces. So it knows which words are alike
(`flood` and `high water`), not what a sentence says; the same text gives the same numbers on every machine.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final, Protocol

_FOLDER: Final = Path(__file__).parent / "static_vectors"
_WORD: Final = re.compile(r"[^\W_]+")
MAX_WORD: Final = 40
"""Characters of a word that are looked at: none is longer but a file name or a row of a table without blanks."""

Vector = Sequence[float]


class Embedding(Protocol):
    """Turns texts into vectors of length one. `name` says which one it is: rows of another name are made anew."""

    @property
    def name(self) -> str: ...

    def embed(self, text: str) -> Vector | None:
        """The text's vector; None for one without a word."""


class StaticEmbedding:
    """The built-in one."""

    name: Final = "wordllama-l2-128"
    dimensions: Final = 128

    def embed(self, text: str) -> Vector | None:
        """The mean of the text's pieces, scaled to length one; about a millisecond for a passage."""
        table = _table()
        pieces = Counter(piece for word in _WORD.findall(text) for piece in _pieces_of(word[:MAX_WORD]))
        total = [0.0] * self.dimensions
        for piece, count in pieces.items():
            scale, row = table[piece]
            weight = scale * count
            total = [sum_ + weight * number for sum_, number in zip(total, row, strict=True)]
        length = math.sqrt(sum(number * number for number in total))
        return [number / length for number in total] if length else None


class _Table:
    """The rows as they lie in the file: 4 MB, and 32,000 lists of numbers would be 40."""

    def __init__(self) -> None:
        self._raw = (_FOLDER / "vectors.bin").read_bytes()
        self._row = struct.Struct(f"<f{StaticEmbedding.dimensions}b")

    def __getitem__(self, piece: int) -> tuple[float, Sequence[int]]:
        scale, *numbers = self._row.unpack_from(self._raw, piece * self._row.size)
        return scale, numbers


@cache
def _table() -> _Table:
    return _Table()


@cache
def _vocabulary() -> dict[str, int]:
    lines = (_FOLDER / "pieces.txt").read_text("ascii").splitlines()
    return {json.loads(f'"{line}"') if "\\" in line else line: number for number, line in enumerate(lines)}


@lru_cache(maxsize=20_000)
def _pieces_of(word: str) -> tuple[int, ...]:
    """The pieces of a word by byte-pair merging: of all neighbours the pair that makes the lowest piece goes first."""
    known = _vocabulary()
    parts = ["\u2581", *word]
    while len(parts) > 1:
        merged = [known.get(left + right, len(known)) for left, right in pairwise(parts)]
        lowest = min(merged)
        if lowest == len(known):
            break
        at = merged.index(lowest)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return tuple(known[part] for part in parts if part in known and part != "\u2581")
