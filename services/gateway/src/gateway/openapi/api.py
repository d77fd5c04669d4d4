"""Routes: /api/openapi.json and /api/docs."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request, Response

from gateway.openapi import page
from gateway.openapi.collector import Collector

router = APIRouter(include_in_schema=False)


def _collector(request: Request) -> Collector:
    return cast(Collector, request.app.state.collector)


@router.api_route("/api/openapi.json", methods=["GET", "HEAD"])
async def openapi_json(request: Request) -> Response:
    """The merged document."""
    return _fresh(_collector(request).body, "application/json")


@router.api_route("/api/docs", methods=["GET", "HEAD"])
async def docs(request: Request) -> Response:
    """The API reference."""
    return _fresh(page.render(_collector(request).document).encode(), "text/html; charset=utf-8")


@router.get(page.STYLE_PATH)
async def style() -> Response:
    """Its style."""
    return _fresh(page.STYLE.encode(), "text/css; charset=utf-8")


def _fresh(body: bytes, media_type: str) -> Response:
    # Without an ETag: the edge compresses only answers that have none, and these gain most from it.
    return Response(body, media_type=media_type, headers={"cache-control": "no-cache"})
