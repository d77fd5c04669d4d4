"""The frame of a hosted page."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

_CSS = files("stripe_fake") / "static" / "page.css"


async def stylesheet(request: Request) -> Response:
    return Response(_CSS.read_text(), media_type="text/css", headers={"Cache-Control": "max-age=3600"})


def page(title: str, body: str, status: int = 200, form_target: str = "") -> HTMLResponse:
    """A whole page; `body` is HTML already, `title` is not.

    `form_target`: an origin that a form may lead to besides this one.
    """
    forms = f"form-action 'self' {form_target}".strip()
    policy = f"default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'; {forms}"
    shown = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/_static/page.css">'
        f'<link rel="icon" href="data:,"></head><body><main><h1>{escape(title)}</h1>{body}</main></body></html>'
    )
    headers = {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    return HTMLResponse(shown, status, headers={**headers, "Cache-Control": "no-store"})


def notice(title: str, text: str, status: int) -> HTMLResponse:
    return page(title, f"<p>{escape(text)}</p>", status)


def money(amount: int, currency: str) -> str:
    """Minor units to what a reader expects: 2900, usd -> $29.00."""
    sign = {"usd": "$", "eur": "€", "gbp": "£"}.get(currency, currency.upper() + " ")
    return f"{'-' if amount < 0 else ''}{sign}{abs(amount) / 100:,.2f}"


def date(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%-d %B %Y")


async def form_of(request: Request) -> dict[str, str]:
    """What was posted; the last of several values."""
    raw = (await request.body()).decode(errors="replace")
    return {key: values[-1] for key, values in parse_qs(raw, keep_blank_values=True).items()}
