"""For tests: the fake as a process of its own, a webhook that listens, and a buyer with the unchanged SDK.

Needs the `stripe` package, which the fake itself does not.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import stripe

SECRET = "whsec_test_0123456789"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(check: Callable[[], Any], seconds: float = 10.0) -> Any:
    """The first truthy answer of `check`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := check():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


@dataclass
class Receiver:
    """A webhook endpoint: keeps what arrives, answers the statuses it was told, then 200."""

    url: str = ""
    received: list[tuple[bytes, str]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def types(self) -> list[str]:
        return [json.loads(body)["type"] for body, _ in self.received]

    def wait_for(self, event_type: str, count: int = 1) -> list[dict[str, Any]]:
        """The events of a type, once there are that many."""
        eventually(lambda: self.types().count(event_type) >= count)
        return [event for body, _ in self.received if (event := json.loads(body))["type"] == event_type]


@contextmanager
def listen(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A webhook endpoint on a free port, by HTTPS if `tls` is given."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = kept.statuses.pop(0) if kept.statuses else 200
            kept.received.append((body, self.headers["Stripe-Signature"]))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    kept.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}/api/stripe/webhook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()


class FakeProcess:
    """`python -m stripe_fake`, which can be stopped and started again on the same state."""

    def __init__(self, state: Path, webhook_url: str, *more: str) -> None:
        self.state = state
        self.url = f"http://127.0.0.1:{free_port()}"
        self._argv = [
            *(sys.executable, "-m", "stripe_fake", "--port", self.url.rpartition(":")[2], "--state", str(state)),
            *(
                "--webhook-url",
                webhook_url,
                "--webhook-secret",
                SECRET if webhook_url else "",
                "--public-url",
                self.url,
            ),
            *more,
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._argv, env={**os.environ, "PYTHONUNBUFFERED": "1"})
        eventually(self._ready)

    def stop(self) -> int:
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(10)

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/_fake/health").status_code == 200
        except httpx.TransportError:
            return False

    def control(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = httpx.post(f"{self.url}/_fake/{path}", json=body or {})
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result

    def deliveries(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = httpx.get(f"{self.url}/_fake/deliveries").json()["items"]
        return items


def make_client(fake: FakeProcess, key: str = "sk_test_123") -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        base_addresses={"api": fake.url},
        max_network_retries=0,
        http_client=stripe.HTTPXClient(allow_sync_methods=True),
    )


@dataclass
class Buyer:
    """A person with a browser and a card."""

    client: stripe.StripeClient

    def checkout(self, **changes: Any) -> stripe.checkout.Session:
        params: Any = {
            "mode": "subscription",
            "success_url": "http://localhost:8080/app/billing?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://localhost:8080/app/billing",
            "line_items": [{"price": "price_pro_monthly", "quantity": 3}],
            "client_reference_id": "org-1",
            "metadata": {"org_id": "org-1"},
            "subscription_data": {"metadata": {"org_id": "org-1"}},
            "customer_email": "ada@example.com",
            **changes,
        }
        given: Any = {key: value for key, value in params.items() if value is not None}
        return self.client.v1.checkout.sessions.create(given)

    def pay(self, session: stripe.checkout.Session, card: str = "4242 4242 4242 4242", **fields: str) -> httpx.Response:
        form = {"email": "ada@example.com", "card": card, "expiry": "12 / 34", "cvc": "123", **fields}
        return httpx.post(str(session.url), data=form)

    def subscribe(self, **changes: Any) -> stripe.Subscription:
        session = self.checkout(**changes)
        assert self.pay(session).status_code == 303
        done = self.client.v1.checkout.sessions.retrieve(session.id)
        return self.client.v1.subscriptions.retrieve(str(done.subscription))
