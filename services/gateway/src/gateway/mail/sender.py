"""How a mail leaves: by SMTP, or into the local mailbox where no mail server is set.

MailError
|-- MailUnavailable   not now: no connection, no answer, a 4xx; worth another try
'-- MailRefused       never: a 5xx for this mail, or an address that the server cannot send to
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import ssl
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

import aiosmtplib
from email_validator import validate_email

from gateway.mail.mime import Mail, compose
from gateway.settings import Settings

DELIVERY_TIMEOUT_SECONDS: Final = 60.0
"""For all steps of a delivery together; `EMAIL_TIMEOUT_SECONDS` is for each."""
GOODBYE_TIMEOUT_SECONDS: Final = 1.0
PERMANENT: Final = range(500, 600)


class MailError(Exception):
    """The mail was not handed over."""


class MailUnavailable(MailError):
    """Not now; another try may succeed."""


class MailRefused(MailError):
    """Never: the server does not take this mail, or not for this address."""


class Sender(Protocol):
    """Hands a mail over."""

    async def send(self, mail: Mail, *, reference: str, at: datetime) -> None:
        """Returns when the mail is in other hands. Raises MailError.

        Args:
            mail: what to send.
            reference: the same for every try to send this mail, so that a second copy can be recognised.
            at: its date.
        """


class LocalMailbox:
    """A folder with a JSON file for each mail, which `bidwright mail` shows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, mail: Mail, *, reference: str, at: datetime) -> None:
        await asyncio.to_thread(self._write, mail, reference, at)

    def _write(self, mail: Mail, reference: str, at: datetime) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        document = {
            "to": mail.to,
            "subject": mail.subject,
            "text": mail.text,
            "html": mail.html,
            "links": list(mail.links),
            "created_at": at.isoformat(),
        }
        name = f"{at.strftime('%Y%m%dT%H%M%S.%f')}-{reference}.json"
        scratch = self._folder / f".{name}.new"
        scratch.unlink(missing_ok=True)
        # Whoever reads the folder sees whole mails only.
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(document, file, ensure_ascii=False, indent=2)
        scratch.replace(self._folder / name)


class SmtpSender:
    """A mail server: a connection for each mail, since mails are few and servers end idle connections."""

    def __init__(self, settings: Settings) -> None:
        domain = settings.invite_sender_domain or urlsplit(settings.public_base_url).hostname or "localhost"
        self._domain = domain.encode("idna").decode()
        self._from = f"no-reply@{self._domain}"
        self._settings = settings
        self._tls = ssl.create_default_context()

    async def send(self, mail: Mail, *, reference: str, at: datetime) -> None:
        to = deliverable_address(mail.to)
        try:
            message = compose(mail, sender=self._from, to=to, reference=f"{reference}@{self._domain}", at=at)
            async with asyncio.timeout(DELIVERY_TIMEOUT_SECONDS):
                await self._deliver(message, to)
        except (aiosmtplib.SMTPException, OSError, EOFError, ValueError) as error:
            raise _translated(error) from error

    async def _deliver(self, message: EmailMessage, to: str) -> None:
        settings = self._settings
        password = settings.email_host_password
        client = aiosmtplib.SMTP(
            hostname=settings.email_host,
            port=settings.email_port,
            username=settings.email_host_user or None,
            password=password.get_secret_value() if password else None,
            local_hostname=self._domain,
            timeout=settings.email_timeout_seconds,
            use_tls=settings.email_implicit_tls,
            start_tls=settings.email_use_tls and not settings.email_implicit_tls,
            tls_context=self._tls,
        )
        try:
            await client.connect()
        except aiosmtplib.SMTPResponseException as error:
            # A wrong password, a closed relay: for the operator to mend, and no fault of the mail.
            raise MailUnavailable(_said(error)) from error
        except aiosmtplib.SMTPNotSupported as error:
            raise MailUnavailable(error.message) from error
        try:
            await client.send_message(message, sender=self._from, recipients=[to])
            # The server has taken the mail: how it says goodbye changes nothing any more.
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=GOODBYE_TIMEOUT_SECONDS)
        finally:
            client.close()


def deliverable_address(address: str) -> str:
    """The address as a mail server takes it: in ASCII where its part before the @ is. Raises MailRefused."""
    try:
        found = validate_email(address, check_deliverability=False, test_environment=True)
    except ValueError as error:
        raise MailRefused(f"not an address that mail can be sent to: {error}") from None
    return found.ascii_email or found.normalized


def make_sender(settings: Settings) -> Sender:
    """The sender that the settings ask for."""
    return SmtpSender(settings) if settings.email_host else LocalMailbox(settings.mailbox_dir)


def _translated(error: Exception) -> MailError:
    match error:
        case MailError():
            return error
        case aiosmtplib.SMTPRecipientsRefused():
            return _translated(error.recipients[0])
        case aiosmtplib.SMTPResponseException(code=code) if code in PERMANENT:
            return MailRefused(_said(error))
        case aiosmtplib.SMTPResponseException():
            return MailUnavailable(_said(error))
        case aiosmtplib.SMTPNotSupported():
            return MailRefused("the mail server cannot send to addresses outside ASCII (SMTPUTF8)")
        case ValueError() if not isinstance(error, OSError):
            return MailRefused(f"the mail cannot be written: {error}")
    return MailUnavailable(f"{type(error).__name__}: {error}")


def _said(error: aiosmtplib.SMTPResponseException) -> str:
    return f"the mail server answered {error.code}"
