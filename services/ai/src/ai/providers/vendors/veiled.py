"""A vendor that is told no names, addresses or numbers of people: they leave as `[person 1]` and come back.

The placeholders are numbered in the order of one message, so nobody at the vendor can tell that two messages speak of
the same person.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from ai.providers.vendors.port import Finished, Prompt, Vendor
from ai.redaction.tokens import find, normal

_PLACEHOLDER: Final = re.compile(r"\[(?:email|phone|iban|card|vat|id|person) \d+\]")
_BEGUN: Final = re.compile(r"\[[a-z]{0,6}(?:(?<=[a-z]) \d{0,6})?$")


class Veil:
    """One message with placeholders, and what they stand for."""

    def __init__(self, prompt: Prompt) -> None:
        self._meant: dict[str, str] = {}
        self._known: dict[tuple[str, str], str] = {}
        self._taken = set(_PLACEHOLDER.findall(prompt.material))
        # The word that marks the data is ours, and no part of it may be taken for a number of somebody's.
        veiled = prompt.boundary.join(self._cover(part) for part in prompt.material.split(prompt.boundary))
        self.prompt = replace(prompt, material=veiled)
        self._is_json = prompt.schema is not None
        self._held = ""

    def lift(self, piece: str) -> str:
        """The next piece of the answer with the meant words in it; what may be a placeholder's beginning is held."""
        text = self._held + piece
        begun = _BEGUN.search(text)
        self._held = text[begun.start() :] if begun else ""
        return _PLACEHOLDER.sub(self._uncover, text[: begun.start()] if begun else text)

    def rest(self) -> str:
        """What is still held at the end."""
        held, self._held = self._held, ""
        return held

    def _cover(self, text: str) -> str:
        parts, at = [], 0
        for one in find(text):
            value = text[one.start : one.end]
            key = (one.kind, normal(one.kind, value))
            if key not in self._known:
                number = 1 + sum(kind == one.kind for kind, _ in self._known)
                while f"[{one.kind} {number}]" in self._taken:
                    number += 1
                self._known[key] = f"[{one.kind} {number}]"
                self._taken.add(self._known[key])
                self._meant[self._known[key]] = value
            parts += [text[at : one.start], self._known[key]]
            at = one.end
        return "".join((*parts, text[at:]))

    def _uncover(self, match: re.Match[str]) -> str:
        value = self._meant.get(match[0], match[0])
        return json.dumps(value)[1:-1] if self._is_json else value


class VeiledVendor:
    """Any vendor, behind a veil."""

    def __init__(self, inner: Vendor) -> None:
        self._inner = inner
        self.name = inner.name
        self.model = inner.model

    def load(self) -> None:
        self._inner.load()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str | Finished, None]:
        veil = await asyncio.to_thread(Veil, prompt)  # a long call takes a second
        async with aclosing(self._inner.stream(veil.prompt)) as pieces:
            async for piece in pieces:
                if isinstance(piece, str):
                    yield veil.lift(piece)
                    continue
                if rest := veil.rest():
                    yield rest
                yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()
