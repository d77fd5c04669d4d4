"""A mail server that asks for TLS and a password; what it does to a mail depends on whom the mail is for."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

USER, PASSWORD = "postman", "parcels and letters"


def certificate(folder: Path) -> Path:
    """A certificate for the loopback that nobody signed but itself, with its key, in one file."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "mail-server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    return file


class _Moody(SMTP):
    """Hangs up in the middle of a mail, once for each address that begins with `cut-off`."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  # the name that the library looks for
        [to] = self.envelope.rcpt_tos
        if to.startswith("cut-off") and not self.event_handler.seen[to]:
            self.event_handler.seen[to] += 1
            await self.push("354 go on")
            await self._reader.readline()
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


class MailServer(Controller):
    """Runs in a thread of its own.

    `refused@`: a 550 for the address. `later@`: a 451 at first. `spam@`: a 554 for the mail. `hang@`: no answer to the
    first one. `lost@`: takes the first one and hangs up before it says so.
    """

    def __init__(self, port: int, pem: Path | None, *, utf8: bool = True, implicit_tls: bool = False) -> None:
        self.mails: list[tuple[str, EmailMessage]] = []
        self.seen: Counter[str] = Counter()
        self.encrypted: list[bool] = []
        self.tls = None
        if pem is not None:
            self.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self.tls.load_cert_chain(pem)
        self.utf8 = utf8
        super().__init__(
            self, hostname="127.0.0.1", port=port, ssl_context=self.tls if implicit_tls else None, enable_SMTPUTF8=utf8
        )
        self.implicit_tls = implicit_tls

    def factory(self) -> SMTP:
        """One for each connection."""
        start_tls = self.tls if not self.implicit_tls else None
        return _Moody(
            self,
            hostname="127.0.0.1",
            tls_context=start_tls,
            require_starttls=start_tls is not None,
            authenticator=self.authenticate,
            auth_required=start_tls is not None,
            enable_SMTPUTF8=self.utf8,
        )

    @staticmethod
    def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, said: Any) -> AuthResult:
        """Only the one user."""
        right = isinstance(said, LoginPassword) and (said.login, said.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=False)

    async def handle_RCPT(  # noqa: N802  # the name that the library looks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuses, now or for ever."""
        if address.startswith("refused"):
            self.seen[address] += 1
            return "550 5.1.1 no such user"
        if address.startswith("later"):
            self.seen[address] += 1
            if self.seen[address] == 1:
                return "451 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Takes the mail, or does one of the other things."""
        [to] = envelope.rcpt_tos
        if not to.startswith("later"):
            self.seen[to] += 1
        first = self.seen[to] == 1
        if to.startswith("spam"):
            return "554 5.7.1 looks like spam"
        if to.startswith("hang") and first:
            await asyncio.sleep(30)
        assert isinstance(envelope.content, bytes)
        message = BytesParser(policy=policy.default).parsebytes(envelope.content)
        assert isinstance(message, EmailMessage)
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        self.mails.append((to, message))
        if to.startswith("lost") and first:
            server.transport.abort()
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        """The mails that arrived for someone."""
        return [message for to, message in self.mails if to == address]
