"""Events reach each endpoint by itself: with its own secret, its own types, and trust in its own certificate."""

from __future__ import annotations

import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import stripe
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from stripe_fake.testing import SECRET, FakeProcess, Receiver, eventually, listen, make_client


@pytest.fixture
def second() -> Iterator[Receiver]:
    with listen() as receiver:
        yield receiver


class TestEndpoints:
    def test_each_gets_what_it_wants_signed_with_its_own_secret(
        self, client: stripe.StripeClient, receiver: Receiver, second: Receiver
    ) -> None:
        made = client.v1.webhook_endpoints.create({"url": second.url, "enabled_events": ["customer.created"]})
        assert made.secret is not None
        assert made.secret.startswith("whsec_")
        assert made.secret != SECRET
        client.v1.products.create({"name": "x"})
        client.v1.customers.create({})
        second.wait_for("customer.created")
        receiver.wait_for("customer.created")
        assert second.types() == ["customer.created"]
        body, signature = second.received[0]
        assert stripe.Webhook.construct_event(body, signature, made.secret).type == "customer.created"
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, signature, SECRET)
        stripe.Webhook.construct_event(*receiver.received[-1], SECRET)

    def test_the_secret_is_told_once(self, client: stripe.StripeClient, second: Receiver) -> None:
        made = client.v1.webhook_endpoints.create({"url": second.url, "enabled_events": ["*"]})
        assert "secret" not in client.v1.webhook_endpoints.retrieve(made.id).to_dict()
        listed = client.v1.webhook_endpoints.list().data
        assert [row.id for row in listed] == [made.id, "we_preset"]
        assert all("secret" not in row.to_dict() for row in listed)

    def test_one_that_rests_hears_nothing_until_it_is_back(self, client: stripe.StripeClient, second: Receiver) -> None:
        made = client.v1.webhook_endpoints.create({"url": second.url, "enabled_events": ["*"]})
        assert client.v1.webhook_endpoints.update(made.id, {"disabled": True}).status == "disabled"
        client.v1.customers.create({"name": "unheard"})
        client.v1.webhook_endpoints.update(made.id, {"disabled": False, "enabled_events": ["customer.created"]})
        client.v1.customers.create({"name": "heard"})
        (event,) = second.wait_for("customer.created")
        assert event["data"]["object"]["name"] == "heard"

    def test_a_deleted_one_hears_nothing_more(
        self, client: stripe.StripeClient, receiver: Receiver, second: Receiver
    ) -> None:
        made = client.v1.webhook_endpoints.create({"url": second.url, "enabled_events": ["*"]})
        assert client.v1.webhook_endpoints.delete(made.id).deleted
        client.v1.customers.create({})
        receiver.wait_for("customer.created")
        assert second.received == []
        with pytest.raises(stripe.InvalidRequestError, match="No such webhook endpoint"):
            client.v1.webhook_endpoints.retrieve(made.id)

    def test_one_that_is_down_does_not_hold_up_the_other(
        self, client: stripe.StripeClient, fake: FakeProcess, receiver: Receiver
    ) -> None:
        client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
        client.v1.customers.create({})
        receiver.wait_for("customer.created")
        assert client.v1.events.list().data[0].pending_webhooks == 1
        client.v1.customers.create({})
        receiver.wait_for("customer.created", 2)

    @pytest.mark.parametrize(
        ("params", "param"),
        [
            ({"enabled_events": ["*"]}, "url"),
            ({"url": "ftp://x", "enabled_events": ["*"]}, "url"),
            ({"url": "http://x"}, "enabled_events"),
            ({"url": "http://x", "enabled_events": ["*", "invoice.paid"]}, "enabled_events"),
        ],
    )
    def test_nonsense_is_refused(self, client: stripe.StripeClient, params: dict[str, object], param: str) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            client.v1.webhook_endpoints.create(params)  # type: ignore[arg-type]
        assert refusal.value.param == param

    def test_an_event_is_sent_again_to_one_of_them(
        self, client: stripe.StripeClient, fake: FakeProcess, receiver: Receiver, second: Receiver
    ) -> None:
        made = client.v1.webhook_endpoints.create({"url": second.url, "enabled_events": ["product.created"]})
        client.v1.customers.create({})
        (event,) = receiver.wait_for("customer.created")
        fake.control(f"resend/{event['id']}", {"endpoint": made.id})
        second.wait_for("customer.created")
        assert receiver.types() == ["customer.created"]


