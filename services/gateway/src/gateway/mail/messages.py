"""What our mails say: a subject, and a plain and an HTML form of the same words from `templates/`."""

from __future__ import annotations

from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from gateway.mail.mime import Mail

SIGN_IN: Final = "/app/sign-in"
FORGOT: Final = "/app/forgot"
VERIFY: Final = "/app/verify"
RESET: Final = "/app/reset"
INVITE: Final = "/app/invite"
PAGES: Final = (SIGN_IN, FORGOT, VERIFY, RESET, INVITE)
"""Where links lead: pages of the app. `web/src/routes/router.tsx` has them, and a test reads it."""


def verify(*, to: str, name: str, base_url: str, token: str) -> Mail:
    """To finish a registration."""
    return _mail("verify", to, "Confirm your e-mail address", link=f"{base_url}{VERIFY}?token={token}", name=name)


def already_registered(*, to: str, base_url: str) -> Mail:
    """Someone registered with the address of an account."""
    return _mail(
        "already_registered",
        to,
        "You already have an account",
        link=f"{base_url}{SIGN_IN}",
        forgot_link=f"{base_url}{FORGOT}",
    )


def reset(*, to: str, name: str, base_url: str, token: str) -> Mail:
    """To choose a new password."""
    return _mail("reset", to, "Choose a new password", link=f"{base_url}{RESET}?token={token}", name=name)


def invite(*, to: str, org_name: str, inviter: str, role: str, base_url: str, token: str) -> Mail:
    """To join an org."""
    link = f"{base_url}{INVITE}?token={token}"
    subject = f"Join {org_name} on Bidwright"
    return _mail("invite", to, subject, link=link, org_name=org_name, inviter=inviter, role=role)


def _mail(template: str, to: str, subject: str, **values: str) -> Mail:
    # A subject is one line, whatever the name in it holds.
    subject = " ".join(subject.split())
    text, html = (
        _environment().get_template(f"{template}.{kind}").render(subject=subject, **values) for kind in ("txt", "html")
    )
    links = tuple(value for key, value in values.items() if key.endswith("link"))
    return Mail(to=to, subject=subject, text=text, html=html, links=links)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("gateway.mail"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
