"""Refusals of the exports service.

BidwrightError
  x  Conflict                    409
     +  NothingApproved
     +  NotFinished
     +  ContentRefused
  x  NotYetConsistent            409
  x  Unavailable                 503
     +  RenderingFailed
  x  UnsupportedMediaType        415
     +  NeitherHashNorFile
     +  NotADocx
  x  InvalidRequest              400
     +  TemplateUnusable
"""

from __future__ import annotations

from common.errors import Conflict, InvalidRequest, Unavailable, UnsupportedMediaType


class NothingApproved(Conflict):
    """No section of this proposal is approved yet; approve at least one, then export."""

    def __init__(self) -> None:
        super().__init__(reason="nothing_approved")


class NotFinished(Conflict):
    """This export is not finished, so it has no file."""

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, reason="export_not_finished")


class ContentRefused(Conflict):
    """This proposal's text cannot be rendered as it is."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, reason="render_refused")


class RenderingFailed(Unavailable):
    """The file could not be made just now; try again in a moment."""


class NeitherHashNorFile(UnsupportedMediaType):
    """Send {"sha256": "..."} as application/json, or the file as multipart/form-data."""


class NotADocx(UnsupportedMediaType):
    """Send the template itself as application/vnd.openxmlformats-officedocument.wordprocessingml.document."""


class TemplateUnusable(InvalidRequest):
    """This file cannot be used as a template."""

    error = "template_refused"
    title = "Template refused"
