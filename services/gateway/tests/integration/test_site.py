"""What a browser is given: the app's files, the API reference; how long it may keep them, and what it is spared."""

from __future__ import annotations

import asyncio
import gzip
import json
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.integration

KEPT = ("/api/openapi.json", "/api/docs", "/api/docs/style.css")
DEEP_LINKS = ("/app", "/app/", "/app/proposals/1?section=2", "/app/verify?token=x", "/app/no/such/page")
ASSET = "/app/assets/app-1a2b3c.js"
IMMUTABLE = "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", KEPT)
class TestWhatIsKept:
    async def test_it_is_asked_for_again_and_not_sent_again(self, browser: httpx.AsyncClient, path: str) -> None:
        first = await browser.get(path)
        assert first.status_code == 200
        assert first.headers["cache-control"] == "no-cache"
        etag = first.headers["etag"]
        for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            again = await browser.get(path, headers={"if-none-match": known})
            assert (again.status_code, again.content) == (304, b""), known
            assert again.headers["etag"] == etag
            assert "content-security-policy" in again.headers
        changed = await browser.get(path, headers={"if-none-match": '"other"'})
        assert (changed.status_code, changed.text) == (200, first.text)

    async def test_it_is_compressed_for_who_can_read_that(self, browser: httpx.AsyncClient, path: str) -> None:
        zipped = await browser.get(path, headers={"accept-encoding": "br;q=1, gzip;q=0.8"})
        assert zipped.headers["content-encoding"] == "gzip"
        assert "accept-encoding" in zipped.headers["vary"].lower()
        for unable in ("identity", "gzip;q=0", ""):
            plain = await browser.get(path, headers={"accept-encoding": unable})
            assert "content-encoding" not in plain.headers, unable
            assert plain.text == zipped.text
            assert plain.headers["etag"] != zipped.headers["etag"]
        async with browser.stream("GET", path, headers={"accept-encoding": "gzip"}) as raw:
            sent = b"".join([chunk async for chunk in raw.aiter_raw()])
        assert gzip.decompress(sent) == plain.content
        assert int(raw.headers["content-length"]) == len(sent)

    async def test_head_is_get_without_the_body(self, browser: httpx.AsyncClient, path: str) -> None:
        got, head = await browser.get(path), await browser.head(path)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("etag", "content-type", "content-length", "content-encoding", "cache-control"):
            assert head.headers[name] == got.headers[name], name

    async def test_it_can_only_be_read(self, browser: httpx.AsyncClient, path: str) -> None:
        answer = await browser.post(path)
        assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")
        assert "GET" in answer.headers["allow"]


class Tags(HTMLParser):
    """Fails at anything that the content security policy would have to allow."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.styles: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert tag not in ("script", "style", "iframe", "object", "base"), tag
        assert not {name for name in given if name.startswith("on") or name == "style"}, given
        for name in ("href", "src"):
            assert (given.get(name) or "/").startswith("/"), given
        if tag == "link":
            self.styles.append(given["href"] or "")


@pytest.mark.parametrize("path", ["/api/docs", "/"])
async def test_a_page_of_ours_needs_nothing_that_the_policy_forbids(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    policy = {rule.split()[0]: rule.split()[1:] for rule in answer.headers["content-security-policy"].split(";")}
    assert policy["script-src"] == policy["style-src"] == ["'self'"]
    [style] = Tags(answer.text).styles
    assert (await browser.get(style)).headers["content-type"].startswith("text/css")


async def test_the_reference_has_every_operation_of_the_document(browser: httpx.AsyncClient) -> None:
    document = json.loads((await browser.get("/api/openapi.json")).content)
    page = (await browser.get("/api/docs")).text
    assert document["openapi"].startswith("3.")
    for path, item in document["paths"].items():
        for method in item:
            assert f"<b>{method.upper()}</b><code>{path}</code>" in page


class TestTheAppsPage:
    @pytest.mark.parametrize("path", DEEP_LINKS)
    async def test_a_deep_link_loads_it_fresh(self, browser: httpx.AsyncClient, path: str) -> None:
        page = await browser.get(path)
        assert (page.status_code, page.headers["cache-control"]) == (200, "no-cache")
        assert page.headers["content-type"].startswith("text/html")
        assert "<title>Bidwright</title>" in page.text
        spared = await browser.get(path, headers={"if-none-match": page.headers["etag"]})
        assert (spared.status_code, spared.content, spared.headers["cache-control"]) == (304, b"", "no-cache")
        assert spared.headers["etag"] == page.headers["etag"]

    async def test_head_says_what_get_would(self, browser: httpx.AsyncClient) -> None:
        for path in ("/app", "/app/deep/link"):
            got, head = await browser.get(path), await browser.head(path)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["etag"] == got.headers["etag"]

    async def test_nothing_is_written_there(self, browser: httpx.AsyncClient) -> None:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            for path in ("/app", "/app/proposals", ASSET):
                answer = await browser.request(method, path)
                assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed"), (method, path)
                assert "GET" in answer.headers["allow"]


class TestAnAsset:
    async def test_it_is_kept_for_ever_and_compressed(self, browser: httpx.AsyncClient) -> None:
        answer = await browser.get(ASSET)
        assert answer.headers["cache-control"] == IMMUTABLE
        assert answer.headers["content-encoding"] == "gzip"
        assert "javascript" in answer.headers["content-type"]
        assert "etag" not in answer.headers  # decision 0002
        head = await browser.head(ASSET)
        assert (head.status_code, head.content, head.headers["cache-control"]) == (200, b"", IMMUTABLE)

    async def test_a_part_of_it_can_be_asked_for(self, browser: httpx.AsyncClient) -> None:
        whole = (await browser.get(ASSET)).content
        part = await browser.get(ASSET, headers={"range": "bytes=7-18", "accept-encoding": "identity"})
        assert (part.status_code, part.content) == (206, whole[7:19])
        assert part.headers["content-range"] == f"bytes 7-18/{len(whole)}"
        assert part.headers["cache-control"] == IMMUTABLE
        beyond = await browser.get(ASSET, headers={"range": f"bytes={len(whole)}-", "accept-encoding": "identity"})
        assert beyond.status_code == 416
        assert "immutable" not in beyond.headers.get("cache-control", "")

    @pytest.mark.parametrize("path", ["/app/assets/gone-1.js", "/app/assets/", "/app/assets", "/app/assets/%00"])
    async def test_a_missing_one_is_no_page_and_not_kept(self, browser: httpx.AsyncClient, path: str) -> None:
        answer = await browser.get(path)
        assert answer.status_code in (400, 404), answer.text
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert "immutable" not in answer.headers.get("cache-control", "")

    @pytest.mark.parametrize(
        "path",
        [
            "/app/../../../etc/passwd",
            "/app/%2e%2e/%2e%2e/etc/passwd",
            "/app/..%2f..%2fetc/passwd",
            "/app/assets/..%5c..%5cetc",
            "/app/assets//../../gateway.log",
            "/app//etc/passwd",
        ],
    )
    async def test_nothing_else_of_the_machine_is_served(self, stack: Any, path: str) -> None:
        host, _, port = stack.base_url.removeprefix("http://").partition(":")
        status, body = await raw_get(host, int(port), path)
        assert "root:" not in body
        assert "event" not in body
        assert status < 500


async def raw_get(host: str, port: int, path: str) -> tuple[int, str]:
    """A request for this very path: a client would tidy it up first."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
    answer = (await asyncio.wait_for(reader.read(), 10)).decode("latin-1")
    writer.close()
    return int(answer.split(" ")[1]), answer.partition("\r\n\r\n")[2]
