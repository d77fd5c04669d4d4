"""Names of people: by the words around them, and by lists of given names and surnames. No model is needed.

What it knows: a title before a name (`Dr`, `Frau`), a label (`Project lead:`), an e-mail address that is made of the
name, a given name of some fifty countries before a capitalised word, and any name that it has met elsewhere in the same
text. Names in other scripts than Latin are known behind a label only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Final

from ai.redaction.identifiers import EMAIL, Found

_GAP: Final = r"(?:[ \t\u00a0]+|[ \t\u00a0]*\n[ \t\u00a0]*)"
_UPPER: Final = r"[A-Z\u00c0-\u00de\u0100-\u024f]"
_WORD: Final = rf"{_UPPER}(?:[^\W\d_]|['’\-](?=[^\W\d_]))*"
_INITIAL: Final = rf"{_UPPER}\."
_PARTICLE: Final = (
    r"(?:van|von|vom|zu|zum|zur|de|da|do|di|du|del|della|der|den|des|dos|das|la|le|el|al|ter|ten|bin|ibn|bint|y|af)"
)
_NAME: Final = rf"(?:{_INITIAL}{_GAP}?)*{_WORD}(?:{_GAP}(?:{_PARTICLE}{_GAP}){{0,2}}(?:{_WORD}|{_INITIAL})){{0,3}}"

_OTHER_SCRIPT: Final = r"[^\W\d_A-Za-z\u00c0-\u024f]{2,20}"

_TITLED: Final = re.compile(
    r"\b(?:(?:Dr|Prof|Professor|Mr|Mrs|Ms|Miss|Mx|Sir|Dame|Lady|Rev|Reverend|Herr|Herrn|Frau|Mme|Mlle|Madame|Monsieur"
    r"|Sra?|Srta|Señora?|Sig|Signora?|Dott|Dottoressa|Ing|Dhr|Mevr|Mw|Senhora?|Pani?)\b\.?|M\.)"
    rf"(?:{_GAP}(?:(?:Dr|Prof|Ing|med|rer|nat|phil|habil)\b\.?))*{_GAP}(?P<name>{_NAME})"
)
_LABELLED: Final = re.compile(
    r"\b(?:(?i:(?:full |first |last |family |given )?name|contact(?: person)?|(?:project |team |work package )?"
    r"(?:lead(?:er)?|manager|coordinator|director)|(?:co-|principal )?investigator|chair(?:person|man|woman)?"
    r"|treasurer|trustee|head teacher"
    r"|author|cv of|cv|curriculum vitae(?: of)?|résumé of|resume of|lebenslauf(?: von)?|signed(?: by)?|signature"
    r"|prepared by|written by|submitted by|responsible|referee|reference|next of kin|beneficiary|patient|client"
    r"|ansprechpartner(?:in)?|leiter(?:in)?|leitung|verfasser(?:in)?|geschäftsführer(?:in)?|nom(?: et prénom)?|prénom"
    r"|responsable|nombre(?: completo)?|apellidos|contacto|nome(?: completo)?|cognome|referente|naam|contactpersoon"
    r"|imię(?: i nazwisko)?|nazwisko|namn|navn|nimi|имя|фио|ім'я|όνομα|氏名|姓名|名前|الاسم|नाम))"
    rf"[ \t]*[:：–=][ \t]*(?P<name>{_NAME}|{_OTHER_SCRIPT}(?:[ ·]{_OTHER_SCRIPT}){{0,3}})"
)
_PLAIN: Final = re.compile(rf"(?<![\w'’-]){_NAME}(?![\w’-])")
_SEPARATED: Final = re.compile(rf"(?<![\w'’-])(?P<last>{_WORD}),[ \u00a0]+(?P<first>{_WORD}|{_INITIAL})(?![\w’-])")

_MIN_ALONE: Final = 3
_SHORT: Final = frozenset({"will", "bill", "pat", "sue", "art", "bob", "rob", "ted", "meg", "jim", "joe", "tom", "liz"})
"""Short forms, which registers of names do not have."""
_LISTS: Final = "ai.redaction.known_names"
"""`given` and `surnames`; `words`, given names that are as often an ordinary word or a place and so are names only
before a known surname; `things`, before which a name is part of something else's, as of a foundation's."""


def find_names(text: str, known: Iterable[str] = ()) -> Iterator[Found]:
    """The names in a text, those of `known` among them; overlaps are the caller's to settle."""
    met: set[str] = set()
    spans = [*_by_context(text), *_by_lists(text)]
    for start, end in spans:
        met |= _parts(text[start:end])
        yield Found("person", start, end)
    for name in (*known, *_names_in_addresses(text)):
        met |= _parts(name)
    if met:
        words = "|".join(map(re.escape, sorted(met, key=len, reverse=True)))
        again = rf"(?<![\w'’-])(?:{words})(?:['’]s)?(?![\w’-])"
        joined = re.compile(rf"{again}(?:{_GAP}{again})*")
        for match in joined.finditer(text):
            yield Found("person", match.start(), match.end() - (2 if match[0].endswith(("'s", "’s")) else 0))


