"""The HTTP side: parse, authorise, one call, map the result."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

from common.db import Tenant
from common.downloads import ANSWERS, Download, WithConditions
from common.errors import InvalidCursor, ValidationFailed
from common.identity import Identity, require
from common.ids import parse_id
from common.pagination import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from uploads import service, telemetry
from uploads.deps import Deps
from uploads.errors import MalformedMultipart
from uploads.receiving import boundary_of, check_length, receive
from uploads.schemas import TextView, UploadView

router = APIRouter(prefix="/api/uploads", tags=["uploads"])

Reader = Annotated[Identity, Depends(require(role="viewer", scope="uploads:read"))]
Writer = Annotated[Identity, Depends(require(role="member", scope="uploads:write"))]

_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "proposal_id": {"type": "string", "format": "uuid"},
                    },
                }
            }
        },
    }
}


def get_deps(request: Request) -> Deps:
    """What the app was made with."""
    deps: Deps = request.app.state.deps
    return deps


WithDeps = Annotated[Deps, Depends(get_deps)]


def tenant_of(identity: Identity) -> Tenant:
    """Whose rows a request may see."""
    return Tenant(org_id=identity.org_id, user_id=identity.user_id)


@router.post("", status_code=201, openapi_extra=_FORM, operation_id="create_upload")
async def create_upload(request: Request, identity: Writer, deps: WithDeps) -> UploadView:
    """Takes one file as multipart/form-data, part `file`, with an optional `proposal_id`.

    Refused with 400 (the reason is in `error`), 413 when it is too large, 402 when the storage is full.
    """
    limit = deps.settings.file_upload_max_bytes
    check_length(request.headers.get("content-length"), limit)
    boundary = boundary_of(request.headers.get("content-type"))
    async with deps.staging.new() as staged:
        try:
            received = await receive(request.stream(), boundary, staged, limit=limit)
        except ClientDisconnect as error:
            raise MalformedMultipart("The upload broke off; send the file again.") from error
        finally:
            telemetry.RECEIVED_BYTES.inc(staged.size)
        incoming = service.Incoming(
            staged=staged,
            filename=received.filename or "",
            declared_type=received.declared_type,
            proposal_id=_proposal_id(received.fields.get("proposal_id")),
        )
        return UploadView.of(await service.accept(deps, tenant_of(identity), incoming))


def _proposal_id(value: str | None) -> UUID | None:
    if not value:
        return None
    if (proposal_id := parse_id(value)) is None:
        raise ValidationFailed([{"field": "proposal_id", "message": "This is not an id."}])
    return proposal_id


@router.get("", operation_id="list_uploads")
async def list_uploads(
    identity: Reader,
    deps: WithDeps,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    proposal_id: UUID | None = None,
) -> Page[UploadView]:
    """The org's files, newest first."""
    before = None
    if cursor is not None and (before := parse_id(decode_cursor(cursor, 1)[0])) is None:
        raise InvalidCursor
    uploads, more = await service.list_page(
        deps, tenant_of(identity), limit=limit, before=before, proposal_id=proposal_id
    )
    next_cursor = encode_cursor(str(uploads[-1].id)) if more else None
    return Page(items=[UploadView.of(upload) for upload in uploads], next_cursor=next_cursor)


@router.get("/{upload_id}", operation_id="get_upload")
async def get_upload(upload_id: UUID, identity: Reader, deps: WithDeps) -> UploadView:
    """One file; `status` tells whether its text is there."""
    return UploadView.of(await service.find(deps, tenant_of(identity), upload_id))


@router.get("/{upload_id}/text", operation_id="get_upload_text")
async def get_text(upload_id: UUID, identity: Reader, deps: WithDeps) -> TextView:
    """What the file says, page by page."""
    upload, pages = await service.read_text(deps, tenant_of(identity), upload_id)
    return TextView.of(upload, pages)


@router.head("/{upload_id}/file", include_in_schema=False)
@router.get(
    "/{upload_id}/file",
    response_class=StreamingResponse,
    operation_id="get_upload_file",
    responses={200: {"content": {"*/*": {}}}, **ANSWERS},
)
async def get_file(upload_id: UUID, identity: Reader, deps: WithDeps, wanted: WithConditions) -> Response:
    """The bytes, to be saved, never shown in place. Range resumes a download that broke off.

    A picture comes as we have encoded it, without what else was in its file; until that is done, 409
    `not_yet_consistent`.
    """
    upload = await service.find(deps, tenant_of(identity), upload_id)
    sha256, size = await service.what_is_shown(deps, upload)
    download = Download(upload.filename, upload.content_type, sha256, size)
    return await download.answer(wanted, partial(service.open_bytes, deps, upload))


@router.delete("/{upload_id}", status_code=204, operation_id="delete_upload")
async def delete_upload(upload_id: UUID, identity: Writer, deps: WithDeps) -> None:
    """Deletes the file, its text, and what was made from it."""
    await service.delete(deps, tenant_of(identity), upload_id)
