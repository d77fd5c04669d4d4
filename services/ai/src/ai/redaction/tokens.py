"""From what was found to what is kept: stable tokens that stand for it."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from ai.redaction.identifiers import Found, Kind, find_identifiers
from ai.redaction.names import find_names

TOKEN_DIGITS: Final = 12
"""48 bits: among a million values of an org, two share a token with a chance of one in 500."""
_TOKEN: Final = re.compile(rf"\[(?:email|phone|iban|card|vat|id|person):[0-9a-f]{{{TOKEN_DIGITS}}}\]")
_PURPOSE: Final = b"bidwright/ai/redaction/1/"


def find(text: str, known_names: Iterable[str] = ()) -> list[Found]:
    """Everything about people in a text, in order; of two that overlap the earlier, then the longer one stays."""
    protected = [match.span() for match in _TOKEN.finditer(text)]
    found = [
        one
        for one in (*find_identifiers(text), *find_names(text, known_names))
        if not any(one.start < end and start < one.end for start, end in protected)
    ]
    kept: list[Found] = []
    # An identifier before a name: a name within an e-mail address is not told apart.
    for one in sorted(found, key=lambda item: (item.kind == "person", item.start, -item.end)):
        if not any(one.start < other.end and other.start < one.end for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda item: item.start)


class Redactor:
    """Puts tokens in place of what is about people, for one org.

    The same value has the same token in all of the org's texts, and another one in another org's. Without the
    installation's secret nobody can find out which value a token stands for, not even by trying all phone numbers.
    """

    def __init__(self, secret: bytes, org_id: UUID, known_names: Iterable[str] = ()) -> None:
        self._key = hmac.digest(secret, _PURPOSE + org_id.bytes, hashlib.sha256)
        self._known_names = tuple(known_names)

    def redact(self, text: str) -> str:
        """The text with tokens; done twice, it is the same as done once."""
        while found := find(text, self._known_names):  # what a token stands beside now may be one more
            parts, at = [], 0
            for one in found:
                parts += [text[at : one.start], self.token(one.kind, text[one.start : one.end])]
                at = one.end
            text = "".join((*parts, text[at:]))
        return text

    def redact_all(self, value: Any) -> Any:
        """The same for each text in lists and in the values of mappings; keys, and ids as they are given, stay."""
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, Mapping):
            return {key: self.redact_all(item) for key, item in value.items()}
        return [self.redact_all(item) for item in value] if isinstance(value, list) else value

    def token(self, kind: Kind, value: str) -> str:
        """What stands for a value, however it is spaced and capitalised."""
        digest = hmac.digest(self._key, f"{kind}:{normal(kind, value)}".encode(), hashlib.sha256)
        return f"[{kind}:{digest.hex()[:TOKEN_DIGITS]}]"


def normal(kind: Kind, value: str) -> str:
    """The form in which two spellings of a value are the same."""
    value = unicodedata.normalize("NFKC", value).casefold()
    if kind == "email":
        return re.sub(r" ?[\[(] ?dot ?[\])] ?", ".", re.sub(r" ?[\[(] ?at ?[\])] ?", "@", value))
    if kind == "person":
        return " ".join(value.split())
    if kind == "phone":
        return re.sub(r"^00", "+", re.sub(r"[^\d+]", "", value.replace("(0)", "")))
    return re.sub(r"\W", "", value)
