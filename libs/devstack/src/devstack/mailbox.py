"""The local mailbox: mail that nobody sends because no EMAIL_HOST is set, shown on a loopback port.

The gateway writes one JSON file for each mail: to, subject, text, html, links, created_at.
"""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

_FIELDS = ("to", "subject", "text", "html", "links", "created_at")
_HTML = "/html/"
_LOCAL = {"localhost", "127.0.0.1"}


def read(folder: Path) -> list[dict[str, Any]]:
    """All mails, the newest first."""
    return list(_by_name(folder).values())


def _by_name(folder: Path) -> dict[str, dict[str, Any]]:
    mails = {}
    for file in folder.glob("*.json"):
        try:
            found = json.loads(file.read_text())
        except (OSError, ValueError):  # being written
            continue
        if isinstance(found, dict):
            mails[file.stem] = {field: found.get(field) for field in _FIELDS}
    return dict(sorted(mails.items(), key=lambda item: str(item[1]["created_at"]), reverse=True))


def as_text(mails: list[dict[str, Any]]) -> str:
    """For the terminal, the oldest first so that the newest stands above the prompt."""
    blocks = []
    for mail in reversed(mails):
        head = f"{mail['created_at']}  to {mail['to']}\n{mail['subject']}\n"
        blocks.append(head + "\n".join(f"  {line}" for line in str(mail["text"] or "").strip().splitlines()))
    return "\n\n".join(blocks) or "no mail yet"


def _link(url: str) -> str:
    safe = html.escape(url, quote=True)
    return f'<a href="{safe}" rel="noreferrer">{safe}</a>' if urlsplit(url).scheme in ("http", "https") else safe


def as_html(mails: Mapping[str, dict[str, Any]]) -> str:
    """A page without scripts: each mail by its name, as text, with a link to its HTML form."""
    cards = "".join(
        f"<article><header><b>{html.escape(str(mail['subject']))}</b><span>to {html.escape(str(mail['to']))}</span>"
        f"<time>{html.escape(str(mail['created_at']))}</time></header>"
        f"<pre>{html.escape(str(mail['text'] or ''))}</pre>"
        + "".join(f"<p>{_link(str(link))}</p>" for link in mail["links"] or [])
        + (f'<p><a href="{_HTML}{quote(name)}">As HTML</a></p>' if mail["html"] else "")
        + "</article>"
        for name, mail in mails.items()
    )
    style = (
        "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1c1917;"
        "background:#fafaf9}h1{font-size:1.25rem}article{background:#fff;border:1px solid #e7e5e4;border-radius:8px;"
        "padding:1rem;margin:1rem 0}header{display:flex;flex-wrap:wrap;gap:.25rem 1rem;color:#57534e}"
        "header b{color:#1c1917}pre{white-space:pre-wrap;font:inherit}p{overflow-wrap:anywhere}"
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Local mailbox</title>'
        '<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5">'
        f"<style>{style}</style><h1>Local mailbox</h1>{cards or '<p>No mail yet.</p>'}</html>"
    )


class MailboxServer:
    """Serves ``/`` and the mails' HTML forms for people, and ``/json`` for programs."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on the loopback."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode("latin-1")
            writer.write(self.answer(request))
            await writer.drain()
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    def answer(self, request: str) -> bytes:
        """The whole reply to a request's head."""
        line, *headers = request.split("\r\n")
        words = line.split(" ")
        method, path = (words[0], words[1].partition("?")[0]) if len(words) == 3 else ("", "")
        host = next((value for value in headers if value.lower().startswith("host:")), "")[5:].strip()
        # A page of another site that was made to resolve to the loopback must not read sign-in links.
        if host.partition(":")[0] not in _LOCAL:
            return _reply("421 Misdirected Request", "text/plain", "unknown host")
        if method not in ("GET", "HEAD"):
            return _reply("405 Method Not Allowed", "text/plain", "GET only")
        if path == "/json":
            return _reply("200 OK", "application/json", json.dumps({"items": read(self.folder)}))
        mails = _by_name(self.folder)
        if path == "/":
            return _reply("200 OK", "text/html; charset=utf-8", as_html(mails))
        mail = mails.get(unquote(path.removeprefix(_HTML))) if path.startswith(_HTML) else None
        if mail and mail["html"]:
            return _reply("200 OK", "text/html; charset=utf-8", str(mail["html"]), sandboxed=True)
        return _reply("404 Not Found", "text/plain", "not found")


def _reply(status: str, kind: str, text: str, *, sandboxed: bool = False) -> bytes:
    body = text.encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
        f"{'; sandbox' if sandboxed else ''}\r\n\r\n"
    )
    return head.encode() + body
