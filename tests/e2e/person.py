"""Somebody who does the whole job by HTTP, and readers for the files that they get."""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import re
import time
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx

from devstack.running import RunningStack

PASSWORD = "a long enough pass phrase"
OUTCOME_SECONDS = 60.0


def eventually(check: Callable[[], Any], what: str, seconds: float = OUTCOME_SECONDS) -> Any:
    """The first truthy answer of `check`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := check():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} s")


@dataclass
class Person:
    """Somebody with a browser's session, who works in one organisation."""

    stack: RunningStack
    email: str = field(default_factory=lambda: f"person-{uuid.uuid4().hex[:12]}@example.com")
    org_id: str = ""

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.stack.base_url, timeout=90, headers={"Origin": self.stack.base_url})

    def call(self, method: str, path: str, *, expect: int | tuple[int, ...], **options: Any) -> httpx.Response:
        """One request in the person's organisation; asks again while a service says that it has yet to hear."""
        headers = {"X-Org-ID": self.org_id} if self.org_id else {}
        headers |= options.pop("headers", {})
        wanted = expect if isinstance(expect, tuple) else (expect,)

        def ask() -> httpx.Response | None:
            answer = self.http.request(method, path, headers=headers, **options)
            if answer.status_code == 409 and 409 not in wanted and answer.json()["error"] == "not_yet_consistent":
                time.sleep(min(float(answer.headers["Retry-After"]), 1.0))
                return None
            return answer

        answer: httpx.Response = eventually(ask, f"{method} {path}")
        assert answer.status_code in wanted, f"{method} {path}: {answer.status_code} {answer.text[:800]}"
        return answer

    def json(self, method: str, path: str, *, expect: int | tuple[int, ...] = 200, **options: Any) -> dict[str, Any]:
        body: dict[str, Any] = self.call(method, path, expect=expect, **options).json()
        return body

    def sign_up(self) -> None:
        """Register, open the mail, follow its link."""
        account = {"email": self.email, "password": PASSWORD, "name": "Ada Fenwick"}
        assert self.json("POST", "/api/auth/register", json=account, expect=202)["status"] == "verify_email"
        self.json("POST", "/api/auth/email/verify", json={"token": self.token_in_mail()})

    def token_in_mail(self) -> str:
        mail = eventually(lambda: next(iter(self.stack.mails(self.email)), None), "the mail")
        found = re.search(r"token=([\w.~-]+)", " ".join([*mail["links"], mail["text"]]))
        assert found, mail
        return found[1]

    def upload(self, file: Path, kind: str) -> dict[str, Any]:
        """Send a file and wait until its text has been read."""
        sent = {"file": (file.name, file.read_bytes(), kind)}
        made = self.json("POST", "/api/uploads", files=sent, expect=201)
        assert made["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()

        def read() -> dict[str, Any] | None:
            now = self.json("GET", f"/api/uploads/{made['id']}")
            return None if now["status"] == "processing" else now

        done: dict[str, Any] = eventually(read, f"the text of {file.name}", 120)
        assert done["status"] == "ready", done
        return done

    def text_of(self, upload: dict[str, Any]) -> list[str]:
        """The pages of an upload."""
        pages = self.json("GET", f"/api/uploads/{upload['id']}/text")["pages"]
        return [page["text"] for page in sorted(pages, key=lambda page: page["number"])]

    def plan(self, proposal_id: str) -> list[dict[str, Any]]:
        """Plan a proposal; its sections."""
        answer = self.call("POST", "/api/ai/plan", json={"proposal_id": proposal_id}, expect=(200, 202))
        if answer.status_code == 202:
            self.finish(answer.json()["job_id"])
        items: list[dict[str, Any]] = self.json("GET", f"/api/proposals/{proposal_id}/sections")["items"]
        return items

    def finish(self, job_id: str) -> dict[str, Any]:
        """A job that came to a good end."""

        def ended() -> dict[str, Any] | None:
            job = self.json("GET", f"/api/ai/jobs/{job_id}")
            return None if job["status"] in ("queued", "running") else job

        job: dict[str, Any] = eventually(ended, f"job {job_id}")
        assert job["status"] == "succeeded", job
        return job

    def write(self, section_id: str, **more: Any) -> str:
        """Let the AI draft a section and listen as it does; what was heard, joined."""
        body = {"section_id": section_id, "answers": {"notes": "612 members; 31 kW of critical local loads."}, **more}
        accepted = self.call("POST", "/api/ai/write", json=body, headers={"Prefer": "respond-async"}, expect=202)
        assert accepted.headers["Location"].endswith(accepted.json()["job_id"])
        return listen(self, accepted.json()["job_id"])

    def approve(self, section_id: str) -> dict[str, Any]:
        section = self.json("GET", f"/api/sections/{section_id}")
        match = {"If-Match": f'"{section["revision"]}"'}
        return self.json("POST", f"/api/sections/{section_id}/approve", headers=match)

    def export(self, proposal_id: str, file_format: str) -> dict[str, Any]:
        """Export what is approved now."""
        revision = self.json("GET", f"/api/proposals/{proposal_id}")["revision"]
        body = {"proposal_id": proposal_id, "format": file_format, "proposal_revision": revision}
        made = self.json("POST", "/api/exports", json=body, expect=(201, 202))
        export_id = made.get("id") or self.export_of(made["job_id"])

        def ended() -> dict[str, Any] | None:
            now = self.json("GET", f"/api/exports/{export_id}")
            return now if now["status"] in ("done", "failed") else None

        done: dict[str, Any] = eventually(ended, f"the {file_format} export")
        assert done["status"] == "done", done
        return done

    def export_of(self, job_id: str) -> str:
        return str(self.finish(job_id)["result"]["id"])


def listen(person: Person, job_id: str) -> str:
    """The event stream of a job to its end."""
    heard, event, ids = [], "", []
    headers = {"X-Org-ID": person.org_id, "Accept": "text/event-stream"}
    with person.http.stream("GET", f"/api/ai/jobs/{job_id}/events", headers=headers) as stream:
        assert stream.status_code == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "id":
                ids.append(value)
            elif name == "event":
                event = value
            elif name == "data" and event == "delta":
                heard.append(json.loads(value)["text"])
            elif name == "data" and event == "done":
                assert json.loads(value)["job"]["status"] == "succeeded", value
                break
    assert event == "done"
    assert len(ids) == len(set(ids)) > 1
    return "".join(heard)


def words(text: str) -> str:
    """A text without what a layout may change: white space, and marks that Markdown escapes or a page hyphenates."""
    return re.sub(r"[\s\\\u00ad]+", "", text)


def pdf_text(file: bytes) -> str:
    pypdfium2: Any = importlib.import_module("pypdfium2")  # it carries no types
    document = pypdfium2.PdfDocument(file)
    return "".join(document[number].get_textpage().get_text_range() for number in range(len(document)))


def docx_text(file: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        document = ElementTree.fromstring(archive.read("word/document.xml"))
    return "".join(document.itertext())


READERS: dict[str, Callable[[bytes], str]] = {"md": bytes.decode, "pdf": pdf_text, "docx": docx_text}
