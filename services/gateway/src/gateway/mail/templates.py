"""What our mails say."""

from __future__ import annotations

from gateway.mail.sender import Mail

_FOOT = "\n\nIf you did not ask for this, you can ignore this mail.\n"


def verify(*, to: str, name: str, base_url: str, token: str) -> Mail:
    """To finish a registration."""
    link = f"{base_url}/app/verify?token={token}"
    text = f"Hello {name},\n\nfollow this link to confirm your address and sign in. It works for two days:\n\n{link}"
    return Mail(to, "Confirm your e-mail address", text + _FOOT, (link,))


def already_registered(*, to: str, base_url: str) -> Mail:
    """Someone registered with the address of an account."""
    link = f"{base_url}/app/login"
    text = (
        "Hello,\n\nsomeone registered with your address, but you have an account already. Sign in here, or choose "
        f'"Forgot password" there:\n\n{link}'
    )
    return Mail(to, "You already have an account", text + _FOOT, (link,))


def reset(*, to: str, name: str, base_url: str, token: str) -> Mail:
    """To choose a new password."""
    link = f"{base_url}/app/reset?token={token}"
    text = f"Hello {name},\n\nfollow this link to choose a new password. It works for an hour, once:\n\n{link}"
    return Mail(to, "Choose a new password", text + _FOOT, (link,))


def invite(*, to: str, org_name: str, inviter: str, role: str, base_url: str, token: str) -> Mail:
    """To join an org."""
    link = f"{base_url}/app/invite?token={token}"
    text = (
        f"Hello,\n\n{inviter} invites you to {org_name} as {role}. Sign in or register with this address, then follow "
        f"this link. It works for a week, once:\n\n{link}"
    )
    return Mail(to, f"Join {org_name} on Bidwright", text + _FOOT, (link,))
