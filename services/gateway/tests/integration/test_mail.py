"""Mail by SMTP, from a job, to a real server that sometimes refuses, hangs or hangs up."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from common.settings import read
from devstack import ports
from gateway.mail import messages
from gateway.mail.sender import MailError, MailRefused, MailUnavailable, SmtpSender
from gateway.settings import Settings

from .mail_server import PASSWORD, USER, MailServer, certificate

pytestmark = pytest.mark.integration

STEP_SECONDS = 1.0
"""How long our side waits for each answer."""
AT = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("mail"))


@pytest.fixture(scope="module")
def post(pem: Path) -> Iterator[MailServer]:
    server = MailServer(ports.free_port(), pem)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def gateway_settings(post: MailServer, pem: Path) -> dict[str, str]:
    return {
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(post.port),
        "EMAIL_HOST_USER": USER,
        "EMAIL_HOST_PASSWORD": PASSWORD,
        "EMAIL_TIMEOUT_SECONDS": str(STEP_SECONDS),
        "INVITE_SENDER_DOMAIN": "bücher.example",
        "SSL_CERT_FILE": str(pem),
    }


class TestAJob:
    """The whole way: a request, a job in the worker, the server."""

    async def test_a_registration_arrives_as_text_and_html_from_us(
        self, post: MailServer, browser: httpx.AsyncClient
    ) -> None:
        address = await register(browser, "plain", name="Zoë <b>🦉</b> שלום")
        [mail] = await until(lambda: post.to(address))
        assert mail["From"].addresses[0].addr_spec == "no-reply@xn--bcher-kva.example"
        assert str(mail["To"]) == address
        assert mail["Subject"] == "Confirm your e-mail address"
        assert mail["Date"].datetime is not None
        assert mail["Auto-Submitted"] == "auto-generated"
        assert re.fullmatch(r"<[0-9a-f-]{36}@xn--bcher-kva\.example>", mail["Message-ID"])
        assert mail.get_content_type() == "multipart/alternative"
        assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
        assert "Zoë <b>🦉</b> שלום" in body(mail, "plain")
        assert "Zoë &lt;b&gt;🦉&lt;/b&gt; שלום" in body(mail, "html")
        assert token(mail, "html") == token(mail)
        assert post.encrypted[-1]
        answer = await browser.post("/api/auth/email/verify", json={"token": token(mail)})
        assert answer.status_code == 200, answer.text

    async def test_an_address_outside_ascii_gets_its_mail(self, post: MailServer, browser: httpx.AsyncClient) -> None:
        address = await register(browser, "用户", domain="bücher.example")
        [mail] = await until(lambda: post.to(address))
        assert str(mail["To"]) == address
        local = await register(browser, "plain", domain="bücher.example")
        assert await until(lambda: post.to(local.replace("bücher", "xn--bcher-kva")))

    @pytest.mark.parametrize("trouble", ["later", "hang", "cut-off"])
    async def test_after_trouble_it_is_tried_again(
        self, post: MailServer, browser: httpx.AsyncClient, trouble: str
    ) -> None:
        address = await register(browser, trouble)
        [mail] = await until(lambda: post.to(address))
        assert post.seen[address] == 2
        answer = await browser.post("/api/auth/email/verify", json={"token": token(mail)})
        assert answer.status_code == 200, answer.text

    async def test_a_second_copy_can_be_recognised_and_has_the_same_link(
        self, post: MailServer, browser: httpx.AsyncClient
    ) -> None:
        """The server took the first one, and its answer was lost."""
        address = await register(browser, "lost")
        first, second = await until(lambda: post.to(address), count=2)
        assert first["Message-ID"] == second["Message-ID"]
        assert token(first) == token(second)
        answer = await browser.post("/api/auth/email/verify", json={"token": token(first)})
        assert answer.status_code == 200, answer.text

    async def test_so_it_is_with_a_reset_and_it_counts_once(
        self, post: MailServer, browser: httpx.AsyncClient, stack: Any
    ) -> None:
        address = await register(browser, "lost")
        [first, *_] = await until(lambda: post.to(address), count=2)
        await browser.post("/api/auth/email/verify", json={"token": token(first)})
        post.seen[address] = 0
        await browser.post("/api/auth/password/forgot", json={"email": address})
        *_, third, fourth = await until(lambda: post.to(address), count=4)
        assert third["Message-ID"] == fourth["Message-ID"]
        assert token(third) == token(fourth)
        with psycopg.connect(stack.database.worker_url) as connection:
            query = "SELECT count(*) FROM email_tokens t JOIN users u ON t.subject_id = u.id WHERE u.email = %s"
            assert connection.execute(query, (address,)).fetchone() == (1,)
        reset = {"token": token(third), "password": "another pass phrase"}
        assert (await browser.post("/api/auth/password/reset", json=reset)).status_code in (200, 204)

    async def test_who_has_an_account_is_told_so_even_if_it_takes_two_tries(
        self, post: MailServer, browser: httpx.AsyncClient
    ) -> None:
        address = await register(browser, "hang")
        [mail] = await until(lambda: post.to(address))
        await browser.post("/api/auth/email/verify", json={"token": token(mail)})
        post.seen[address] = 0
        await register(browser, address.partition("@")[0], exact=True)
        _, told = await until(lambda: post.to(address), count=2)
        assert told["Subject"] == "You already have an account"

    @pytest.mark.parametrize("refusal", ["refused", "spam"])
    async def test_a_final_refusal_is_not_tried_again(
        self, post: MailServer, browser: httpx.AsyncClient, stack: Any, refusal: str
    ) -> None:
        address = await register(browser, refusal)
        job = await until(lambda: job_of(stack, address, ended=True))
        assert job == [("failed", "mail_refused", 1)]
        assert post.seen[address] == 1
        assert post.to(address) == []

    async def test_an_invite_with_a_long_name_is_one_header(self, post: MailServer, browser: httpx.AsyncClient) -> None:
        address = await register(browser, "owner")
        [mail] = await until(lambda: post.to(address))
        await browser.post("/api/auth/email/verify", json={"token": token(mail)})
        name = "Ünïcode & 名前 " * 6
        org = (await browser.post("/api/orgs", json={"name": name})).json()
        guest = f"guest-{uuid4().hex[:8]}@example.org"
        invited = await browser.post(f"/api/orgs/{org['id']}/invites", json={"email": guest, "role": "viewer"})
        assert invited.status_code == 201, invited.text
        [mail] = await until(lambda: post.to(guest))
        assert mail["Subject"] == f"Join {name.strip()} on Bidwright"
        assert (await browser.get(f"/api/invites/{token(mail)}")).json()["email"] == guest


class TestSmtpSender:
    """What the settings ask of a connection."""

    async def test_no_password_leaves_without_tls(self, pem: Path, environment: Callable[..., Settings]) -> None:
        with running(MailServer(ports.free_port(), None)) as server:
            with pytest.raises(MailUnavailable):
                await send(environment(server.port))
            assert server.mails == []

    async def test_a_certificate_that_nobody_trusts_is_refused(
        self, tmp_path: Path, environment: Callable[..., Settings]
    ) -> None:
        with running(MailServer(ports.free_port(), certificate(tmp_path))) as server:
            with pytest.raises(MailUnavailable):
                await send(environment(server.port))
            assert server.mails == []

    async def test_a_wrong_password_is_for_the_operator_and_tried_again(
        self, post: MailServer, environment: Callable[..., Settings]
    ) -> None:
        with pytest.raises(MailUnavailable, match="535"):
            await send(environment(post.port, EMAIL_HOST_PASSWORD="wrong"))

    async def test_tls_from_the_first_byte(self, pem: Path, environment: Callable[..., Settings]) -> None:
        with running(MailServer(ports.free_port(), pem, implicit_tls=True)) as server:
            await send(environment(server.port, EMAIL_USE_SSL="1", EMAIL_HOST_USER=""))
            assert server.encrypted == [True]

    async def test_a_relay_that_asks_for_nothing(self, environment: Callable[..., Settings]) -> None:
        with running(MailServer(ports.free_port(), None)) as server:
            await send(environment(server.port, EMAIL_USE_TLS="0", EMAIL_HOST_USER="", EMAIL_HOST_PASSWORD=""))
            assert server.encrypted == [False]

    async def test_a_server_that_knows_only_ascii(self, pem: Path, environment: Callable[..., Settings]) -> None:
        with running(MailServer(ports.free_port(), pem, utf8=False)) as server:
            with pytest.raises(MailRefused, match="SMTPUTF8"):
                await send(environment(server.port), to="用户@example.org")
            await send(environment(server.port), to="ada@bücher.example")
            assert [to for to, _ in server.mails] == ["ada@xn--bcher-kva.example"]

    async def test_nobody_there(self, environment: Callable[..., Settings]) -> None:
        with pytest.raises(MailUnavailable):
            await send(environment(ports.free_port()))

    async def test_someone_who_never_speaks(self, environment: Callable[..., Settings]) -> None:
        server = await asyncio.start_server(lambda _, __: asyncio.sleep(30), "127.0.0.1", 0)
        began = time.monotonic()
        with pytest.raises(MailUnavailable):
            await send(environment(server.sockets[0].getsockname()[1]))
        assert time.monotonic() - began < 5 * STEP_SECONDS
        server.close()

    async def test_no_header_can_be_slipped_in(self, post: MailServer, environment: Callable[..., Settings]) -> None:
        for to in (
            "a@example.org\r\nBcc: b@example.org",
            "a@example.org>\r\nRCPT TO:<b@example.org",
            "a, b@example.org",
        ):
            with pytest.raises(MailError):
                await send(environment(post.port), to=to)
        address = f"{uuid4().hex}@example.org"
        await send(environment(post.port), to=address, org_name="Bad\r\nBcc: b@example.org\r\n\r\nHello")
        [mail] = post.to(address)
        assert mail["Subject"] == "Join Bad Bcc: b@example.org Hello on Bidwright"
        assert mail["Bcc"] is None


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, pem: Path) -> Callable[..., Settings]:
    """Makes settings: everything that is asked for, and what is given on top."""

    def make(port: int, **more: str) -> Settings:
        values = {
            "DEBUG": "1",
            "SECRET_KEY": "s" * 40,
            "PORT": "1",
            "DATABASE_URL": "postgresql://a@b/c",
            "NATS_URL": "nats://a",
            "REDIS_URL": "redis://a",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(port),
            "EMAIL_HOST_USER": USER,
            "EMAIL_HOST_PASSWORD": PASSWORD,
            "EMAIL_TIMEOUT_SECONDS": str(STEP_SECONDS),
            "SSL_CERT_FILE": str(pem),
            **more,
        }
        for key, value in values.items():
            monkeypatch.setenv(key, value)
        return read(Settings)

    return make


@contextmanager
def running(server: MailServer) -> Iterator[MailServer]:
    """A server for as long as a block lasts."""
    server.start()
    try:
        yield server
    finally:
        server.stop()


async def send(settings: Settings, to: str = "ada@example.org", org_name: str = "Northwind") -> None:
    mail = messages.invite(
        to=to, org_name=org_name, inviter="Ada", role="viewer", base_url="https://bids.example", token="t"
    )
    await SmtpSender(settings).send(mail, reference=str(uuid4()), at=AT)


async def register(
    browser: httpx.AsyncClient, prefix: str, *, domain: str = "example.org", name: str = "Ada", exact: bool = False
) -> str:
    """Registers an address that begins like this, and returns it."""
    address = f"{prefix}@{domain}" if exact else f"{prefix}-{uuid4().hex[:8]}@{domain}"
    sent = {"email": address, "password": "correct horse battery", "name": name}
    answer = await browser.post("/api/auth/register", json=sent)
    assert answer.status_code == 202, answer.text
    return address


async def until(look: Callable[[], list[Any]], count: int = 1, seconds: float = 20) -> list[Any]:
    """What is found, once there is so much of it."""
    deadline = time.monotonic() + seconds
    while len(found := look()) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count}"
        await asyncio.sleep(0.05)
    return found


def job_of(stack: Any, address: str, *, ended: bool) -> list[tuple[Any, ...]]:
    """The job that mails to who registered: its status, error and attempts."""
    query = (
        "SELECT j.status, j.error_code, j.attempt FROM jobs j JOIN registrations r"
        " ON j.payload->>'registration_id' = r.id::text WHERE r.email = %s AND (j.finished_at IS NOT NULL) = %s"
    )
    with psycopg.connect(stack.database.worker_url) as connection:
        return connection.execute(query, (address, ended)).fetchall()


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    content = part.get_content()
    assert isinstance(content, str)
    return content


def token(mail: EmailMessage, kind: str = "plain") -> str:
    found = re.search(r"token=([\w-]+)", body(mail, kind))
    assert found is not None
    return found[1]
