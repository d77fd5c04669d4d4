"""What runs round every API call: key, version, idempotency, expansion, errors, commit."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stripe_fake import API_VERSION, forms
from stripe_fake.errors import IdempotencyMismatch, InvalidRequest, StripeError, Unauthorised
from stripe_fake.expand import render
from stripe_fake.routes import ROUTES, Handler
from stripe_fake.store import Obj
from stripe_fake.world import World, new_id


def api_routes(world: World) -> list[Route]:
    """The routes of `/v1`."""
    made = [Route(path, _endpoint(world, handler), methods=[method]) for (method, path), handler in ROUTES.items()]
    return [*made, Route("/v1/{rest:path}", _endpoint(world, _unknown), methods=["GET", "POST", "DELETE"])]


def _unknown(world: World, params: dict[str, Any], _: str) -> Obj:
    refusal = InvalidRequest("Unrecognized request URL. This fake models only part of the API; see its README.")
    refusal.status = 404
    raise refusal


def _endpoint(world: World, handler: Handler) -> Any:
    async def endpoint(request: Request) -> Response:
        raw = (await request.body()).decode() if request.method == "POST" else request.url.query
        # From here on nothing awaits, so one call at a time sees and changes the store.
        return answer(world, handler, request, raw)

    return endpoint


def answer(world: World, handler: Handler, request: Request, raw: str) -> Response:
    """Carry out one call."""
    request_id = new_id("req", 14)
    headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION}
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    try:
        caller = _authenticate(request)
        _check_version(request)
        scoped = f"{caller}:{key}" if key else None
        fingerprint = hashlib.sha256(f"{request.method} {request.url.path}\n{raw}".encode()).hexdigest()
        known = world.store.recall(scoped) if scoped else None
        if known is not None:
            if known["fingerprint"] != fingerprint:
                raise IdempotencyMismatch(
                    "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                    f"Try using a key other than '{key}' if you meant to execute a different request."
                )
            return _json(
                known["body"],
                known["status"],
                {**headers, "Idempotent-Replayed": "true", "Original-Request": request_id},
            )
        params = forms.decode(raw)
        paths = forms.strings(params, "expand")
        params.pop("expand", None)
        world.request_id, world.idempotency_key = request_id, key
        result = handler(world, params, str(request.path_params.get("id", "")))
        body = json.dumps(render(world, result, paths))
        if scoped:
            world.store.remember(scoped, fingerprint, 200, body)
        world.store.commit()
        return _json(body, 200, headers)
    except StripeError as refusal:
        world.store.rollback()
        return JSONResponse(refusal.body(), refusal.status, headers)
    finally:
        world.request_id = world.idempotency_key = None
        world.wake.set()


def _json(body: str, status: int, headers: dict[str, str]) -> Response:
    return Response(body, status, headers, "application/json")


def _authenticate(request: Request) -> str:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    key = credentials.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key, validate=True).decode().partition(":")[0]
        except ValueError:
            key = ""
    if not key:
        raise Unauthorised(
            "You did not provide an API key. "
            "You need to provide your API key in the Authorization header, using Bearer auth."
        )
    if not key.startswith(("sk_", "rk_")):
        raise Unauthorised(f"Invalid API Key provided: {key[:8]}{'*' * 8}")
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _check_version(request: Request) -> None:
    asked = request.headers.get("stripe-version", API_VERSION)
    if asked != API_VERSION:
        raise InvalidRequest(f"This fake speaks API version {API_VERSION} only; the request asked for {asked}.")
