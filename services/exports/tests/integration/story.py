"""What the tests tell and ask: orgs and proposals that send the facts of other services; what came of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import nats
import psycopg
from nats.aio.client import Client

from common.ids import new_id
from common.testing import IdentityIssuer
from contracts import Event
from contracts.ai import OutlineSection, ProposalChanged, ProposalCreated, ProposalDeleted, SectionApproved
from contracts.billing import EntitlementsChanged, Limits
from contracts.gateway import OrgCreated, OrgDeleted, OrgRenamed, UserErased
from devstack.pytest_plugin import ServiceDatabase, UrlFactory

NOW = "2026-11-03T09:00:00Z"


class Publisher:
    """Sends facts as their producers do: over NATS, as that service's user."""

    def __init__(self, nats_url: UrlFactory) -> None:
        self._nats_url = nats_url
        self._clients: dict[str, Client] = {}

    async def __call__(self, event: Event, *, event_id: UUID | None = None) -> None:
        service = event.META.service
        if service not in self._clients:
            self._clients[service] = await nats.connect(
                self._nats_url(service), inbox_prefix=f"_INBOX_{service}".encode()
            )
        event_id = event_id or new_id()
        await (
            self._clients[service]
            .jetstream()
            .publish(
                event.META.subject,
                json.dumps(event.model_dump(mode="json")).encode(),
                headers={"ce-id": str(event_id), "ce-type": event.META.type, "Nats-Msg-Id": str(uuid4())},
            )
        )

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()


@dataclass
class Org:
    """An org that tells its story by events, and calls the API."""

    publish: Publisher
    client: httpx.AsyncClient
    issuer: IdentityIssuer
    org_id: UUID = field(default_factory=new_id)
    user_id: UUID = field(default_factory=new_id)
    versions: dict[Any, int] = field(default_factory=dict)

    def next(self, aggregate: Any) -> int:
        self.versions[aggregate] = self.versions.get(aggregate, 0) + 1
        return self.versions[aggregate]

    async def created(self, name: str = "Northwind Water Trust", storage_bytes: int | None = 10**8) -> Org:
        await self.publish(
            OrgCreated.model_validate(
                OrgCreated.EXAMPLE | {"org_id": self.org_id, "version": self.next("org"), "name": name}
            )
        )
        await self.entitled(storage_bytes)
        return self

    async def renamed(self, name: str) -> None:
        await self.publish(OrgRenamed(org_id=self.org_id, version=self.next("org"), name=name))

    async def deleted(self) -> None:
        await self.publish(OrgDeleted(org_id=self.org_id, version=self.next("org"), deleted_at=NOW))

    async def person_erased(self) -> None:
        await self.publish(UserErased(org_id=self.org_id, version=1, user_id=self.user_id))

    async def entitled(self, storage_bytes: int | None) -> None:
        limits = Limits.model_validate(EntitlementsChanged.EXAMPLE["limits"] | {"storage_bytes": storage_bytes})
        changed = EntitlementsChanged.EXAMPLE | {
            "org_id": self.org_id,
            "version": self.next("entitlements"),
            "limits": limits,
        }
        await self.publish(EntitlementsChanged.model_validate(changed))

    def headers(self, **claims: Any) -> dict[str, str]:
        return self.issuer.headers(**{"user_id": self.user_id, "org_id": self.org_id, **claims})

    async def export(self, proposal: Proposal, file_format: str = "md", **more: Any) -> httpx.Response:
        headers = self.headers() | more.pop("headers", {})
        body = {"proposal_id": str(proposal.id), "format": file_format, "proposal_revision": proposal.revision, **more}
        return await self.client.post("/api/exports", json=body, headers=headers)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(
            path, headers=self.headers() | {k.replace("_", "-"): v for k, v in headers.items()}
        )

    def proposal(self, title: str = "Clean water for all") -> Proposal:
        return Proposal(self, title)


@dataclass
class Proposal:
    """A proposal as the ai service would tell of it."""

    org: Org
    title: str
    id: UUID = field(default_factory=new_id)
    revision: int = 0
    sections: list[OutlineSection] = field(default_factory=list)

    def outline(self) -> ProposalChanged | ProposalCreated:
        self.revision += 1
        version = self.org.next(self.id)
        body = {
            "org_id": self.org.org_id,
            "version": version,
            "proposal_id": self.id,
            "title": self.title,
            "state": "active",
            "revision": self.revision,
            "sections": self.sections,
        }
        if version == 1:
            return ProposalCreated.model_validate(
                body | {"created_by": self.org.user_id, "created_at": NOW, "charged_to": "cap"}
            )
        return ProposalChanged.model_validate(body)

    def add(self, title: str, approved_revision: int | None = None) -> UUID:
        section_id = new_id()
        position = len(self.sections) + 1
        self.sections.append(
            OutlineSection(section_id=section_id, title=title, position=position, approved_revision=approved_revision)
        )
        return section_id

    def approval(self, section_id: UUID, text: str, revision: int = 1) -> SectionApproved:
        return SectionApproved(
            org_id=self.org.org_id,
            version=self.org.next(section_id),
            section_id=section_id,
            proposal_id=self.id,
            revision=revision,
            title="ignored: the outline's title counts",
            text=text,
            approved_by=self.org.user_id,
            approved_at=NOW,
        )

    def deletion(self) -> ProposalDeleted:
        return ProposalDeleted(org_id=self.org.org_id, version=self.org.next(self.id), proposal_id=self.id)

    async def written(self, *texts: str, unapproved: int = 0) -> Proposal:
        """Published with these texts approved, and some sections that are not."""
        approvals = [
            self.approval(self.add(f"Section {at}", approved_revision=1), text) for at, text in enumerate(texts, 1)
        ]
        for at in range(unapproved):
            self.add(f"Open {at}")
        for approval in approvals:
            await self.org.publish(approval)
        await self.org.publish(self.outline())
        return self


MakeOrg = Callable[[], Org]


def stored_files(objects: Path, org_id: UUID) -> list[str]:
    """The names of the org's files in the object store."""
    folder = objects / "exports" / str(org_id)
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def query(database: ServiceDatabase, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Reads past row-level security, as an administrator."""
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        connection.execute("SET search_path = exports")
        return connection.execute(statement, values).fetchall()


async def eventually(check: Callable[[], bool | Awaitable[bool]], what: str, seconds: float = 10) -> None:
    """Waits until `check` holds."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        result = check()
        if result if isinstance(result, bool) else await result:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")
