"""Rules of knowledge: how a page is cut into passages, which words of a question are looked for, and how two rankings
become one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

PASSAGE_CHARACTERS: Final = 700
MAX_PASSAGE_CHARACTERS: Final = 2_000
MAX_QUERY_WORDS: Final = 24
FUSION_CONSTANT: Final = 10
"""How much the first places count: lists of thirty are short beside those that the usual 60 was found for."""

_SENTENCE_END: Final = re.compile(r"(?<=[.!?])(?<!\s\d\.)(?<!\s\d\d\.)\s+(?=[A-Z0-9\"“(\[])")
_STOP_WORDS: Final = frozenset(
    (
        *("about", "above", "after", "also", "been", "being", "below", "between", "both", "could", "does", "each"),
        *("from", "given", "have", "into", "many", "more", "most", "must", "other", "should", "some", "such", "than"),
        *("that", "their", "them", "then", "there", "these", "they", "this", "those", "what", "when", "where", "which"),
        *("while", "whom", "will", "with", "would", "your"),
        *("applicant", "applicants", "call", "describe", "include", "project", "proposal", "section"),
    )
)


def cleaned(text: str) -> str:
    """A page's text as it can be stored: no NUL, no half surrogate pairs, plain line feeds."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").replace("\ufffe", "")
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def passages_of(page: str) -> Iterator[str]:
    """The page as passages of whole sentences, about PASSAGE_CHARACTERS each."""
    pending = ""
    for sentence in _SENTENCE_END.split(" ".join(page.split())):
        for piece in _bounded(sentence):
            if pending and len(pending) + len(piece) > PASSAGE_CHARACTERS:
                yield pending
                pending = ""
            pending = f"{pending} {piece}".strip()
    if pending:
        yield pending


def query_words(texts: Iterable[str]) -> list[str]:
    """The telling words of what is looked for, each once, the first ones first."""
    words = (word for text in texts for word in re.findall(r"[^\W\d_]{4,}", text.lower()))
    return list(dict.fromkeys(word for word in words if word not in _STOP_WORDS))[:MAX_QUERY_WORDS]


def asked_words(question: str) -> list[str]:
    """Every word of a question once, the first ones first; which of them tell nothing is for their language to say."""
    return list(dict.fromkeys(re.findall(r"[^\W_]{2,}", question.lower())))[:MAX_QUERY_WORDS]


def fuse(rankings: Sequence[Sequence[int]]) -> list[int]:
    """One ranking from several by reciprocal ranks: what stands high in one, or well in both, comes first."""
    scores: defaultdict[int, float] = defaultdict(float)
    for ranking in rankings:
        for place, item in enumerate(ranking, start=1):
            scores[item] += 1 / (FUSION_CONSTANT + place)
    return sorted(scores, key=lambda item: (-scores[item], item))


def _bounded(sentence: str) -> Iterator[str]:
    """Text without full stops (a table, a script without them) is cut all the same."""
    while len(sentence) > MAX_PASSAGE_CHARACTERS:
        cut = sentence.rfind(" ", 0, MAX_PASSAGE_CHARACTERS)
        cut = cut if cut > 0 else MAX_PASSAGE_CHARACTERS
        yield sentence[:cut]
        sentence = sentence[cut:].strip()
    if sentence:
        yield sentence
