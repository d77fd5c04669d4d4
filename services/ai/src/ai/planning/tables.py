"""Rows of tables, which a PDF's text gives as lines: criteria with their points, documents with their limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ai.planning.findings import Criterion
from ai.planning.reading import BULLET, Block, Line

MAX_CRITERION_WORDS: Final = 30
MAX_ROW_LINES: Final = 4
MAX_ROW_TITLE: Final = 160

_SCORED: Final = re.compile(
    r"criteria|criterion|scoring|how (?:we|applications|proposals).{0,30}(?:assess|score|evaluat)|evaluation of",
    re.IGNORECASE,
)
_POINTS: Final = re.compile(
    r"^(?P<title>[A-Z0-9].{2,160}?)[\s:,(|–-]+(?:(?:max(?:imum)?\.?|up to|weight:?)\s+)?"
    r"(?P<points>\d{1,3})\s?(?P<unit>points|pts\.?|marks|%)\)?(?P<rest>.*)$",
    re.IGNORECASE,
)
_FIGURES: Final = re.compile(r"^(?P<title>.*?)(?P<figures>(?:\s*\b\d{1,3}(?:\s?%)?)+)\s*$")
_FIGURES_BEFORE: Final = re.compile(r"\d\s*$")
_TOTAL: Final = re.compile(
    r"^(?:all|total|sum|overall|threshold|minimum|criterion|criteria|pass mark|no\.|share of)\b", re.IGNORECASE
)
_QUESTION: Final = re.compile(
    r"^(?:\(?\w{1,3}[.)]\s+)?(?P<text>(?:Does|Do|Is|Are|Will|To what extent|How|What)\b.+\?)$"
)
_DOCUMENTS: Final = re.compile(r"documents|attachments|annexes|page limits|what to (?:send|submit)", re.IGNORECASE)
_ROW: Final = re.compile(r"^(?P<number>\d{1,2})\.?\s+(?P<text>[A-Z].*)$")
_ROW_LIMIT: Final = re.compile(
    r"\s+(?:(?P<limit>(?:[A-Z]:\s+)?\d{1,2}\s+pages?(?:\s+each)?(?:[;,]\s+[A-Z]:\s+\d{1,2}\s+pages?)*)"
    r"|no limit|template(?=\s+R\b))\b.*$"
)


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document that the call asks for; `limit` as it says it, empty when there is none."""

    title: str
    limit: str
    page: int

    @property
    def text(self) -> str:
        """The document with its limit in one line."""
        return f"{self.title} ({self.limit})" if self.limit else self.title


def criteria(blocks: Sequence[Block]) -> list[Criterion]:
    """What is scored: lines with points anywhere, rows of figures and questions under a heading about criteria."""
    found: dict[str, Criterion] = {}
    for block in blocks:
        is_scored = bool(_SCORED.search(" ".join((*block.parents[-1:], block.title))))
        for criterion in _criteria_of(block, is_scored=is_scored):
            key = re.sub(r"\W+", " ", criterion.title).strip().lower()[:120]
            known = found.get(key)
            if known is None or (known.points is None and criterion.points is not None):
                found[key] = criterion
    with_points = [criterion for criterion in found.values() if criterion.points is not None]
    return with_points if len(with_points) >= 2 else list(found.values())


def _criteria_of(block: Block, *, is_scored: bool) -> Iterator[Criterion]:
    heading = _POINTS.match(f"{block.title} ({block.aside})" if block.aside else block.title)
    if heading and heading["unit"] != "%" and not _TOTAL.match(heading["title"]):
        yield Criterion(_bare(heading["title"]), int(heading["points"]), block.page)
    told = False
    for line in block.lines:
        match = _POINTS.match(BULLET.sub("", line.text))
        is_share = match is not None and match["unit"] == "%"
        if is_share and (not is_scored or _FIGURES_BEFORE.search(match["title"] if match else "")):
            continue
        if match and _is_criterion(match["title"], int(match["points"])):
            told = True
            yield Criterion(_bare(match["title"]), int(match["points"]), line.page)
    if is_scored and not told:
        yield from _rows_of_figures(block.lines)
    if is_scored or "criteria" in block.text.lower():
        for sentence in block.sentences():
            if match := _QUESTION.match(sentence.text):
                yield Criterion(match["text"], None, sentence.page)


def _rows_of_figures(lines: Sequence[Line]) -> Iterator[Criterion]:
    """`1 Need and place: how well it is shown, and / with whom / 25 15 60%`: figures end a row of several lines."""
    pending: list[str] = []
    columns = max((_columns(line.text) for line in lines), default=0)
    for line in lines:
        match = _FIGURES.match(line.text)
        if match is None or _columns(line.text) < min(columns, 2):  # "... will work for 72" goes on in the next line
            pending = [*pending[-MAX_ROW_LINES:], line.text]
            continue
        title = _bare(" ".join((*pending, match["title"])).strip())
        pending = []
        points = [int(figure) for figure in re.findall(r"\b(\d{1,3})\b(?!\s?%)", match["figures"])]
        if not points or not _is_criterion(title, points[0]):
            continue
        different = " or ".join(str(figure) for figure in dict.fromkeys(points))
        yield Criterion(f"{title} ({different} points)" if len(set(points)) > 1 else title, points[0], line.page)


def _columns(text: str) -> int:
    match = _FIGURES.match(text)
    return len(match["figures"].replace(" %", "%").split()) if match else 0


def _is_criterion(title: str, points: int) -> bool:
    return (
        not _TOTAL.match(title.strip())
        and not title.rstrip().endswith(" of")
        and re.search(r"[A-Za-z]{3,}", title) is not None
        and 0 < points <= 100
        and len(title.split()) <= MAX_CRITERION_WORDS
    )


def _bare(title: str) -> str:
    return re.sub(
        r"^(?:criterion\s+)?(?:\(?[A-Za-z0-9]{1,3}[.):]\s+|\d{1,2}\s+)", "", title, flags=re.IGNORECASE
    ).strip(" :–-(|,")


def document_rows(blocks: Sequence[Block]) -> list[DocumentRow]:
    """The documents that a numbered table under a heading about documents asks for."""
    rows: list[DocumentRow] = []
    for block in blocks:
        if _DOCUMENTS.search(" ".join((*block.parents[-1:], block.title))):
            rows.extend(_document_rows(block.lines))
    return list({row.title: row for row in rows}.values())


def _document_rows(lines: Sequence[Line]) -> Iterator[DocumentRow]:
    pending: tuple[int, list[str]] | None = None
    expected = 1
    for line in lines:
        match = _ROW.match(line.text)
        if match is not None and int(match["number"]) == expected:
            if pending is not None:
                yield _document(*pending)
            pending = (line.page, [match["text"]])
            expected += 1
        elif pending is not None and len(pending[1]) < MAX_ROW_LINES:
            pending[1].append(line.text)
    if pending is not None and expected > 2:
        yield _document(*pending)


def _document(page: int, parts: Sequence[str]) -> DocumentRow:
    text = " ".join(parts)
    match = _ROW_LIMIT.search(text)
    if match is None:
        return DocumentRow(re.sub(r"(?:\s+R)+$", "", text)[:MAX_ROW_TITLE], "", page)
    return DocumentRow(text[: match.start()].strip()[:MAX_ROW_TITLE], match["limit"] or "", page)
