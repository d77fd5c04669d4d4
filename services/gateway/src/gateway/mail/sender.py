"""How a mail leaves: by SMTP, or into the local mailbox where no mail server is set."""

from __future__ import annotations

import asyncio
import json
import os
import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

from gateway.settings import Settings

SMTP_TIMEOUT_SECONDS: Final = 15


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person."""

    to: str
    subject: str
    text: str
    links: tuple[str, ...]


class Sender(Protocol):
    """Hands a mail over; raises when it could not."""

    async def send(self, mail: Mail, *, at: datetime) -> None:
        """Returns when the mail is in other hands."""


class LocalMailbox:
    """A folder with a JSON file for each mail, which `bidwright mail` shows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, mail: Mail, *, at: datetime) -> None:
        await asyncio.to_thread(self._write, mail, at)

    def _write(self, mail: Mail, at: datetime) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        document = {
            "to": mail.to,
            "subject": mail.subject,
            "text": mail.text,
            "links": list(mail.links),
            "created_at": at.isoformat(),
        }
        name = f"{at.strftime('%Y%m%dT%H%M%S.%f')}-{uuid4().hex[:8]}.json"
        scratch = self._folder / f".{name}.new"
        # Whoever reads the folder sees whole mails only.
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(document, file, ensure_ascii=False, indent=2)
        scratch.replace(self._folder / name)


class SmtpSender:
    """A mail server, spoken to in a thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        domain = settings.invite_sender_domain or urlsplit(settings.public_base_url).hostname or "localhost"
        self._domain = domain
        self._from = f"Bidwright <no-reply@{domain}>"

    async def send(self, mail: Mail, *, at: datetime) -> None:
        await asyncio.to_thread(self._deliver, mail, at)

    def _deliver(self, mail: Mail, at: datetime) -> None:
        message = EmailMessage()
        message["From"] = self._from
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Date"] = at
        message["Message-ID"] = make_msgid(domain=self._domain)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        settings = self._settings
        with smtplib.SMTP(settings.email_host, settings.email_port, timeout=SMTP_TIMEOUT_SECONDS) as server:
            if settings.email_use_tls:
                server.starttls(context=ssl.create_default_context())
            if settings.email_host_user:
                password = settings.email_host_password
                server.login(settings.email_host_user, password.get_secret_value() if password else "")
            server.send_message(message)


def make_sender(settings: Settings) -> Sender:
    """The sender that the settings ask for."""
    return SmtpSender(settings) if settings.email_host else LocalMailbox(settings.mailbox_dir)
