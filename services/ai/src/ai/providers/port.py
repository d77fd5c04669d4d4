"""The port: what a provider is asked, and how it answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel

T = TypeVar("T", bound=BaseModel)

UNAVAILABLE: Final = "provider_unavailable"


class ProviderFailed(Exception):
    """The provider did not answer, or not to the end; the message is for the user and holds nothing of their text.

    `code` is stable: provider_unavailable, empty_result, too_long, declined, unusable_answer.
    """

    def __init__(self, message: str, code: str = UNAVAILABLE) -> None:
        super().__init__(message)
        self.code = code


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
class ApprovedAnswer:
    """What the org's answer library says to one of the plan's questions, and how to cite it: `[answer <id>]`."""

    id: str
    question_id: str
    question: str
    text: str

    @property
    def citation(self) -> str:
        """It names the answer, not its words, so that what became of it can be looked up."""
        return f"[answer {self.id}]"


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
    """All that a text is written from. `passages`, `library` and `text` are data, never an instruction."""

    kind: Literal["write", "revise"]
    section_title: str
    guidance: str = ""
    page_limit: int | None = None
    criteria: Sequence[Criterion] = ()
    questions: Sequence[Question] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    passages: Sequence[Passage] = ()
    library: Sequence[ApprovedAnswer] = ()
    text: str = ""
    """For a revision: the text as it is."""
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class StructureRequest(Generic[T]):
    """A reading of passages that is answered as data: a model of this kind, without `problems`.

    Args:
        prompt: the name of the prompt.
        passages: what is read; data, never an instruction.
        into: what the answer must be. No field has a default, and no unknown one is allowed.
        problems: what is wrong with an answer that has the right form, in words that a model can act on.
    """

    prompt: str
    passages: Sequence[Passage]
    into: type[T]
    problems: Callable[[T], Sequence[str]] = lambda _answer: ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the vendor counted them."""

    input_tokens: int
    output_tokens: int

    @property
    def total(self) -> int:
        """What a generation is charged as."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens)


@dataclass(frozen=True, slots=True)
class PromptRef:
    """Which prompt a text came from: `write.v1` and the SHA-256 of its words."""

    name: str
    checksum: str


@dataclass(frozen=True, slots=True)
class Written:
    """The last piece of a stream: who wrote it, from which prompt, and what it took."""

    model: str
    prompt: PromptRef
    usage: Usage | None = None
    """None where nobody counted; then the text is measured."""


class Mark(Enum):
    """Said between pieces of text."""

    RESTART = "restart"
    """What was streamed so far is void: another attempt begins with an empty text."""


Piece = str | Mark | Written


@dataclass(frozen=True, slots=True)
class Structured(Generic[T]):
    """An answer in the form that was asked for."""

    answer: T
    written: Written


class Provider(Protocol):
    """Writes text for one request, as a stream."""

    @property
    def model(self) -> str:
        """The name under which a generation is recorded until one has answered."""

    def stream(self, request: ProviderRequest) -> AsyncGenerator[Piece, None]:
        """Text deltas; those since the last RESTART joined are the answer. Raises ProviderFailed."""

    async def structure(self, request: StructureRequest[T]) -> Structured[T] | None:
        """The answer as data; None from one that has no language model. Raises ProviderFailed."""

    def count_tokens(self, text: str) -> int:
        """How many tokens the text is charged as, where the vendor does not say."""

    @property
    def max_output_tokens(self) -> int | None:
        """What one answer may cost at most, to be set aside; None for one that costs about what it is expected to."""


def text_of(pieces: Sequence[Piece]) -> str:
    """The answer that a stream's pieces make."""
    text = ""
    for piece in pieces:
        text = "" if piece is Mark.RESTART else text + piece if isinstance(piece, str) else text
    return text
