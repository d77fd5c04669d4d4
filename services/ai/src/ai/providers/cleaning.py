"""No text that a provider writes can call another server: images go, and links stay only where a person had put them.

An image in Markdown is fetched by whoever reads it, with whatever stands in its address; so text from a call or an
upload that has a model write one could carry a proposal's words away. A link does the same on a click. A bare address
stays where it stands in the material as it is; one that was made up is taken out.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from ai.providers.port import Mark, Piece, Provider, ProviderRequest, Structured, StructureRequest, T

GONE: Final = "[address removed]"
MAX_HELD: Final = 4_000
"""Of what may yet turn out to be a link; no address that anyone needs is longer."""

_IMAGE: Final = re.compile(
    r"!\[(?P<words>(?:[^\[\]]|\\.){0,500}?)\]\s?(?:\((?P<target>[^()]*(?:\([^()]*\)[^()]*)*)\)|\[[^\]]*\])"
)
_LINK: Final = re.compile(r"\[(?P<words>(?:[^\[\]\\]|\\.){0,500}?)\]\((?P<target>[^()]*(?:\([^()]*\)[^()]*)*)\)")
_DEFINITION: Final = re.compile(r"^[ \t>]{0,12}\[[^\]\n]{1,200}\]:[ \t]*\n?[ \t]*(?P<target>\S+).*$", re.MULTILINE)
_TAG: Final = re.compile(r"<(?:[a-zA-Z/!?][^<>]*)>")
_URL: Final = re.compile(
    r"(?:(?:[a-z][a-z0-9+.-]{1,20}:)?//|www\.|(?:javascript|vbscript|data|file|mailto|tel):)[^\s<>\"'`\])}\\|]+",
    re.IGNORECASE,
)
_AUTOLINK: Final = re.compile(r"<(?P<target>[a-zA-Z][a-zA-Z0-9+.-]{1,20}:[^\s<>]*|[^\s<>@]+@[^\s<>@]+)>")
_MAY_OPEN: Final = re.compile(r"[\[<!/:]|www", re.IGNORECASE)
_OPENS: Final = re.compile(r"[\[<\\:/!]")
_TRAILING: Final = ".,;:!?*_~"
_SCHEMES: Final = (
    "http",
    "https",
    "ftp",
    "www",
    "data",
    "javascript",
    "vbscript",
    "file",
    "mailto",
    "tel",
    "ws",
    "wss",
)


class Cleaner:
    """Cleans one text that comes in pieces. The pieces it gives out, joined, are the clean text."""

    def __init__(self, request: ProviderRequest) -> None:
        library = (item.text for item in request.library)
        people = "\n".join((request.text, request.instruction, *request.answers.values(), *library))
        self._theirs = frozenset(_addresses(people))
        material = "\n".join((request.guidance, *(passage.text for passage in request.passages)))
        self._known = self._theirs | frozenset(_addresses(material))
        self._held = ""

    def add(self, piece: str) -> str:
        """What of the text so far is certain."""
        text = self._held + piece
        at = _certain_end(text)
        if len(text) - at > MAX_HELD:
            at = len(text)
        self._held = text[at:]
        return self.clean(text[:at])

    def rest(self) -> str:
        """What is still held, at the end."""
        held, self._held = self._held, ""
        return self.clean(held)

    def clean(self, text: str) -> str:
        """A text that is whole."""
        if not _MAY_OPEN.search(text):
            return text
        while True:
            cleaner = _IMAGE.sub(lambda match: match["words"], text)
            cleaner = _LINK.sub(self._link, cleaner)
            cleaner = _AUTOLINK.sub(lambda match: match["target"], cleaner)
            cleaner = _TAG.sub("", cleaner)
            cleaner = _DEFINITION.sub(lambda match: match[0] if match["target"] in self._theirs else "", cleaner)
            if cleaner == text:
                break
            text = cleaner
        return _URL.sub(self._bare, text)

    def _link(self, match: re.Match[str]) -> str:
        target = match["target"].split()
        return match[0] if target and target[0].strip("<>") in self._theirs else match["words"]

    def _bare(self, match: re.Match[str]) -> str:
        address = match[0].rstrip(_TRAILING)
        return match[0] if address in self._known else GONE + match[0][len(address) :]


class CleanProvider:
    """Any provider, with clean texts. What it answers as data is checked where it is used."""

    def __init__(self, inner: Provider) -> None:
        self._inner = inner

    @property
    def model(self) -> str:
        return self._inner.model

    @property
    def max_output_tokens(self) -> int | None:
        return self._inner.max_output_tokens

    def count_tokens(self, text: str) -> int:
        return self._inner.count_tokens(text)

    async def structure(self, request: StructureRequest[T]) -> Structured[T] | None:
        return await self._inner.structure(request)

    async def stream(self, request: ProviderRequest) -> AsyncGenerator[Piece, None]:
        cleaner = Cleaner(request)
        async with aclosing(self._inner.stream(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, str):
                    if certain := cleaner.add(piece):
                        yield certain
                    continue
                rest = cleaner.rest()
                if rest and piece is not Mark.RESTART:
                    yield rest
                yield piece
        if rest := cleaner.rest():
            yield rest


def _certain_end(text: str) -> int:
    """Up to where no link, image, tag or address can still begin or go on: the last blank outside of all brackets, or
    the end of a plain word."""
    certain = depth = 0
    if not _OPENS.search(text):
        certain = max(map(text.rfind, " \n")) + 1
        return len(text) if _is_plain(text[certain:]) else certain
    in_tag = in_definition = False
    at = 0
    while at < len(text):
        char, following = text[at], text[at + 1 : at + 2]
        if char.isspace():
            if char == "\n" and following == "\n":
                depth, in_tag, in_definition = 0, False, False  # a blank line ends them all
            in_definition = in_definition and not (char == "\n" and text[at - 1] not in ": ")
            if not (depth or in_tag or in_definition):
                certain = at + 1
        elif char == "\\":
            at += 1
        elif char == "[" or (char == "(" and (depth or text[at - 1 : at] == "]")):
            depth += 1
        elif char in "])":
            depth = max(0, depth - 1)
            in_definition = in_definition or (char == "]" and following == ":")
        elif char == "<" and (not following or following.isalpha() or following in "/!?"):
            in_tag = True
        elif char == ">":
            in_tag = False
        at += 1
    return len(text) if not (depth or in_tag or in_definition) and _is_plain(text[certain:]) else certain


def _is_plain(tail: str) -> bool:
    """Whether what the text ends in is a word, or the beginning of one, that no address begins with."""
    word = tail.lower()
    return word.isalnum() and not word.startswith(_SCHEMES) and not any(one.startswith(word) for one in _SCHEMES)


def _addresses(text: str) -> set[str]:
    """Each address in a text, as it stands and without the sentence's own marks."""
    found = {match[0].rstrip(_TRAILING) for match in _URL.finditer(text)}
    links = (match["target"].split() for match in _LINK.finditer(text))
    return found | {target[0].strip("<>") for target in links if target}
