"""The structured difference between two texts, from which either can be rebuilt exactly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

BlockType = Literal["equal", "replace", "insert", "delete"]

_PIECE: Final = re.compile(r"[^\n]*?[.!?][\"”')\]]*[ \t]+|[^\n]*\n|[^\n]+")
"""A sentence with the blanks after it, or the rest of a line with its line feed; every character is in exactly one."""


@dataclass(frozen=True, slots=True)
class DiffBlock:
    """A run of text that stayed, changed, came or went. `before` is None for an insert, `after` for a delete."""

    type: BlockType
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Diff:
    """The blocks in order: the befores joined are the old text, the afters the new one."""

    change_ratio: float
    """0 when nothing changed, 1 when nothing stayed."""
    blocks: tuple[DiffBlock, ...]


def compare(old: str, new: str) -> Diff:
    """The difference from `old` to `new`, by sentences and lines."""
    before, after = _PIECE.findall(old), _PIECE.findall(new)
    blocks: list[DiffBlock] = []
    kept = 0
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        gone, come = "".join(before[i1:i2]), "".join(after[j1:j2])
        if tag == "equal":
            kept += len(gone)
            blocks.append(DiffBlock("equal", gone, gone))
        elif tag == "replace":
            blocks.append(DiffBlock("replace", gone, come))
        elif tag == "delete":
            blocks.append(DiffBlock("delete", before=gone))
        else:
            blocks.append(DiffBlock("insert", after=come))
    total = len(old) + len(new)
    return Diff(round(1 - 2 * kept / total, 4) if total else 0.0, tuple(blocks))
