"""What a browser meets: liveness, readiness, the usage payload, the SPA, the certificate."""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from devstack.doctor import asking
from devstack.doctor.findings import CannotCheck, Finding, error, warning
from devstack.doctor.subject import Subject

CERTIFICATE_WARN_DAYS = 21  # three weeks: a renewal that fails has time to be seen and done by hand
CERTIFICATE_ERROR_DAYS = 3


def _base(subject: Subject) -> str:
    return str(subject.state["env"]["BASE_URL"])


def liveness(subject: Subject) -> Iterator[Finding]:
    """GET /healthz is 200."""
    answer = asking.http("GET", f"{_base(subject)}/healthz")
    if answer.status != 200:
        yield error(
            "edge-down" if answer.status == 0 else "service-down",
            "nothing can be opened",
            f"GET /healthz answers {answer.status or answer.text}",
            "./bidwright status; ./bidwright logs envoy; ./bidwright restart envoy",
        )


def readiness(subject: Subject) -> Iterator[Finding]:
    """GET /readyz names each service that is not ready, and what it misses."""
    answer = asking.http("GET", f"{_base(subject)}/readyz")
    if answer.status == 0:
        raise CannotCheck(f"the edge does not answer: {answer.text}")
    try:
        services = json.loads(answer.text).get("services", {})
    except ValueError:
        raise CannotCheck(f"GET /readyz answers {answer.status}, and no JSON") from None
    for name, state in services.items():
        if state.get("status") == "ok":
            continue
        missing = [f"{what} {how}" for what, how in (state.get("dependencies") or {}).items() if how != "ok"]
        yield error(
            "service-down",
            f"{name}: its part of the product is unavailable",
            "; ".join(missing) or str(state.get("status")),
            f"mend what it misses first; then ./bidwright restart {name}",
        )


def usage(subject: Subject) -> Iterator[Finding]:
    """GET /api/usage is answered, with and without X-Org-ID: to a stranger with 401."""
    for headers in ({}, {"X-Org-ID": str(uuid4())}):
        answer = asking.http("GET", f"{_base(subject)}/api/usage", headers=headers)
        if answer.status == 0:
            raise CannotCheck(f"the edge does not answer: {answer.text}")
        if answer.status == 429:
            continue
        if answer.status != 401 or "unauthenticated" not in answer.text:
            yield error(
                "usage",
                "plans and limits are not shown",
                f"GET /api/usage with{'' if headers else 'out'} X-Org-ID answers a stranger {answer.status}, not 401",
                "./bidwright logs gateway; ./bidwright logs billing; ./bidwright restart billing",
            )


def spa(subject: Subject) -> Iterator[Finding]:
    """GET /app is the application, and its script is there."""
    answer = asking.http("GET", f"{_base(subject)}/app", follow_redirects=True)
    if answer.status == 0:
        raise CannotCheck(f"the edge does not answer: {answer.text}")
    script = re.search(r'<script[^>]+src="([^"]+)"', answer.text)
    cause = ""
    if answer.status != 200 or script is None:
        cause = f"GET /app answers {answer.status}, and no application"
    else:
        asset = asking.http("GET", f"{_base(subject)}{script[1]}")
        if asset.status != 200:
            cause = f"GET {script[1]} answers {asset.status}"
    if cause:
        yield error(
            "spa",
            "the page stays empty",
            f"{cause}: the SPA was not built, or the gateway started before it was",
            "./bidwright restart; ./bidwright logs web",
        )


def certificate(subject: Subject) -> Iterator[Finding]:
    """The edge's certificate fits its key and is good for some weeks."""
    cert, key = subject.setting("EDGE_TLS_CERT_FILE"), subject.setting("EDGE_TLS_KEY_FILE")
    if not cert or not key:
        return
    renew = "put the new pair in the same folder, each by renaming (mv); no restart is needed"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as problem:
        yield error("certificate", "browsers cannot connect", f"{cert} and {key} are no pair: {problem}", renew)
        return
    left = _days_left(cert)
    if left < CERTIFICATE_WARN_DAYS:
        ended = "has ended" if left < 0 else f"ends in {left:.0f} days"
        make = error if left < CERTIFICATE_ERROR_DAYS else warning
        yield make("certificate", "browsers warn, or will soon", f"the certificate {cert} {ended}", renew)


def _days_left(path: str) -> float:
    from cryptography import x509

    certificate = x509.load_pem_x509_certificates(Path(path).read_bytes())[0]
    return (certificate.not_valid_after_utc.timestamp() - time.time()) / 86400
