"""The SPA's files: hashed assets for ever, everything else fresh, and index.html for every deep link.

Why not Envoy's own file server: docs/decisions/0002-spa-from-the-gateway.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from common.errors import Unavailable
from common.http import MethodNotAllowed

ASSETS: Final = "assets/"
IMMUTABLE: Final = "public, max-age=31536000, immutable"
FRESH: Final = "no-cache"
READING: Final = ("GET", "HEAD")


class Spa(StaticFiles):
    """Mounted at /app. Without a built SPA it answers 503, so that the API still starts."""

    def __init__(self, folder: Path | None) -> None:
        self._built = folder is not None and (folder / "index.html").is_file()
        super().__init__(directory=folder if self._built else None, packages=None, check_dir=False)

    async def get_response(self, path: str, scope: Scope) -> Response:
        if not self._built:
            raise Unavailable("The web app is not installed here; the API works without it.", retry_after=60)
        if scope["method"] not in READING:
            raise MethodNotAllowed(headers={"Allow": ", ".join(READING)})
        path = "index.html" if path in (".", "") else path
        is_asset = f"{path}/".startswith(ASSETS)
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            # A missing asset is missing: answering it with a page would hide a bad deploy.
            if error.status_code != 404 or is_asset:
                raise
            path = "index.html"
            response = await super().get_response(path, scope)
        if response.status_code in (200, 206, 304):
            response.headers["cache-control"] = IMMUTABLE if is_asset else FRESH
            if is_asset:
                # Nobody asks for these again, and the edge compresses only answers without an ETag.
                del response.headers["etag"]
        return response
