"""What can go wrong with one file.

RenderError                  the file could not be made
|-- RenderRefused            its content is the reason: trying again gives the same answer
'-- RenderInterrupted        the child died, or ran out of time or memory: trying again may help
"""

from __future__ import annotations


class RenderError(Exception):
    """The file could not be made."""

    code = "render_failed"


class RenderRefused(RenderError):
    """The content cannot be set. The message says why, in words for the person who wrote it."""

    code = "render_refused"


class RenderInterrupted(RenderError):
    """The rendering process did not finish."""

    code = "render_interrupted"
