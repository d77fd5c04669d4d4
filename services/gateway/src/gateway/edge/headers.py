"""The headers that every answer carries."""

from __future__ import annotations

from typing import Any

from gateway.edge import tls
from gateway.edge.settings import EdgeSettings, comma_list

# Every feature that a proposal editor has no use for is switched off.
PERMISSIONS_POLICY = (
    "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), geolocation=(), gyroscope=(), "
    "magnetometer=(), microphone=(), midi=(), payment=(), usb=(), xr-spatial-tracking=()"
)

TRUSTED_TYPES = ("lexical",)
"""The editor makes its policy each time that it pastes; no other code of the app may make one."""


def content_security_policy(settings: EdgeSettings) -> str:
    """The policy: our own origin and the lists of the settings, no inline code, Trusted Types for scripts."""
    styles = list(comma_list(settings.csp_style_src))
    if settings.csp_allow_inline_styles:
        styles.append("'unsafe-inline'")
    directives = {
        "default-src": ["'self'"],
        "script-src": ["'self'", *comma_list(settings.csp_script_src)],
        "style-src": ["'self'", *styles],
        "connect-src": ["'self'", *comma_list(settings.csp_connect_src)],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": [*TRUSTED_TYPES, "'allow-duplicates'"],
    }
    return "; ".join(f"{name} {' '.join(values)}" for name, values in directives.items())


def security_headers(settings: EdgeSettings) -> dict[str, str]:
    """Name and value of each security header."""
    headers = {
        "content-security-policy": content_security_policy(settings),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "strict-origin-when-cross-origin",
        "permissions-policy": PERMISSIONS_POLICY,
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    if settings.tls:
        headers["alt-svc"] = tls.alt_svc(settings)
    if settings.hsts_seconds:
        headers["strict-transport-security"] = f"max-age={settings.hsts_seconds}; includeSubDomains"
    return headers


def as_mutations(headers: dict[str, str]) -> list[dict[str, Any]]:
    """As Envoy header options that replace what a service may have set itself."""
    return [
        {"header": {"key": name, "value": value.replace("%", "%%")}, "append_action": _action(name)}
        for name, value in headers.items()
    ]


def _action(name: str) -> str:
    """A file that a service hands out brings a stricter policy of its own (`sandbox`); the rest is the edge's say."""
    return "ADD_IF_ABSENT" if name == "content-security-policy" else "OVERWRITE_IF_EXISTS_OR_ADD"
