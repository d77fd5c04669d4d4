"""The built-in drafter. It is not a language model: it composes from answers and passages, cites what it takes, and
leaves a visible `[To complete: …]` where nobody has said anything yet. The same request gives the same text."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Final

from ai.providers import local_revise, prompts
from ai.providers.port import Criterion, Passage, Piece, ProviderRequest, Structured, StructureRequest, T, Written

WORDS_PER_DELTA: Final = 8
WORDS_PER_PAGE: Final = 450
CHARACTERS_PER_TOKEN: Final = 4
MAX_CALL_QUOTES: Final = 2
MAX_CRITERIA: Final = 6
MAX_EVIDENCE_PASSAGES: Final = 3
MAX_QUOTE: Final = 300
CALL_LABEL: Final = "call"
RULES: Final = ("ai.providers.local", "ai.providers.local_revise")
"""The modules whose words and rules make the text; their checksum is kept with it, as a prompt's is."""
_ITEM_NUMBER: Final = re.compile(r"^\d{1,2}[.)]\s+")
"""In a bullet of ours, the number of somebody else's list would begin a list within the list."""
_QUOTATION: Final = re.compile(r"- “.{30,}” \[call, p\. \d+\]$")


class LocalProvider:
    """Drafts and revises without a key and without a network."""

    model = "local"
    max_output_tokens = None

    async def stream(self, request: ProviderRequest) -> AsyncGenerator[Piece, None]:
        text = local_revise.revise(request.text, request.instruction) if request.kind == "revise" else draft(request)
        for delta in deltas(text):
            yield delta
            await asyncio.sleep(0)
        yield Written(self.model, prompts.rules_of(*RULES))

    async def structure(self, request: StructureRequest[T]) -> Structured[T] | None:
        del request
        return None

    @staticmethod
    def count_tokens(text: str) -> int:
        """About as many as a language model would count."""
        return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def deltas(text: str) -> Iterator[str]:
    """The text in runs of a few words, blanks included; joined they are the text."""
    words = re.findall(r"\s*\S+|\s+$", text)
    for start in range(0, len(words), WORDS_PER_DELTA):
        yield "".join(words[start : start + WORDS_PER_DELTA])


def draft(request: ProviderRequest) -> str:
    """A draft in Markdown, within the page limit where there is one."""
    parts = [
        *_answered(request),
        *_evidence(request),
        *_against_criteria(request),
        *_call_says(request),
    ]
    limit = request.page_limit * WORDS_PER_PAGE if request.page_limit else None
    return "\n\n".join(_within(parts, limit))


def _answered(request: ProviderRequest) -> Iterator[str]:
    """A paragraph for each question in the plan's order, then for each answer that belongs to none."""
    asked = {question.id for question in request.questions}
    approved = {item.question_id: item for item in request.library}
    for question in request.questions:
        answer = request.answers.get(question.id, "").strip()
        if item := approved.get(question.id):
            yield f"{_as_text(answer or item.text)} {item.citation}"
        else:
            yield _as_text(answer) if answer else f"[To complete: {question.text.rstrip('.')}]"
    for key, answer in request.answers.items():
        if key not in asked and answer.strip():
            yield _as_text(answer)
    if not asked and not any(answer.strip() for answer in request.answers.values()):
        yield f"[To complete: what a reader should know under “{request.section_title}”]"


def _evidence(request: ProviderRequest) -> Iterator[str]:
    own = [passage for passage in request.passages if passage.label != CALL_LABEL][:MAX_EVIDENCE_PASSAGES]
    if own:
        yield "What our own documents show:\n\n" + "\n".join(
            f"- {_first_sentences(passage.text)} {passage.citation}" for passage in own
        )


def _against_criteria(request: ProviderRequest) -> Iterator[str]:
    if not request.criteria:
        return
    material = [
        *((_as_text(answer), "") for answer in request.answers.values() if answer.strip()),
        *((item.text, item.citation) for item in request.library if not request.answers.get(item.question_id)),
        *((passage.text, passage.citation) for passage in request.passages if passage.label != CALL_LABEL),
    ]
    lines = [_criterion_line(criterion, material) for criterion in request.criteria[:MAX_CRITERIA]]
    yield "How this section meets the criteria:\n\n" + "\n".join(lines)


def _criterion_line(criterion: Criterion, material: Sequence[tuple[str, str]]) -> str:
    says_points = "point" in criterion.title.lower()
    weight = f" ({criterion.points} points)" if criterion.points is not None and not says_points else ""
    wanted = _words(criterion.title)
    best, score, source = "", 0, ""
    for text, citation in material:
        for sentence in re.split(r"(?<=[.!?])\s+", text):
            shared = len(wanted & _words(sentence))
            if shared > score and len(sentence) <= MAX_QUOTE:
                best, score, source = sentence.strip(), shared, citation
    if score < 2:
        return f"- **{criterion.title}**{weight}: [To complete: how the proposal meets this criterion]"
    return f"- **{criterion.title}**{weight}: {best}{f' {source}' if source else ''}"


def _call_says(request: ProviderRequest) -> Iterator[str]:
    """What the plan found that the call asks here, in its words; else the passages that fit best."""
    planned = [line.removeprefix("- ") for line in request.guidance.splitlines() if _QUOTATION.match(line)]
    found = [
        f"“{_first_sentences(passage.text)}” {passage.citation}"
        for passage in request.passages
        if passage.label == CALL_LABEL
    ]
    if quotes := (planned or found)[:MAX_CALL_QUOTES]:
        yield f"This section answers what the call asks: {'; '.join(quotes)}."


def _within(parts: Sequence[str], limit: int | None) -> list[str]:
    """The parts in order, as long as they fit; the first always stays."""
    kept: list[str] = []
    used = 0
    for part in parts:
        words = len(part.split())
        if limit is not None and kept and used + words > limit:
            continue
        kept.append(part)
        used += words
    return kept


def _as_text(answer: str) -> str:
    """An answer as the user wrote it, ended as a sentence; lists and several paragraphs stay as they are."""
    text = answer.strip()
    if "\n" in text or text[-1] in '.!?:;)]”"':
        return text[0].upper() + text[1:] if "\n" not in text else text
    return f"{text[0].upper()}{text[1:]}."


def _first_sentences(text: str) -> str:
    """The opening of a passage, whole sentences where they fit."""
    flat = _ITEM_NUMBER.sub("", " ".join(text.split()))
    if len(flat) <= MAX_QUOTE:
        return flat.rstrip(".")
    cut = max((match.end() for match in re.finditer(r"[.!?](?=\s)", flat[:MAX_QUOTE])), default=0)
    return flat[:cut].rstrip(".") if cut > 60 else flat[:MAX_QUOTE].rsplit(" ", 1)[0] + " …"


def _words(text: str) -> frozenset[str]:
    return frozenset(re.sub(r"(?:ing|ed|es|s)$", "", word) for word in re.findall(r"[a-z]{4,}", text.lower()))


__all__ = ["LocalProvider", "Passage", "deltas", "draft"]
