"""Webhook endpoints: where events are posted, each with a secret of its own and the types that it wants."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from stripe_fake import API_VERSION, forms
from stripe_fake.errors import InvalidRequest
from stripe_fake.store import Obj
from stripe_fake.world import World, new_id

KIND = "webhook_endpoint"
PRESET = "we_preset"


def install_preset(world: World) -> None:
    """The endpoint that the command line names, as if it had been made in the dashboard; none if it names none."""
    config = world.config
    if not config.webhook_url:
        world.store.remove(PRESET)
        world.store.drop_deliveries(PRESET, "the endpoint is gone")
    else:
        known = world.store.get(KIND, PRESET)
        fresh = _build(world, PRESET, config.webhook_url, ["*"], config.webhook_secret, "From the command line")
        world.store.put({**fresh, "created": known["created"] if known else fresh["created"]})
    world.store.commit()


def create(world: World, params: dict[str, Any]) -> Obj:
    """`POST /v1/webhook_endpoints`; the secret is in this answer and in no other."""
    secret = new_id("whsec", 32)
    endpoint = _build(
        world, new_id("we"), _url(params, required=True), _events(params), secret,
        forms.text(params, "description"), forms.merge_metadata({}, params),
    )  # fmt: skip
    world.store.put(endpoint)
    return {**endpoint, "secret": secret}


def update(world: World, endpoint: Obj, params: dict[str, Any]) -> Obj:
    """Another address, other types, a rest."""
    if "url" in params:
        endpoint["url"] = _url(params)
    if "enabled_events" in params:
        endpoint["enabled_events"] = _events(params)
    if "description" in params:
        endpoint["description"] = forms.text(params, "description")
    if "disabled" in params:
        endpoint["status"] = "disabled" if forms.boolean(params, "disabled") else "enabled"
    endpoint["metadata"] = forms.merge_metadata(endpoint["metadata"], params)
    return world.store.put(endpoint)


def delete(world: World, endpoint: Obj) -> Obj:
    """It hears nothing more, not even what waited for it."""
    world.store.remove(endpoint["id"])
    world.store.drop_deliveries(endpoint["id"], "the endpoint is gone")
    return {"id": endpoint["id"], "object": KIND, "deleted": True}


def _build(
    world: World,
    endpoint_id: str,
    url: str,
    events: list[str],
    secret: str,
    description: str | None,
    metadata: dict[str, str] | None = None,
) -> Obj:
    return {
        "id": endpoint_id,
        "object": KIND,
        "api_version": API_VERSION,
        "application": None,
        "created": world.now(),
        "description": description,
        "enabled_events": events,
        "livemode": False,
        "metadata": metadata or {},
        "status": "enabled",
        "url": url,
        "_secret": secret,
    }


def _url(params: dict[str, Any], *, required: bool = False) -> str:
    url = str(forms.text(params, "url", required=required))
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise InvalidRequest("Invalid URL: An explicit scheme (such as https) must be provided.", param="url")
    return url


def _events(params: dict[str, Any]) -> list[str]:
    found = forms.strings(params, "enabled_events")
    if not found:
        raise InvalidRequest(
            "Missing required param: enabled_events.", param="enabled_events", code="parameter_missing"
        )
    if "*" in found and len(found) > 1:
        raise InvalidRequest("`*` stands for every type, no other may be named beside it.", param="enabled_events")
    return found
