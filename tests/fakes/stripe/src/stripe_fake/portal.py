"""Customer portal sessions."""

from __future__ import annotations

from typing import Any

from stripe_fake import customers, forms
from stripe_fake.store import Obj
from stripe_fake.world import World, new_id


def create(world: World, params: dict[str, Any]) -> Obj:
    """`POST /v1/billing_portal/sessions`: an address where the customer manages what they bought."""
    customer_id = str(forms.text(params, "customer", required=True))
    customers.alive(world.get("customer", customer_id, param="customer"), "customer")
    session_id = new_id("bps")
    return world.store.put(
        {
            "id": session_id,
            "object": "billing_portal.session",
            "configuration": "bpc_default",
            "created": world.now(),
            "customer": customer_id,
            "flow": None,
            "livemode": False,
            "locale": forms.text(params, "locale"),
            "on_behalf_of": None,
            "return_url": forms.text(params, "return_url"),
            "url": f"{world.config.public_url}/p/session/{session_id}",
        }
    )
