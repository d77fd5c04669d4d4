"""What the built-in drafter can do to a text on an instruction, each by a plain rule.

What it cannot do it marks, so that nobody takes an unchanged text for a revised one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

DEFAULT_SHARE: Final = 0.6
"""How much of the text "shorter" keeps when no figure is given."""

_CONTRACTIONS: Final = {
    "can't": "cannot", "won't": "will not", "don't": "do not", "doesn't": "does not", "didn't": "did not",
    "isn't": "is not", "aren't": "are not", "wasn't": "was not", "weren't": "were not", "haven't": "have not",
    "hasn't": "has not", "couldn't": "could not", "shouldn't": "should not", "wouldn't": "would not",
    "it's": "it is", "that's": "that is", "there's": "there is", "we're": "we are", "they're": "they are",
    "you're": "you are", "we've": "we have", "they've": "they have", "we'll": "we will", "they'll": "they will",
    "it'll": "it will", "let's": "let us", "i'm": "I am", "we'd": "we would",
}  # fmt: skip
_PLAIN_FORMAL: Final = {
    "a lot of": "many", "lots of": "many", "kind of": "somewhat", "sort of": "somewhat", "get": "obtain",
    "gets": "obtains", "got": "obtained", "big": "considerable", "huge": "substantial", "really": "", "very": "",
    "stuff": "material", "things": "elements", "okay": "acceptable", "kids": "children",
}  # fmt: skip
_SENTENCE: Final = re.compile(r"(?<=[.!?])(?<!\s\d\.)(?<!\s\d\d\.)\s+(?=[A-Z\[“\"(*]|\d{1,2}\.\s)")
"""The number of a list's item (`3. We allow …`) belongs to what follows it."""


def revise(text: str, instruction: str) -> str:
    """The text after the instruction; several wishes in one instruction are done in turn."""
    for pattern, rule in _RULES:
        if match := re.search(pattern, instruction, re.IGNORECASE):
            revised = rule(text, instruction, match)
            if revised != text:
                return revised
    return _append(text, f"[To complete: {_one_line(instruction)}]")


def _replace(text: str, _instruction: str, match: re.Match[str]) -> str:
    return text.replace(match["old"], match["new"])


def _shorten(text: str, instruction: str, _match: re.Match[str]) -> str:
    words = len(text.split())
    share = DEFAULT_SHARE
    if percent := re.search(r"(?:by|um)\s+(\d{1,2})\s?(?:%|percent)", instruction):
        share = 1 - int(percent[1]) / 100
    elif target := re.search(r"(\d{1,5})\s+words", instruction):
        share = min(1.0, int(target[1]) / max(words, 1))
    elif "half" in instruction.lower():
        share = 0.5
    budget = max(1, int(words * share))
    paragraphs = [_SENTENCE.split(paragraph) for paragraph in text.split("\n\n")]
    # What comes later in a paragraph says less: keep first sentences, then second ones, until the budget is used.
    order = sorted(
        ((row, column) for row, sentences in enumerate(paragraphs) for column in range(len(sentences))),
        key=lambda place: (place[1], place[0]),
    )
    kept: set[tuple[int, int]] = set()
    used = 0
    for row, column in order:
        length = len(paragraphs[row][column].split())
        if kept and used + length > budget:
            continue
        kept.add((row, column))
        used += length
    shorter = (
        " ".join(sentence for column, sentence in enumerate(sentences) if (row, column) in kept)
        for row, sentences in enumerate(paragraphs)
    )
    return "\n\n".join(paragraph for paragraph in shorter if paragraph)


def _bullets(text: str, _instruction: str, _match: re.Match[str]) -> str:
    def listed(paragraph: str) -> str:
        if paragraph.lstrip().startswith(("-", "*", "#", "|", "1.")):
            return paragraph
        return "\n".join(f"- {sentence}" for sentence in _SENTENCE.split(" ".join(paragraph.split())))

    return "\n\n".join(listed(paragraph) for paragraph in text.split("\n\n"))


def _formal(text: str, _instruction: str, _match: re.Match[str]) -> str:
    for table in (_CONTRACTIONS, _PLAIN_FORMAL):
        for plain, formal in table.items():
            text = re.sub(
                rf"\b{plain.replace(chr(39), '[' + chr(39) + '’]')}\b", _same_case(formal), text, flags=re.IGNORECASE
            )
    return re.sub(r"(?<=\S) {2,}(?=\S)", " ", text)


def _same_case(word: str) -> Callable[[re.Match[str]], str]:
    return lambda match: word[:1].upper() + word[1:] if match[0][0].isupper() else word


def _simpler(text: str, _instruction: str, _match: re.Match[str]) -> str:
    split = re.sub(r";\s+(\w)", lambda match: f". {match[1].upper()}", text)
    return re.sub(r",\s+(?:which|and|but)\s+(we|it|they|this)\b", lambda match: f". {match[1].capitalize()}", split)


def _add(text: str, _instruction: str, match: re.Match[str]) -> str:
    if quoted := re.search(r"[\"“](.+?)[\"”]", match["what"]):
        addition = quoted[1].strip()
        return _append(text, addition if addition[-1:] in ".!?" else f"{addition}.")
    if match["colon"]:
        addition = _one_line(match["what"])
        return _append(text, addition if addition[-1:] in ".!?" else f"{addition}.")
    return _append(text, f"[To complete: {_one_line(match['what'])}]")


def _append(text: str, addition: str) -> str:
    return f"{text.rstrip()}\n\n{addition}" if text.strip() else addition


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


_RULES: Final[tuple[tuple[str, Callable[[str, str, re.Match[str]], str]], ...]] = (
    (r"(?:replace|change)\s+[\"“](?P<old>[^\"”]+)[\"”]\s+(?:with|by|to|into)\s+[\"“](?P<new>[^\"”]*)[\"”]", _replace),
    (r"\b(?:short(?:en|er)|cut|concise|brief(?:er)?|tighten|condense|trim|reduce)\b", _shorten),
    (r"\b(?:bullets?|bullet points?|as a list)\b", _bullets),
    (r"\b(?:formal|professional|official)\b", _formal),
    (r"\b(?:simpl(?:er|ify)|plain(?:er)?|easier|readable)\b", _simpler),
    (r"\b(?:add|include|mention|insert|append)(?P<colon>:)?\s+(?P<what>.+)$", _add),
)
