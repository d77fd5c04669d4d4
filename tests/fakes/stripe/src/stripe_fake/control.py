"""The control API below `/_fake/`: make things happen, make them go wrong, look at what was delivered."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stripe_fake import catalog, endpoints, triggers
from stripe_fake.errors import InvalidRequest, StripeError
from stripe_fake.faults import Faults
from stripe_fake.world import World


def control_routes(world: World) -> list[Route]:
    """GET health, deliveries, faults; POST trigger, faults, resend, reset. Bodies are JSON."""

    def get(path: str, make: Callable[[], Any]) -> Route:
        async def endpoint(request: Request) -> Response:
            return JSONResponse(make())

        return Route(path, endpoint, methods=["GET"])

    def post(path: str, act: Callable[[World, Request, dict[str, Any]], Any]) -> Route:
        async def endpoint(request: Request) -> Response:
            raw = await request.body()
            try:
                body = json.loads(raw or b"{}")
                if not isinstance(body, dict):
                    raise InvalidRequest("The body must be a JSON object.")
                result = act(world, request, body)
                world.store.commit()
                return JSONResponse(result)
            except json.JSONDecodeError as problem:
                return JSONResponse({"error": {"message": f"The body is not JSON: {problem}"}}, 400)
            except StripeError as refusal:
                world.store.rollback()
                return JSONResponse(refusal.body(), refusal.status)
            finally:
                world.wake.set()

        return Route(path, endpoint, methods=["POST"])

    async def reset(request: Request) -> Response:
        return await _reset(world)

    return [
        get("/_fake/health", lambda: {"status": "ok"}),
        get("/_fake/deliveries", lambda: {"items": world.store.deliveries()}),
        get("/_fake/faults", world.faults.as_dict),
        get("/_fake/triggers", lambda: {"items": sorted(triggers.TRIGGERS)}),
        post("/_fake/trigger/{name}", _trigger),
        post("/_fake/faults", _set_faults),
        post("/_fake/resend/{event_id}", _resend),
        Route("/_fake/reset", reset, methods=["POST"]),
    ]


def _trigger(world: World, request: Request, body: dict[str, Any]) -> Any:
    mark = world.store.mark()
    triggers.run(world, request.path_params["name"], body)
    return {"events": [{"id": event["id"], "type": event["type"]} for event in world.store.since(mark, "event")]}


def _set_faults(world: World, request: Request, body: dict[str, Any]) -> Any:
    known = Faults().as_dict()
    for name, value in body.items():
        if name not in known or isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise InvalidRequest(f"Faults are numbers, 0 or more, named {', '.join(known)}.", param=name)
        setattr(world.faults, name, float(value) if name == "delay_seconds" else int(value))
    return world.faults.as_dict()


def _resend(world: World, request: Request, body: dict[str, Any]) -> Any:
    event = world.get("event", request.path_params["event_id"])
    endpoint = body.get("endpoint")
    world.deliver(event, world.get(endpoints.KIND, str(endpoint), param="endpoint")["id"] if endpoint else None)
    return {"id": event["id"], "type": event["type"]}


async def _reset(world: World) -> Response:
    async with world.sending:  # so that nothing of the old world arrives after the answer
        world.store.wipe()
        for name, value in Faults().as_dict().items():
            setattr(world.faults, name, value)
        catalog.install_presets(world)
        endpoints.install_preset(world)
    return JSONResponse({"status": "reset"})
