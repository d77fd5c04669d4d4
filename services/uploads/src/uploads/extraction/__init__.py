"""What a file says, page by page. Runs in the sandboxed child; only the standard library is imported at the top."""

from uploads.extraction.pages import ExtractedPage, Options, extract

__all__ = ["ExtractedPage", "Options", "extract"]
