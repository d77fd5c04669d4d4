"""An org's own Word template: taken in, looked at, taken away."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from common.db import Tenant, UnitOfWork
from common.errors import NotFound
from exports.deps import Deps
from exports.errors import TemplateUnusable
from exports.models import TemplateRow
from exports.rendering.document import Document, Section
from exports.rendering.errors import RenderError
from exports.rendering.word_template import TemplateRefused, prepare

MAX_NAME: Final = 100
_SAMPLE: Final = (
    "# A heading\n\nText with a [link](https://example.org).\n\n1. one\n   - two\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n"
)


@dataclass(frozen=True, slots=True)
class Templates:
    """The template of an org, in one unit of work."""

    uow: UnitOfWork
    org_id: UUID

    async def sha256(self) -> str | None:
        """Names the template that the org has now; None when it has none."""
        found: str | None = await self.uow.session.scalar(
            select(TemplateRow.sha256).where(TemplateRow.org_id == self.org_id)
        )
        return found

    async def content(self, sha256: str) -> bytes | None:
        """The prepared template of this hash; None when another has taken its place."""
        found: bytes | None = await self.uow.session.scalar(
            select(TemplateRow.content).where(TemplateRow.org_id == self.org_id, TemplateRow.sha256 == sha256)
        )
        return found

    async def get(self) -> TemplateRow | None:
        """The row."""
        return await self.uow.session.get(TemplateRow, self.org_id)


async def replace(deps: Deps, tenant: Tenant, name: str, data: bytes) -> TemplateRow:
    """Takes a template in place of the one that was there, once a file was made in it.

    Raises TemplateUnusable.
    """
    assert tenant.org_id is not None, "every caller acts for an org"
    try:
        content = await asyncio.to_thread(prepare, data)
        sha256 = hashlib.sha256(content).hexdigest()
        sample = Document("Sample", "Sample", (Section("Sample", _SAMPLE),), template_sha256=sha256)
        await deps.renderer.render(sample, "docx", content)
    except TemplateRefused as refusal:
        raise TemplateUnusable(str(refusal), reason=refusal.reason) from refusal
    except RenderError as error:
        raise TemplateUnusable("No document can be made in this template.", reason="malformed_file") from error
    values = {
        "sha256": sha256,
        "name": name[:MAX_NAME],
        "content": content,
        "uploaded_by": tenant.user_id,
        "created_at": deps.clock.now(),
    }
    async with deps.db.unit_of_work(tenant) as uow:
        await uow.session.execute(
            insert(TemplateRow)
            .values(org_id=tenant.org_id, **values)
            .on_conflict_do_update(index_elements=[TemplateRow.org_id], set_=values)
        )
        row = await Templates(uow, tenant.org_id).get()
        assert row is not None, "it was stored just now"
        await uow.commit()
    return row


async def get(deps: Deps, tenant: Tenant) -> TemplateRow | None:
    """The org's template; None while it uses ours."""
    assert tenant.org_id is not None, "every caller acts for an org"
    async with deps.db.unit_of_work(tenant) as uow:
        return await Templates(uow, tenant.org_id).get()


async def remove(deps: Deps, tenant: Tenant) -> None:
    """Back to our template; raises NotFound when the org has none. Files that were made in it stay as they are."""
    assert tenant.org_id is not None, "every caller acts for an org"
    async with deps.db.unit_of_work(tenant) as uow:
        gone = await uow.session.scalar(
            delete(TemplateRow).where(TemplateRow.org_id == tenant.org_id).returning(TemplateRow.org_id)
        )
        if gone is None:
            raise NotFound
        await uow.commit()
