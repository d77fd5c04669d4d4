"""What our mails say: a subject, and a plain and an HTML form of the same words from `templates/`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from gateway.mail.mime import Mail

SIGN_IN: Final = "/app/sign-in"
FORGOT: Final = "/app/forgot"
VERIFY: Final = "/app/verify"
RESET: Final = "/app/reset"
INVITE: Final = "/app/invite"
BILLING: Final = "/app/billing"
PAGES: Final = (SIGN_IN, FORGOT, VERIFY, RESET, INVITE, BILLING)
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


def notice(
    *,
    to: str,
    name: str,
    org_id: str,
    org_name: str,
    base_url: str,
    subject: str,
    said: Sequence[str],
    to_do: str,
    action: str,
) -> Mail:
    """Something about an org's plan that those who run it should know.

    Args:
        to: the address.
        name: whose it is.
        org_id: whose billing page the link leads to.
        org_name: which org it is about.
        base_url: where the app is.
        subject: what it is about, with the org's name.
        said: what has happened and what it means, a paragraph each.
        to_do: what one can do.
        action: the words of the link.
    """
    link = f"{base_url}{BILLING}?org={org_id}"
    return _mail(
        "notice", to, subject, link=link, name=name, org_name=org_name, said=said, to_do=to_do, action_label=action
    )


def _mail(template: str, to: str, subject: str, *, link: str, **values: str | Sequence[str]) -> Mail:
    # A subject is one line, whatever the name in it holds.
    subject = " ".join(subject.split())
    text, html = (
        _environment().get_template(f"{template}.{kind}").render(subject=subject, link=link, **values)
        for kind in ("txt", "html")
    )
    links = (link, *(str(value) for key, value in values.items() if key.endswith("link")))
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
