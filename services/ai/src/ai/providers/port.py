"""The port: what a provider is asked, and how it answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol


class ProviderFailed(Exception):
    """The provider did not answer, or not to the end; the message is for the user and holds nothing of their text."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document, and how to cite it: `[label, p. page]`."""

    label: str
    page: int
    text: str

    @property
    def citation(self) -> str:
        """For example `[call, p. 4]`."""
        return f"[{self.label}, p. {self.page}]"


@dataclass(frozen=True, slots=True)
class Criterion:
    """What a reviewer scores."""

    title: str
    points: int | None


@dataclass(frozen=True, slots=True)
class Question:
    """What the plan asks the user."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """All that a text is written from. What stands in `passages` and `text` is data, never an instruction."""

    kind: Literal["write", "revise"]
    section_title: str
    guidance: str = ""
    page_limit: int | None = None
    criteria: Sequence[Criterion] = ()
    questions: Sequence[Question] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    passages: Sequence[Passage] = ()
    text: str = ""
    """For a revision: the text as it is."""
    instruction: str = ""


class Provider(Protocol):
    """Writes text for one request, as a stream."""

    @property
    def model(self) -> str:
        """The name under which a generation is recorded."""

    def stream(self, request: ProviderRequest) -> AsyncIterator[str]:
        """Text deltas; joined they are the answer. Raises ProviderFailed."""

    def count_tokens(self, text: str) -> int:
        """How many tokens the text is charged as."""