class TestEvents:
    def test_are_listed_by_type_and_by_page(self, client: stripe.StripeClient) -> None:
        for number in range(12):
            client.v1.customers.create({"name": str(number)})
        client.v1.products.create({"name": "x"})
        found = client.v1.events.list({"type": "customer.created", "limit": 5})
        assert (len(found.data), found.has_more) == (5, True)
        everything = [event.to_dict()["data"]["object"]["name"] for event in found.auto_paging_iter()]
        assert everything == [str(number) for number in reversed(range(12))]
        back = client.v1.events.list({"type": "customer.created", "ending_before": found.data[4].id, "limit": 3})
        assert [event.id for event in back.data] == [event.id for event in found.data[1:4]]
        both = client.v1.events.list({"types": ["product.created", "customer.deleted"]})
        assert [event.type for event in both.data] == ["product.created"]
        assert client.v1.events.list({"type": "product.*"}).data[0].type == "product.created"

    def test_are_listed_by_time(self, client: stripe.StripeClient) -> None:
        client.v1.customers.create({})
        at = client.v1.events.list().data[0].created
        assert len(client.v1.events.list({"created": {"gte": at - 60, "lt": at + 60}}).data) == 1
        assert client.v1.events.list({"created": {"gt": at + 60}}).data == []
        assert client.v1.events.list({"created": at}).data[0].created == at

    def test_are_listed_by_whether_they_arrived(
        self, client: stripe.StripeClient, fake: FakeProcess, receiver: Receiver
    ) -> None:
        fake.control("faults", {"drop": 1})
        client.v1.customers.create({"name": "lost"})
        client.v1.products.create({"name": "told"})
        receiver.wait_for("product.created")
        eventually(lambda: client.v1.events.list({"delivery_success": True}).data)
        assert [event.type for event in client.v1.events.list({"delivery_success": True}).data] == ["product.created"]
        assert [event.type for event in client.v1.events.list({"delivery_success": False}).data] == ["customer.created"]

    def test_refuse_two_ways_to_name_types(self, client: stripe.StripeClient) -> None:
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.events.list({"type": "a", "types": ["b"]})
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.events.list({"types": [f"customer.{number}" for number in range(21)]})


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate that nobody vouches for, of a name that is not the one it is reached by."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bidwright.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(exist_ok=True)
    certificate_file, key_file = folder / "cert.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate_file, key_file


def server_tls(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


class TestCertificate:
    def test_one_that_is_handed_over_is_trusted(self, tmp_path: Path) -> None:
        certificate, key = make_certificate(tmp_path / "a")
        with listen(server_tls(certificate, key)) as receiver:
            fake = FakeProcess(tmp_path / "state", receiver.url, "--webhook-ca", str(certificate))
            fake.start()
            try:
                make_client(fake).v1.customers.create({})
                receiver.wait_for("customer.created")
            finally:
                fake.stop()

    @pytest.mark.parametrize("given", ["none", "another"])
    def test_any_other_is_not(self, tmp_path: Path, given: str) -> None:
        certificate, key = make_certificate(tmp_path / "a")
        other, _ = make_certificate(tmp_path / "b")
        more = ("--webhook-ca", str(other)) if given == "another" else ()
        with listen(server_tls(certificate, key)) as receiver:
            fake = FakeProcess(tmp_path / "state", receiver.url, *more)
            fake.start()
            try:
                make_client(fake).v1.customers.create({})
                row = eventually(lambda: next((row for row in fake.deliveries() if row["error"]), None))
                assert "CERTIFICATE_VERIFY_FAILED" in row["error"]
                assert receiver.received == []
            finally:
                fake.stop()

    def test_one_that_is_replaced_is_trusted_from_then_on(self, tmp_path: Path) -> None:
        certificate, key = make_certificate(tmp_path / "a")
        given = tmp_path / "given.pem"
        given.write_bytes(make_certificate(tmp_path / "b")[0].read_bytes())
        with listen(server_tls(certificate, key)) as receiver:
            fake = FakeProcess(tmp_path / "state", receiver.url, "--webhook-ca", str(given))
            fake.start()
            try:
                make_client(fake).v1.customers.create({})
                eventually(lambda: next((row for row in fake.deliveries() if row["error"]), None))
                certificate.replace(given)
                receiver.wait_for("customer.created")
            finally:
                fake.stop()

    def test_a_file_that_is_not_there_is_said(self, tmp_path: Path) -> None:
        argv = ["--port", "1", "--state", str(tmp_path), "--webhook-ca", str(tmp_path / "none.pem")]
        ended = subprocess.run([sys.executable, "-m", "stripe_fake", *argv], capture_output=True, timeout=30)
        assert (ended.returncode, b"there is no such file" in ended.stderr) == (2, True)