def _by_context(text: str) -> Iterator[tuple[int, int]]:
    for pattern in (_TITLED, _LABELLED):
        for match in pattern.finditer(text):
            start, end = match.span("name")
            if end := _without_strangers(text, start, end, is_labelled=True):
                yield start, end


def _by_lists(text: str) -> Iterator[tuple[int, int]]:
    given, surnames = _list("given"), _list("surnames")
    for match in _PLAIN.finditer(text):
        for word in re.finditer(_WORD, match[0]):
            first = word[0].lower()
            if not _is_given(first):
                continue
            start = match.start() + word.start()
            initials = re.search(rf"(?:{_INITIAL}{_GAP}?)+$", match[0][: word.start()])
            rest = match[0][word.end() :]
            words = [one.lower() for one in re.findall(_WORD, rest)]
            follows = re.match(rf"{_GAP}({_WORD})", text[match.end() :])
            if not words or not _list("things").isdisjoint([*words, follows[1].lower() if follows else ""]):
                continue
            if first in _list("words") and not any(one in surnames and one not in _list("words") for one in words):
                continue
            if all(one in _list("words") and one not in surnames for one in words):
                continue
            end = _without_strangers(text, start, match.end(), is_labelled=False)
            if end and " " in " ".join(text[start:end].split()):
                yield start - (len(initials[0]) if initials else 0), end
                break
        else:
            if initialled := re.match(rf"(?:{_INITIAL}{_GAP}?)+(?P<last>{_WORD})$", match[0]):
                last = initialled["last"].lower()
                if last in surnames and last not in _list("words") | _list("things"):
                    yield match.span()
    for match in _SEPARATED.finditer(text):
        first = match["first"].lower()
        if match["last"].lower() in surnames and (first in given and first not in _list("words")):
            yield match.span()


def _without_strangers(text: str, start: int, end: int, *, is_labelled: bool) -> int:
    """Where the name ends when words that no name has are taken off; 0 when nothing is left."""
    words = list(re.finditer(rf"{_WORD}|{_INITIAL}", text[start:end]))
    if not words:
        return end  # in another script
    kept = 0
    for place, word in enumerate(words):
        lower = word[0].lower()
        if place and place + 1 < len(words) and re.fullmatch(_PARTICLE, lower):
            continue
        stranger = lower in _list("things") or (
            (lower in _list("words") or (word[0].isupper() and len(word[0]) > 1 and lower not in _list("surnames")))
            and lower not in _list("surnames")
            and not _is_given(lower)
        )
        # A line break within a name is rare: what stands on the next line must be a name by itself.
        broken = place > 0 and "\n" in text[start + words[place - 1].end() : start + word.start()]
        if (stranger and (place > 0 or not is_labelled)) or (broken and lower not in _list("surnames")):
            break
        kept = start + word.end()
    return kept


def _names_in_addresses(text: str) -> Iterator[str]:
    for match in EMAIL.finditer(text):
        parts = re.split(r"[._-]", re.split(r"@| ?[\[(]", match[0])[0])
        if len(parts) >= 2 and all(part.isalpha() and len(part) >= 2 for part in parts):
            words = [part.lower() for part in parts]
            if any(_is_given(word) and word not in _list("words") for word in words) or all(
                word in _list("surnames") for word in words
            ):
                yield " ".join(part.capitalize() for part in parts)


def _parts(name: str) -> set[str]:
    """The words of a name that give it away when they stand alone."""
    return {
        word
        for word in re.findall(_WORD, name)
        if len(word) >= _MIN_ALONE and word.lower() not in _list("words") | _list("things")
    }


def _is_given(word: str) -> bool:
    return (
        word in _list("given")
        or word in _SHORT
        or ("-" in word and all(part in _list("given") for part in word.split("-")))
    )


@cache
def _list(name: str) -> frozenset[str]:
    return frozenset(files(_LISTS).joinpath(f"{name}.txt").read_text(encoding="utf-8").split())
