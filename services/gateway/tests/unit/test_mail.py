"""What mails say, and what they must not become."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from jinja2 import UndefinedError

from gateway.mail import messages
from gateway.mail.messages import PAGES
from gateway.mail.mime import Mail, compose
from gateway.mail.sender import MailRefused, deliverable_address
from gateway.tokens import MAX_TOKEN_LENGTH, derived_token

ROOT = Path(__file__).parents[4]
ROUTER = ROOT / "web" / "src" / "routes" / "router.tsx"
AT = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
BASE = "https://bids.example"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)> {{ 7*7 }} {% raw %} &amp;'


def every_mail(name: str = "Ada", org_name: str = "Northwind") -> list[Mail]:
    return [
        messages.verify(to="a@example.org", name=name, base_url=BASE, token="t1"),
        messages.already_registered(to="a@example.org", base_url=BASE),
        messages.reset(to="a@example.org", name=name, base_url=BASE, token="t2"),
        messages.notice(
            to="a@example.org",
            name=name,
            org_id="0192",
            org_name=org_name,
            base_url=BASE,
            subject=f"A payment for {org_name} failed",
            said=[f"The last payment for {org_name} failed.", "Everything stays open until 8 November 2026."],
            to_do="Update the payment method.",
            action="See the plan",
        ),
        messages.invite(to="a@example.org", org_name=org_name, inviter=name, role="viewer", base_url=BASE, token="t3"),
    ]


class Reader(HTMLParser):
    """The tags, the links and the words of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")], attrs
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.words += data


class TestMessages:
    def test_links_lead_to_pages_that_the_app_has(self) -> None:
        routes = {f"/app{path}" for path in re.findall(r"\bpath: '(/[^']*)'", ROUTER.read_text())}
        assert set(PAGES) <= routes
        for mail in every_mail():
            assert mail.links
            for link in mail.links:
                assert link.removeprefix(BASE).partition("?")[0] in PAGES, link

    def test_both_forms_have_the_links(self) -> None:
        for mail in every_mail():
            page = Reader(mail.html)
            assert set(page.links) == set(mail.links)
            for link in mail.links:
                assert link in mail.text.split(), mail.text

    def test_a_hostile_name_is_words_and_no_markup(self) -> None:
        usual = [Reader(mail.html).tags for mail in every_mail()]
        for mail, tags in zip(every_mail(HOSTILE, HOSTILE), usual, strict=True):
            page = Reader(mail.html)
            assert page.tags == tags
            if "already" not in mail.subject:
                assert HOSTILE in page.words
                assert HOSTILE in mail.text

    def test_a_form_needs_every_value_that_it_shows(self) -> None:
        with pytest.raises(UndefinedError):
            messages._mail("verify", "a@example.org", "Subject", link="x")

    def test_the_templates_are_in_the_wheel(self) -> None:
        built = {
            file.distribution_path for file in WheelBuilder(str(ROOT / "services/gateway")).recurse_included_files()
        }
        templates = {file.name for file in (Path(messages.__file__).parent / "templates").iterdir()}
        assert {f"gateway/mail/templates/{name}" for name in templates} <= built
        assert {"verify.txt", "verify.html", "layout.html"} <= templates


class TestCompose:
    @pytest.mark.parametrize(
        "name",
        [
            "Bad\r\nBcc: all@example.org",
            "a\u2028b\x85c\x1cd",
            "Ünïcode & 名前 🦉 שם " * 6,
            "x" * 10_000,
            "名" * 2_000,
            "=?utf-8?q?=0ABcc:_x?=",
        ],
        ids=["a line break", "other breaks", "any script", "10,000 characters", "no space", "an encoded line break"],
    )
    def test_a_subject_is_one_header_whatever_the_name(self, name: str) -> None:
        [*_, mail] = every_mail(org_name=name)
        assert len(mail.subject.splitlines()) == 1
        raw = written(mail).as_bytes()
        again = BytesParser(policy=policy.default).parsebytes(raw)
        assert set(again) == HEADERS
        assert str(again["Subject"]) == mail.subject
        assert max(map(len, raw.partition(b"\r\n\r\n")[0].split(b"\r\n"))) < 998

    def test_an_address_with_a_line_break_is_no_header(self) -> None:
        with pytest.raises(ValueError):
            written(every_mail()[0], to="a@example.org\r\nBcc: b@example.org")

    def test_both_forms_say_the_same_in_any_script(self) -> None:
        mail = every_mail(name="שלום 🦉")[0]
        again = BytesParser(policy=policy.default).parsebytes(written(mail).as_bytes())
        said = [part.get_content().replace("\r\n", "\n") for part in again.iter_parts()]
        assert said == [mail.text, mail.html]


HEADERS = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"}


def written(mail: Mail, to: str = "a@example.org") -> EmailMessage:
    return compose(mail, sender="no-reply@bids.example", to=to, reference="1@bids.example", at=AT)


class TestDeliverableAddress:
    @pytest.mark.parametrize(
        ("stored", "sent_to"),
        [
            ("ada@example.org", "ada@example.org"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("用户@例え.example", "用户@例え.example"),
        ],
    )
    def test_ascii_where_the_first_part_is(self, stored: str, sent_to: str) -> None:
        assert deliverable_address(stored) == sent_to

    @pytest.mark.parametrize("address", ["a@example.org\r\nRCPT TO:<b@example.org>", "a b@example.org", "<a@b>", ""])
    def test_what_is_no_address_is_refused(self, address: str) -> None:
        with pytest.raises(MailRefused):
            deliverable_address(address)


class TestDerivedToken:
    def test_it_is_the_same_for_the_same_and_different_for_anything_else(self) -> None:
        made = {
            derived_token(secret, purpose, subject)
            for secret in ("s" * 40, "t" * 40)
            for purpose in ("mail_reset", "mail_invite")
            for subject in ("1", "2")
        }
        assert len(made) == 8
        assert derived_token("s" * 40, "mail_reset", "1") in made
        assert all(re.fullmatch(r"[\w-]{43}", token) and len(token) <= MAX_TOKEN_LENGTH for token in made)
