"""Answers that stay the same for long: compressed once, and not sent again to who has them."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache

from fastapi import Request, Response


@dataclass(frozen=True, slots=True)
class Kept:
    """A body in both codings. The edge compresses no answer that has an ETag, so it is done here."""

    plain: bytes
    zipped: bytes
    media_type: str
    digest: str

    def answer(self, request: Request) -> Response:
        """The body, or 304 for who has it in the coding that they accept."""
        zipped = _accepts_gzip(request.headers.get("accept-encoding", ""))
        etag = f'"{self.digest}{"-gzip" if zipped else ""}"'
        headers = {"cache-control": "no-cache", "etag": etag, "vary": "accept-encoding"}
        if _has(request.headers.getlist("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        if zipped:
            headers["content-encoding"] = "gzip"
        return Response(self.zipped if zipped else self.plain, media_type=self.media_type, headers=headers)


@lru_cache(maxsize=8)
def keep(body: bytes, media_type: str) -> Kept:
    """The body, ready to be sent often."""
    return Kept(body, gzip.compress(body, mtime=0), media_type, hashlib.sha256(body).hexdigest()[:32])


def _accepts_gzip(header: str) -> bool:
    for item in header.split(","):
        coding, _, weight = item.strip().lower().partition(";")
        if coding.strip() in ("gzip", "*") and weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            return True
    return False


def _has(if_none_match: list[str], etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for header in if_none_match for tag in header.split(",")}
    return bool(tags & {etag, "*"})
