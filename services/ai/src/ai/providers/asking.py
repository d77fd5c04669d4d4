"""One question to one vendor: a text as it comes, or data in the form that was asked for."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from pydantic import ValidationError

from ai.providers.port import ProviderRequest, Structured, StructureRequest, T, Usage, Written
from ai.providers.prompting import LeakGuard, prompt_for, prompt_for_repair, prompt_for_structure
from ai.providers.vendors.port import Finished, Prompt, Vendor, VendorError, Why

TRIES: Final = 2
"""An answer of the wrong form is sent back once, with what is wrong with it."""
MAX_PROBLEMS: Final = 10
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
"""NUL and halves of surrogate pairs: PostgreSQL cannot keep them, and no text needs them."""


async def read_text(vendor: Vendor, request: ProviderRequest) -> AsyncGenerator[str | Written, None]:
    """The text's deltas, then who wrote it. Raises VendorError; an answer without a word is one."""
    prompt = prompt_for(request)
    has_words = False
    async with aclosing(_guarded(vendor, prompt)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Finished):
                if not has_words:
                    raise VendorError(Why.EMPTY)
                yield Written(piece.model, prompt.ref, piece.usage)
                return
            has_words = has_words or bool(piece.strip())
            if piece:
                yield piece


async def read_structure(vendor: Vendor, request: StructureRequest[T]) -> AsyncGenerator[str | Structured[T], None]:
    """Signs of life (the raw answer as it comes), then the answer. Raises VendorError."""
    first = prompt = prompt_for_structure(request)
    used: Usage | None = None
    for _ in range(TRIES):
        raw = ""
        async with aclosing(_guarded(vendor, prompt)) as pieces:
            async for piece in pieces:
                if isinstance(piece, str):
                    raw += piece
                    yield piece
                    continue
                used = piece.usage if used is None else used + piece.usage if piece.usage is not None else used
                model = piece.model
        try:
            answer = request.into.model_validate_json(_bare(raw))
            problems = list(request.problems(answer))
        except ValidationError as error:
            problems = [
                f"{'.'.join(map(str, item['loc'])) or 'answer'}: {item['msg']}"
                for item in error.errors(include_input=False, include_url=False)
            ]
        if not problems:
            yield Structured(answer, Written(model, first.ref, used))
            return
        prompt = prompt_for_repair(first, raw, problems[:MAX_PROBLEMS])
    raise VendorError(Why.UNUSABLE)


async def _guarded(vendor: Vendor, prompt: Prompt) -> AsyncGenerator[str | Finished, None]:
    """The vendor's pieces, until one would give our own words away."""
    guard = LeakGuard(prompt)
    async with aclosing(vendor.stream(prompt)) as pieces:
        async for piece in pieces:
            if isinstance(piece, str) and guard.is_leaking(piece):
                raise VendorError(Why.DECLINED)
            yield _UNSTORABLE.sub("", piece) if isinstance(piece, str) else piece


def _bare(raw: str) -> str:
    """JSON without the code fence that some models put around it."""
    text = raw.strip()
    if text.startswith("```") and text.endswith("```"):
        return text.removesuffix("```").partition("\n")[2]
    return text
