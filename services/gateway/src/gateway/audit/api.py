"""Routes: /api/audit, of the org in X-Org-ID."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from common.errors import InvalidCursor
from common.pagination import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from common.strings import Storable
from gateway.audit import service
from gateway.audit.repository import Filters
from gateway.audit.schemas import AuditVerdict, AuditView
from gateway.audit.service import Format
from gateway.http import ActorOf, DepsOf, Person

router = APIRouter(tags=["audit"])

Filter = Annotated[Storable | None, Query(max_length=100)]
MEDIA_TYPES: Final[dict[Format, str]] = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
MAX_SEQ: Final = 2**63 - 1


@router.get("/api/audit")
async def list_audit(
    deps: DepsOf,
    actor: ActorOf,
    person: Person,
    action: Filter = None,
    actor_id: UUID | None = None,
    target: Filter = None,
    since: Annotated[AwareDatetime | None, Query(description="From this time on")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Before this time")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[AuditView]:
    """The org's changes, the newest first (admin)."""
    filters = Filters(action=action, actor_id=actor_id, target=target, since=since, until=until)
    before = _seq(decode_cursor(cursor, 1)[0]) if cursor is not None else None
    found = await service.list_rows(deps, actor, person.org_id, filters, before=before, limit=limit + 1)
    page = found[:limit]
    more = encode_cursor(str(page[-1].seq)) if len(found) > limit else None
    return Page(items=[AuditView.model_validate(row) for row in page], next_cursor=more)


@router.get(
    "/api/audit/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}, "application/x-ndjson": {}}, "description": "The rows"}},
)
async def export_audit(
    deps: DepsOf, actor: ActorOf, person: Person, form: Annotated[Format, Query(alias="format")] = "jsonl"
) -> StreamingResponse:
    """The whole audit as a file, the oldest row first (admin). It can be checked without us:

    - `hash` is the SHA-256, in hexadecimal, of the row without `hash`, as JSON in UTF-8: keys sorted, no spaces,
      nothing escaped that need not be; in Python
      `json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)`.
    - `previous` is the `hash` of the row before, empty in the first; `seq` counts from 1 without a gap.

    A line of `jsonl` is that row. In `csv`, `seq` is a number, `detail` is JSON, an empty `actor_id` is null, the rest
    is text; a cell that begins with one of `= + - @ '`, a tab or a carriage return has an apostrophe before it, so
    that no spreadsheet computes it: take one away.
    """
    pieces = await service.export(deps, actor, person.org_id, form)
    headers = {
        "content-disposition": f'attachment; filename="audit-{person.org_id}.{form}"',
        "cache-control": "no-store",
    }
    return StreamingResponse(pieces, media_type=MEDIA_TYPES[form], headers=headers)


@router.get("/api/audit/verify")
async def verify_audit(deps: DepsOf, actor: ActorOf, person: Person) -> AuditVerdict:
    """Checks the whole chain: whether a row was altered, removed or moved (admin)."""
    return AuditVerdict.model_validate(await service.verify(deps, actor, person.org_id))


def _seq(value: str) -> int:
    if not (value.isascii() and value.isdigit()) or len(value) > 19 or int(value) > MAX_SEQ:
        raise InvalidCursor
    return int(value)
