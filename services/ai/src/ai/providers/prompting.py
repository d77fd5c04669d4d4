"""From a request to what a model is sent: our words apart, and every piece of material marked as data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from ai.providers import prompts
from ai.providers.port import ProviderRequest, StructureRequest, T
from ai.providers.vendors.port import Prompt

MAX_LABEL: Final = 120
MAX_LIBRARY_TEXT: Final = 2_000
"""Of each approved answer, as of a passage; what is set aside for a draft counts with it."""
MIN_LEAK: Final = 60
"""A run of our words that is at least this long does not come up by chance."""
_UNSUPPORTED: Final = frozenset({"title", "default", "description", "minLength", "maxLength", "minItems", "maxItems",
                                 "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})  # fmt: skip
"""What some vendor refuses in a schema; our own validation holds it."""

Block = tuple[str, str]
"""(label, text)"""


def prompt_for(request: ProviderRequest) -> Prompt:
    """What a model is sent to write or revise."""
    ref, system = prompts.load(request.kind)
    blocks = list(_revise_blocks(request) if request.kind == "revise" else _write_blocks(request))
    boundary, material = mark(blocks)
    return Prompt(ref, system, material, boundary)


def prompt_for_structure(request: StructureRequest[T]) -> Prompt:
    """What a model is sent to read passages into a form."""
    ref, system = prompts.load(request.prompt)
    boundary, material = mark([(passage.citation[1:-1], passage.text) for passage in request.passages])
    return Prompt(ref, system, material, boundary, schema_of(request.into))


def prompt_for_repair(first: Prompt, answer: str, problems: Sequence[str]) -> Prompt:
    """The second try at an answer that could not be used; the first prompt stays the one that is recorded."""
    _, again = prompts.load("repair")
    _, tail = mark([("answer", answer), ("problems", "\n".join(f"- {problem}" for problem in problems))])
    return Prompt(first.ref, f"{first.system}\n{again}", f"{first.material}\n\n{tail}", first.boundary, first.schema)


def mark(blocks: Sequence[Block]) -> tuple[str, str]:
    """The blocks between lines that no text in them can contain, and the word that makes these lines theirs.

    The word comes from all the texts together: nobody can write a text that holds the word which that text leads to,
    and the same material gives the same message.
    """
    digest = hashlib.sha256(json.dumps(blocks, ensure_ascii=True).encode())
    boundary = digest.hexdigest()[:24]
    while any(boundary in part for block in blocks for part in block):
        digest.update(b"again")
        boundary = digest.hexdigest()[:24]
    return boundary, "\n\n".join(
        f'<<<data {boundary} "{_label(label)}">>>\n{text}\n<<<end {boundary}>>>' for label, text in blocks
    )


class LeakGuard:
    """Watches an answer for our own words: the boundary, or a whole sentence of the prompt."""

    def __init__(self, prompt: Prompt) -> None:
        sentences = (line.strip(" -") for line in prompt.system.replace(". ", ".\n").splitlines())
        self._ours = [prompt.boundary, *(sentence for sentence in sentences if len(sentence) >= MIN_LEAK)]
        self._longest = max(map(len, self._ours))
        self._tail = ""

    def is_leaking(self, delta: str) -> bool:
        """Whether the text, this piece included, has given something of ours away."""
        window = self._tail + delta
        self._tail = window[-self._longest :]
        return any(ours in window for ours in self._ours)


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The model's JSON schema in the part of the language that all vendors know."""
    cleaned: dict[str, Any] = _clean(model.model_json_schema())
    return cleaned


def _clean(node: Any, *, is_names: bool = False) -> Any:
    """`properties` and `$defs` hold names, which are never keywords."""
    if isinstance(node, Mapping):
        return {
            key: _clean(value, is_names=key in ("properties", "$defs") and not is_names)
            for key, value in node.items()
            if is_names or key not in _UNSUPPORTED
        }
    return [_clean(item) for item in node] if isinstance(node, list) else node


def _write_blocks(request: ProviderRequest) -> Iterable[Block]:
    yield "section", request.section_title
    if request.guidance:
        yield "guidance", request.guidance
    if request.page_limit:
        yield "page limit", str(request.page_limit)
    if request.criteria:
        yield (
            "criteria",
            "\n".join(
                f"{item.title} ({item.points} points)" if item.points is not None else item.title
                for item in request.criteria
            ),
        )
    asked = {question.id: question.text for question in request.questions}
    approved = {item.question_id for item in request.library}
    for key, text in asked.items():
        if not request.answers.get(key, "").strip() and key not in approved:
            yield "question without an answer", text
    for key, answer in request.answers.items():
        if answer.strip() and key not in approved:
            yield f"answer to: {asked.get(key, key)}", answer
    for item in request.library:
        text = request.answers.get(item.question_id, "").strip() or item.text[:MAX_LIBRARY_TEXT]
        yield item.citation[1:-1], f"{asked.get(item.question_id, item.question)}\n\n{text}"
    for passage in request.passages:
        yield passage.citation[1:-1], passage.text


def _revise_blocks(request: ProviderRequest) -> Iterable[Block]:
    yield "section", request.section_title
    yield "text", request.text
    yield "wish", request.instruction


def _label(label: str) -> str:
    """A label on one line that cannot end it: file names and questions are anyone's."""
    return " ".join(label.translate({ord(char): " " for char in '<>"'}).split())[:MAX_LABEL]
