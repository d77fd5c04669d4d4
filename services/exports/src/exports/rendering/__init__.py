"""Approved text in, the bytes of a file out: pure, deterministic, without database or network.

The engines are heavy (fonts, a compiler with its own threads) and must not live in a server process: the service calls
`exports.rendering.process.render_file`, which runs `python -m exports.rendering` for one file and ends with it.
"""

from exports.rendering.document import MEDIA_TYPES, Document, Section
from exports.rendering.versions import TEMPLATE_VERSION, engine_version

__all__ = ["MEDIA_TYPES", "TEMPLATE_VERSION", "Document", "Section", "engine_version"]
