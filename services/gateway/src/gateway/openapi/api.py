"""Routes: /api/openapi.json and /api/docs."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import cast

from fastapi import APIRouter, Request, Response

from gateway.openapi import page
from gateway.openapi.collector import Collector
from gateway.openapi.kept import keep

router = APIRouter(include_in_schema=False)


def _collector(request: Request) -> Collector:
    return cast(Collector, request.app.state.collector)


@router.api_route("/api/openapi.json", methods=["GET", "HEAD"])
async def openapi_json(request: Request) -> Response:
    """The merged document."""
    return keep(_collector(request).body, "application/json").answer(request)


@router.api_route("/api/docs", methods=["GET", "HEAD"])
async def docs(request: Request) -> Response:
    """The API reference."""
    return keep(_page(_collector(request).body), "text/html; charset=utf-8").answer(request)


@router.api_route(page.STYLE_PATH, methods=["GET", "HEAD"])
async def style(request: Request) -> Response:
    """Its style."""
    return keep(page.STYLE.encode(), "text/css; charset=utf-8").answer(request)


@lru_cache(maxsize=2)
def _page(document: bytes) -> bytes:
    """The API reference; it changes only with the document."""
    return page.render(json.loads(document)).encode()
