"""What is rendered: a title, an organisation, sections in order, how they are set. Equal documents give equal bytes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from exports.rendering.layout import Layout
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
class Disclosure:
    """Which part a section's AI had, for the chapter on the use of AI. One entry for each section, in order."""

    origin: str
    """`human`, `ai`, `mixed`, or `unknown` where nobody noted it."""
    models: tuple[str, ...] = ()
    paragraphs: tuple[int, int] | None = None
    """How many of its paragraphs a model wrote, of how many."""


@dataclass(frozen=True, slots=True)
class Document:
    """The whole content of a file. No id, date or person belongs in here: they would change the bytes."""

    title: str
    org_name: str
    sections: tuple[Section, ...]
    layout: Layout = field(default_factory=Layout)
    disclosure: tuple[Disclosure, ...] | None = None
    """Asked for: the file ends with a chapter that says where AI wrote."""
    template_sha256: str | None = None
    """Of the organisation's own Word template, when the file is made in it."""

    def canonical(self) -> str:
        """The document as JSON with one spelling: what `content_key` hashes and what the renderer reads."""
        data: dict[str, Any] = {
            "title": self.title,
            "org_name": self.org_name,
            "sections": [{"title": one.title, "text": one.text} for one in self.sections],
        }
        if layout := self.layout.as_data():
            data["layout"] = layout
        if self.disclosure is not None:
            data["disclosure"] = [
                {"origin": one.origin, "models": list(one.models), "paragraphs": one.paragraphs}
                for one in self.disclosure
            ]
        if self.template_sha256 is not None:
            data["template_sha256"] = self.template_sha256
        return json.dumps(data, ensure_ascii=True, sort_keys=True, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> Document:
        """The inverse of `canonical`; KeyError or ValueError when it is something else."""
        data: dict[str, Any] = json.loads(text)
        disclosure = data.get("disclosure")
        return cls(
            title=data["title"],
            org_name=data["org_name"],
            sections=tuple(Section(title=one["title"], text=one["text"]) for one in data["sections"]),
            layout=Layout(**data.get("layout", {})),
            disclosure=None if disclosure is None else tuple(map(_disclosure, disclosure)),
            template_sha256=data.get("template_sha256"),
        )

    def content_key(self, file_format: Format) -> str:
        """Names the bytes before they exist: the same key means the same file."""
        parts = (file_format, TEMPLATE_VERSION, engine_version(file_format), self.canonical())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _disclosure(data: dict[str, Any]) -> Disclosure:
    counts = data["paragraphs"]
    return Disclosure(data["origin"], tuple(data["models"]), None if counts is None else (counts[0], counts[1]))
