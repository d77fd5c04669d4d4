"""A mail, and how it is written for a mail server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person: the same words as plain text and as HTML, and the links in them."""

    to: str
    subject: str
    text: str
    html: str
    links: tuple[str, ...]


def compose(mail: Mail, *, sender: str, to: str, reference: str, at: datetime) -> EmailMessage:
    """The mail with its headers. Raises ValueError when a header would not stay one line.

    Args:
        mail: what to send.
        sender: our address.
        to: the address as the server takes it.
        reference: the same for every copy of this mail; its Message-ID.
        at: its date.
    """
    message = EmailMessage(policy=SMTP)
    local, _, domain = to.rpartition("@")
    message["From"] = Address("Bidwright", addr_spec=sender)
    message["To"] = Address(username=local, domain=domain)
    # Not by the policy: Python 3.11 loses spaces between the words of a long subject that is not ASCII.
    message.set_raw("Subject", Header(mail.subject, "utf-8", header_name="Subject").encode(linesep="\r\n"))
    message["Date"] = at
    message["Message-ID"] = f"<{reference}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message
