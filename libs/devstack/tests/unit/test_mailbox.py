from __future__ import annotations

import json
from pathlib import Path

import pytest

from devstack.mailbox import MailboxServer, as_text, read

MAIL = {
    "to": "ada@example.org",
    "subject": "<b>Confirm</b>",
    "text": "Open the link",
    "html": "<p>Open the link<script>alert(1)</script></p>",
    "links": ["http://localhost:1/app/verify?token=t", "javascript:alert(1)"],
    "created_at": "2030-01-02T03:04:05Z",
}


@pytest.fixture
def server(tmp_path: Path) -> MailboxServer:
    (tmp_path / "1.json").write_text(json.dumps(MAIL))
    (tmp_path / "2.json").write_text("{half")
    return MailboxServer(tmp_path, 0)


def ask(server: MailboxServer, path: str, *, host: str = "127.0.0.1:1", method: str = "GET") -> tuple[str, str]:
    head, _, body = server.answer(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").decode().partition("\r\n\r\n")
    return head.splitlines()[0], body


class TestAnswer:
    def test_programs_get_json(self, server: MailboxServer) -> None:
        status, body = ask(server, "/json")
        assert status.endswith("200 OK")
        assert json.loads(body) == {"items": [MAIL]}

    def test_people_get_a_page_in_which_markup_of_a_mail_is_text(self, server: MailboxServer) -> None:
        _, body = ask(server, "/")
        assert "&lt;b&gt;Confirm&lt;/b&gt;" in body
        assert 'href="http://localhost:1/app/verify?token=t"' in body
        assert 'href="javascript' not in body

    def test_the_html_form_is_shown_in_a_sandbox(self, server: MailboxServer) -> None:
        _, page = ask(server, "/")
        assert 'href="/html/1"' in page
        assert "<script" not in page
        whole = server.answer("GET /html/1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n").decode()
        assert "<p>Open the link" in whole
        policy = next(line for line in whole.splitlines() if line.startswith("Content-Security-Policy: "))
        assert "sandbox" in policy
        assert "default-src 'none'" in policy
        assert "allow" not in policy

    @pytest.mark.parametrize(
        ("request_", "status"),
        [
            (("/json", "evil.example:1", "GET"), "421"),
            (("/json", "localhost:1", "POST"), "405"),
            (("/secrets", "localhost:1", "GET"), "404"),
            (("/html/..%2f1", "localhost:1", "GET"), "404"),
            (("/html/2", "localhost:1", "GET"), "404"),
        ],
    )
    def test_anything_else_is_refused(self, server: MailboxServer, request_: tuple[str, str, str], status: str) -> None:
        path, host, method = request_
        assert f" {status} " in ask(server, path, host=host, method=method)[0]


def test_the_terminal_shows_to_subject_and_text(server: MailboxServer) -> None:
    assert "to ada@example.org\n<b>Confirm</b>\n  Open the link" in as_text(read(server.folder))
