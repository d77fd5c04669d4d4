"""The matrix as CSV, for a spreadsheet that runs nothing of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from ai.compliance.schemas import ComplianceOut

HEADINGS: Final = (
    *("id", "kind", "requirement", "page", "start", "end", "weight", "limit", "limit_unit", "state"),
    *("sections", "section_statuses"),
)
RUN_BY_SPREADSHEETS: Final = ("=", "+", "-", "@", "'", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A cell that begins so may be taken as a formula, also in full-width letters; an apostrophe, so that it is known which
one was put before it."""
MARK: Final = "\ufeff"
"""By which spreadsheets know that it is UTF-8."""


def as_csv(matrix: ComplianceOut) -> str:
    """One line for each requirement, under a line of headings."""
    return MARK + _write(
        [
            HEADINGS,
            *(
                (
                    *(str(one.id), one.kind, one.words, one.place.page, one.place.start, one.place.end, one.weight),
                    *(one.limit.value if one.limit else None, one.limit.unit if one.limit else None, one.state),
                    "; ".join(section.title for section in one.sections),
                    "; ".join(section.status for section in one.sections),
                )
                for one in matrix.requirements
            ),
        ]
    )


def harmless(cell: object) -> object:
    """The cell, with an apostrophe before what a spreadsheet would run."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" ").startswith(RUN_BY_SPREADSHEETS) else cell


def _write(rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([harmless(cell) for cell in row] for row in rows)
    return out.getvalue()
