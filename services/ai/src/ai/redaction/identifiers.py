"""E-mail addresses, phone numbers and identifiers: by their form, and by their check digits where they have some."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["email", "phone", "iban", "card", "vat", "id", "person"]


@dataclass(frozen=True, slots=True)
class Found:
    """Something about a person, from `start` to `end` of a text."""

    kind: Kind
    start: int
    end: int


EMAIL: Final = re.compile(
    r"(?<![\w.+%-])[\w][\w.+%'-]{0,63}@[^\W_](?:[\w-]{0,62}\w)?(?:\.[^\W_](?:[\w-]{0,62}\w)?)+"
    r"|(?<![\w.+%-])[\w][\w.+%-]{0,63} ?[\[(] ?at ?[\])]"
    r" ?[^\W_][\w-]{0,62}(?: ?(?:\.|[\[(] ?dot ?[\])]) ?[^\W_][\w-]{0,62})+",
    re.IGNORECASE,
)
_GAP = r"[ \u00a0\u202f\u2009]"
_IBAN: Final = re.compile(rf"\b[A-Z]{{2}}\d{{2}}(?:(?:{_GAP}|-)?[A-Z0-9]{{1,4}}){{3,8}}\b")
_CARD: Final = re.compile(rf"(?<![\w+.,-])[2-6](?:(?:{_GAP}|-)?\d){{12,18}}(?![\w]|[.,]\d)")
_VAT: Final = re.compile(
    rf"\b(?:ATU{_GAP}?\d{{8}}|BE{_GAP}?[01](?:[ .]?\d{{3}}){{3}}|BG{_GAP}?\d{{9,10}}|CHE[ -]?(?:\d{{3}}[.]?){{3}}"
    rf"|CY{_GAP}?\d{{8}}[A-Z]|CZ{_GAP}?\d{{8,10}}|DE{_GAP}?(?:{_GAP}?\d{{3}}){{3}}|DK{_GAP}?\d{{2}}(?:{_GAP}?\d{{2}}){{3}}"
    rf"|EE{_GAP}?\d{{9}}|EL{_GAP}?\d{{9}}|ES{_GAP}?[A-Z0-9]\d{{7}}[A-Z0-9]|FI{_GAP}?\d{{8}}"
    rf"|FR{_GAP}?[A-Z0-9]{{2}}(?:{_GAP}?\d{{3}}){{3}}|(?:GB|XI){_GAP}?\d{{3}}{_GAP}?\d{{4}}{_GAP}?\d{{2}}(?:{_GAP}?\d{{3}})?"
    rf"|HR{_GAP}?\d{{11}}|HU{_GAP}?\d{{8}}|IE{_GAP}?\d[A-Z0-9+*]\d{{5}}[A-Z]{{1,2}}|IT{_GAP}?\d{{11}}|LT{_GAP}?\d{{9,12}}"
    rf"|LU{_GAP}?\d{{8}}|LV{_GAP}?\d{{11}}|MT{_GAP}?\d{{8}}|NL{_GAP}?\d{{9}}B\d{{2}}|PL{_GAP}?\d{{10}}|PT{_GAP}?\d{{9}}"
    rf"|RO{_GAP}?\d{{6,10}}|SE{_GAP}?\d{{12}}|SI{_GAP}?\d{{8}}|SK{_GAP}?\d{{10}})\b"
)
_NAMED_ID: Final = re.compile(
    r"\b(?:passport|passeport|pasaporte|passaporto|reisepass|paszport|national id(?:entity)?|identity card|id card"
    r"|personalausweis|ausweis|social security|sozialversicherung\w*|national insurance|tax(?:payer)? id\w*"
    r"|steuer-?id\w*"
    r"|steuernummer|driving licen[cs]e|driver'?s licen[cs]e|führerschein|ssn|nino|bsn|pesel|dni|nie|nif|nir|cpf|aadhaar"
    r"|codice fiscale|num[ée]ro de s[ée]curit[ée] sociale)\b"
    r"[ \t]*(?:(?:no|nr|n°|nº|number|nummer|num[ée]ro|numero)\b\.?|[:#.=–-]|is\b|ist\b|est\b|es\b|[ \t])*[ \t]*"
    r"(?P<value>(?=[A-Z0-9 ./-]*\d)[A-Z0-9](?:[ ./-]?[A-Z0-9]){4,19})(?![a-z])",
    re.IGNORECASE,
)
_PHONE: Final = re.compile(
    rf"(?<![\w.,/+-])(?:\+|00)?\(?\d(?:[\d()/.\-\u2011\u2013]|{_GAP}){{5,24}}\d(?!\w|[.,]\d)", re.ASCII
)
_PHONE_BEFORE: Final = re.compile(
    r"(?:tel|phone|mobile|mob|cell|fax|call|whatsapp|signal|telefon|handy|mobil|téléphone|portable|teléfono|telefono"
    r"|móvil|cellulare|telefoon|ring|hotline|sms)\w{0,6}\.?"
    r"(?: ?(?:no|nr|number|us|me|him|her|them|at|on|unter|under|au|al))*"
    r"\.?\s{0,2}[:.(]?\s{0,2}$",
    re.IGNORECASE,
)
_DATE: Final = re.compile(r"^\(?(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2})\b")
_NORTH_AMERICAN: Final = re.compile(r"^(?:1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}$")


def find_identifiers(text: str) -> Iterator[Found]:
    """Everything of these kinds; what overlaps is settled by the caller, who takes the earlier one of two."""
    for match in EMAIL.finditer(text):
        yield Found("email", *match.span())
    for match in _IBAN.finditer(text):
        if end := _iban_end(match[0]):
            yield Found("iban", match.start(), match.start() + end)
    for match in _CARD.finditer(text):
        if _luhn(_digits(match[0])):
            yield Found("card", *match.span())
    for match in _VAT.finditer(text):
        yield Found("vat", *match.span())
    for match in _NAMED_ID.finditer(text):
        yield Found("id", *match.span("value"))
    for pattern, is_right in _NATIONAL:
        for match in pattern.finditer(text):
            if is_right(re.sub(r"\W", "", match[0])):
                yield Found("id", *match.span())
    yield from _phones(text)


def _phones(text: str) -> Iterator[Found]:
    for match in _PHONE.finditer(text):
        words, start = match[0], match.start()
        if words.count(")") > words.count("("):
            words = words[: words.index(")")]
        digits = _digits(words)
        if not 7 <= len(digits) <= 15 or _DATE.match(words):
            continue
        said = _PHONE_BEFORE.search(text[max(0, start - 40) : start])
        international = words.startswith(("+", "00")) and len(digits) >= 8
        national = words.lstrip("(").startswith("0") and 9 <= len(digits) <= 13
        if said or international or national or _NORTH_AMERICAN.match(words):
            yield Found("phone", start, start + len(words.rstrip(" -.(/\u2013")))


def _digits(text: str) -> str:
    return "".join(char for char in text if char in "0123456789")


def _iban_end(words: str) -> int:
    """Where the IBAN ends that these words begin with; 0 when none does. What follows it may look like part of it."""
    ends = [place.end() for place in re.finditer(r"[A-Z0-9]+", words)]
    for end in [len(words), *reversed(ends)]:
        value = re.sub(r"[^A-Z0-9]", "", words[:end])
        if 15 <= len(value) <= 34 and int("".join(str(int(char, 36)) for char in value[4:] + value[:4])) % 97 == 1:
            return end
    return 0


def _luhn(digits: str) -> bool:
    total = 0
    for place, char in enumerate(reversed(digits)):
        number = int(char) * (1 + place % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0 and len(set(digits)) > 1


def _spanish(value: str) -> bool:
    number = value[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == value[-1]


def _french(value: str) -> bool:
    number = value[:13].replace("2A", "19").replace("2B", "18")
    return 97 - int(number) % 97 == int(value[13:])


def _weighted(weights: tuple[int, ...], modulo: int) -> Callable[[str], bool]:
    return lambda value: sum(int(char) * weight for char, weight in zip(value, weights, strict=True)) % modulo == 0


def _german(value: str) -> bool:
    """A tax id: one digit of the first ten comes twice or thrice, and the eleventh checks them."""
    counts = sorted(value[:10].count(char) for char in set(value[:10]))
    if value[0] == "0" or counts[-1] not in (2, 3) or len(counts) not in (8, 9):
        return False
    product = 10
    for char in value[:10]:
        product = ((int(char) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(value[10])


def _always(_value: str) -> bool:
    return True


_PESEL: Final = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
_NATIONAL: Final[tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...]] = (
    (re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])", re.ASCII), _always),  # US
    (re.compile(r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b", re.ASCII), _always),  # UK
    (re.compile(r"\b[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\b", re.ASCII), _always),  # Italy
    (re.compile(r"(?<![\w-])(?:\d{8}|[XYZ]\d{7})-?[A-HJ-NP-TV-Z]\b", re.ASCII), _spanish),
    (
        re.compile(r"(?<!\w)[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?!\w)", re.ASCII),
        _french,
    ),
    (re.compile(r"(?<![\w+.,-])\d{2} ?\d{3} ?\d{3} ?\d{3}(?!\w|[.,]\d)", re.ASCII), _german),
    (
        re.compile(r"(?<![\w+.,-])\d{11}(?!\w|[.,]\d)", re.ASCII),
        _weighted(_PESEL, 10),
    ),  # Poland
    (re.compile(r"(?<![\w-])(?:\d{2})?\d{6}[-+]\d{4}(?![\w-])", re.ASCII), lambda value: _luhn(value[-10:])),  # Sweden
)
