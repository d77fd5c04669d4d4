"""A demo in a running stack, made through the public API: an org on each tier, people, uploads, proposals.

Run again, it finds its people and only prints how to sign in.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from devstack.data import DataFolder, write_private
from devstack.errors import StackError
from devstack.person import Person

SAMPLES = ("community-energy-call.pdf", "application/pdf"), ("scanned-letter.pdf", "application/pdf")
_PRO_SECTIONS = 2  # drafted and approved in the demo; the others are left for the visitor to try


@dataclass(frozen=True)
class Cast:
    """Who is in the demo."""

    owner: Person
    writer: Person
    reader: Person
    solo: Person

    @property
    def everyone(self) -> tuple[Person, ...]:
        """All of them."""
        return (self.owner, self.writer, self.reader, self.solo)


def _cast(data: DataFolder, base_url: str) -> tuple[Cast, str]:
    """The people, with one password made for this stack."""
    file = data.path / "demo.json"
    if not file.exists():
        write_private(file, json.dumps({"password": secrets.token_urlsafe(9)}))
    password = str(json.loads(file.read_text())["password"])

    def person(email: str, name: str) -> Person:
        return Person(base_url, data.mailbox, email, password, name)

    return (
        Cast(
            owner=person("ada@demo.example", "Ada Okafor"),
            writer=person("ben@demo.example", "Ben Lindqvist"),
            reader=person("chloe@demo.example", "Chloe Marchetti"),
            solo=person("dan@demo.example", "Dan Whitfield"),
        ),
        password,
    )


def run(root: Path, data: DataFolder, env: dict[str, str]) -> int:
    """Make the demo, or find it made; prints how to sign in."""
    if not env.get("STRIPE_FAKE_URL"):
        raise StackError("seed buys tiers on the fake Stripe: start the stack without STRIPE_SECRET_KEY")
    cast, password = _cast(data, env["BASE_URL"])
    if cast.owner.sign_in():
        print("the demo is there already")
    else:
        _make(cast, root / "samples")
    print(f"\nSign in at {env['BASE_URL']}/app/sign-in, everybody with the password {password}")
    print(f"  {cast.owner.email:<20} owner of Harbour Energy Cooperative (pro) and of Northwind Institute (enterprise)")
    print(f"  {cast.writer.email:<20} member of Harbour Energy Cooperative")
    print(f"  {cast.reader.email:<20} viewer of Harbour Energy Cooperative")
    print(f"  {cast.solo.email:<20} alone, on the free tier")
    return 0


def _make(cast: Cast, samples: Path) -> None:
    for person in cast.everyone:
        person.register()
        print(f"registered   {person.email}")
    _pro_org(cast, samples)
    cast.owner.make_org("Northwind Institute")
    cast.owner.subscribe("enterprise_monthly", 5)
    _proposal(cast.owner, "Research infrastructure renewal", "Renewal of laboratory equipment, 10 pages at most.")
    print("org          Northwind Institute, enterprise")
    _proposal(cast.solo, "Village library reading room", "Small grants for public libraries, two pages at most.")
    print("org          Dan Whitfield's own, free")


def _pro_org(cast: Cast, samples: Path) -> None:
    owner = cast.owner
    org_id = owner.make_org("Harbour Energy Cooperative")
    owner.subscribe("pro_monthly", 3)
    for person, role in ((cast.writer, "member"), (cast.reader, "viewer")):
        owner.invite(person, role)
        person.org_id = org_id
    print("org          Harbour Energy Cooperative, pro, three people")
    uploads = [owner.upload(samples / name, kind) for name, kind in SAMPLES if (samples / name).exists()]
    print(f"uploads      {len(uploads)}")
    body = {"title": "Community battery for the harbour quarter"}
    if uploads:
        body["call_upload_id"] = uploads[0]["id"]
    proposal = owner.call("POST", "/api/proposals", json=body)
    owner.generate("plan", {"proposal_id": proposal["id"]})
    sections = owner.call("GET", f"/api/proposals/{proposal['id']}/sections")["items"]
    for section in sections[:_PRO_SECTIONS]:
        owner.generate("write", {"section_id": section["id"], "answers": {}})
        owner.call("POST", f"/api/sections/{section['id']}/approve")
    print(f"proposal     {body['title']}: {len(sections)} sections, {min(_PRO_SECTIONS, len(sections))} approved")


def _proposal(person: Person, title: str, call_text: str) -> None:
    made = person.call("POST", "/api/proposals", json={"title": title, "call_text": call_text})
    person.generate("plan", {"proposal_id": made["id"]})
