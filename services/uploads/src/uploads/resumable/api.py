"""The HTTP side of resumable uploads: tus 1.0 (creation, expiration, termination, checksum), and the step that makes a
file of what has arrived."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from starlette.requests import ClientDisconnect

from common.errors import ValidationFailed
from common.ids import parse_id
from uploads.api import WithDeps, Writer, tenant_of
from uploads.errors import MalformedMultipart
from uploads.models import ResumableUpload
from uploads.resumable import domain, service
from uploads.resumable.errors import NotAChunk, UnknownVersion
from uploads.schemas import UploadView

PATH: Final = "/api/uploads/resumable"

router = APIRouter(prefix=PATH, tags=["uploads"])

Version = Annotated[str | None, Header(alias="Tus-Resumable", description="1.0.0")]


@router.options("", include_in_schema=False)
async def describe(_identity: Writer, deps: WithDeps) -> Response:
    """What the protocol wants to know about us."""
    headers = {
        "Tus-Version": domain.VERSION,
        "Tus-Extension": domain.EXTENSIONS,
        "Tus-Max-Size": str(deps.settings.file_upload_max_bytes),
        "Tus-Checksum-Algorithm": ",".join(domain.ALGORITHMS),
    }
    return Response(status_code=204, headers=_headers(headers))


@router.post("", status_code=201, response_class=Response, operation_id="create_resumable_upload")
async def create(
    identity: Writer,
    deps: WithDeps,
    version: Version = None,
    upload_length: Annotated[str | None, Header(description="Bytes of the whole file")] = None,
    upload_metadata: Annotated[
        str | None, Header(description="filename, and if need be filetype and proposal_id, each in Base64")
    ] = None,
) -> Response:
    """Announces a file, whose bytes follow by PATCH to `Location`; its room in the storage is reserved."""
    _check(version)
    try:
        length, said = domain.number("Upload-Length", upload_length), domain.metadata(upload_metadata)
    except domain.BadHeader as bad:
        raise _invalid(bad) from bad
    if not said.get("filename"):
        raise _invalid(domain.BadHeader("Upload-Metadata", "Say the file's name, as filename."))
    proposal_id = parse_id(said["proposal_id"]) if said.get("proposal_id") else None
    if said.get("proposal_id") and proposal_id is None:
        raise ValidationFailed([{"field": "proposal_id", "message": "This is not an id."}])
    announced = service.Announced(length, said["filename"], said.get("filetype"), proposal_id)
    upload = await service.create(deps, tenant_of(identity), announced)
    return Response(status_code=201, headers={"Location": f"{PATH}/{upload.id}", **_state(upload)})


@router.head("/{upload_id}", response_class=Response, operation_id="get_resumable_upload")
async def ask(upload_id: UUID, identity: Writer, deps: WithDeps) -> Response:
    """How much has arrived: `Upload-Offset`, of `Upload-Length`."""
    upload = await service.find(deps, tenant_of(identity), upload_id)
    return Response(headers={"Upload-Length": str(upload.length), "Cache-Control": "no-store", **_state(upload)})


@router.patch(
    "/{upload_id}",
    status_code=204,
    response_class=Response,
    operation_id="append_resumable_upload",
    openapi_extra={"requestBody": {"required": True, "content": {domain.CHUNK_TYPE: {"schema": {"format": "binary"}}}}},
)
async def append(
    upload_id: UUID,
    request: Request,
    identity: Writer,
    deps: WithDeps,
    version: Version = None,
    upload_offset: Annotated[str | None, Header(description="Where the bytes belong")] = None,
    upload_checksum: Annotated[str | None, Header(description="sha256 or sha1, and the sum in Base64")] = None,
) -> Response:
    """Takes bytes; what has arrived before a connection breaks is kept.

    409 `offset_conflict` when the upload goes on elsewhere, 460 when the bytes are not those of the checksum.
    """
    tenant = tenant_of(identity)
    upload = await service.find(deps, tenant, upload_id)
    _check(version)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != domain.CHUNK_TYPE:
        raise NotAChunk
    try:
        offset, checksum = domain.number("Upload-Offset", upload_offset), domain.checksum(upload_checksum)
    except domain.BadHeader as bad:
        raise _invalid(bad) from bad
    try:
        await service.append(deps, tenant, upload, _body(request), offset=offset, checksum=checksum)
    except service.ConnectionLost as error:  # nobody hears this
        raise MalformedMultipart("The connection broke off; ask how much has arrived, and go on there.") from error
    return Response(status_code=204, headers=_state(upload))


@router.post("/{upload_id}/complete", status_code=201, operation_id="complete_resumable_upload")
async def complete(upload_id: UUID, identity: Writer, deps: WithDeps) -> UploadView:
    """Checks and stores the file once all of it has arrived, with the answers of `POST /api/uploads`.

    Asked again, for instance because the answer was lost, it says the same.
    """
    return UploadView.of(await service.complete(deps, tenant_of(identity), upload_id))


@router.delete("/{upload_id}", status_code=204, response_class=Response, operation_id="cancel_resumable_upload")
async def cancel(upload_id: UUID, identity: Writer, deps: WithDeps) -> Response:
    """Gives the upload up; what has arrived is removed."""
    await service.cancel(deps, tenant_of(identity), upload_id)
    return Response(status_code=204, headers=_headers())


async def _body(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as error:
        raise service.ConnectionLost from error


def _check(version: str | None) -> None:
    if version != domain.VERSION:
        raise UnknownVersion


def _invalid(bad: domain.BadHeader) -> ValidationFailed:
    return ValidationFailed([{"field": bad.header, "message": bad.message}])


def _headers(more: dict[str, str] | None = None) -> dict[str, str]:
    return {"Tus-Resumable": domain.VERSION, **(more or {})}


def _state(upload: ResumableUpload) -> dict[str, str]:
    return _headers({"Upload-Offset": str(upload.received), "Upload-Expires": domain.http_date(upload.expires_at)})
