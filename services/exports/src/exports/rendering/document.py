"""What is rendered: a title, an organisation, sections in order. Equal documents give equal bytes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from exports.rendering.versions import TEMPLATE_VERSION, engine_version

if TYPE_CHECKING:
    from contracts.exports import Format

MEDIA_TYPES: Final[dict[Format, str]] = {
    "md": "text/markdown; charset=utf-8",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


@dataclass(frozen=True, slots=True)
class Section:
    """An approved section: its title as plain text, its text as Markdown."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """The whole content of a file. No id, date or person belongs in here: they would change the bytes."""

    title: str
    org_name: str
    sections: tuple[Section, ...]

    def canonical(self) -> str:
        """The document as JSON with one spelling: what `content_key` hashes and what the renderer reads."""
        return json.dumps(asdict(self), ensure_ascii=True, sort_keys=True, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> Document:
        """The inverse of `canonical`; KeyError or ValueError when it is something else."""
        data: dict[str, Any] = json.loads(text)
        sections = tuple(Section(title=one["title"], text=one["text"]) for one in data["sections"])
        return cls(title=data["title"], org_name=data["org_name"], sections=sections)

    def content_key(self, file_format: Format) -> str:
        """Names the bytes before they exist: the same key means the same file."""
        parts = (file_format, TEMPLATE_VERSION, engine_version(file_format), self.canonical())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()
