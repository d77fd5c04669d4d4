"""The HTTP side: parse, authorise, one call, map the result."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final, cast
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse

from common.bodies import parse_body
from common.downloads import ANSWERS, Download, WithConditions
from common.errors import InvalidCursor, InvalidJSON
from common.ids import parse_id
from common.pagination import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from contracts.exports import Format
from exports import service
from exports.callers import Reader, Runner, Services, Writer
from exports.callers import tenant as _tenant
from exports.errors import NeitherHashNorFile, NotFinished
from exports.models import ExportRow
from exports.rendering.document import MEDIA_TYPES
from exports.schemas import ExportIn, ExportOut, ManifestOut, VerifyIn, VerifyOut
from exports.template_api import router as template_router
from exports.verifying import read_upload

router = APIRouter(prefix="/api/exports", tags=["exports"])

MAX_JSON_BYTES: Final = 4096
_ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": ExportOut, "description": "Accepted; look at Location until `status` is done or failed"}
}
_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {media_type: {} for media_type in MEDIA_TYPES.values()}},
    **ANSWERS,
}
_VERIFY_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": VerifyIn.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


@router.post("", status_code=201, responses=_ACCEPTED, operation_id="createExport")
async def create_export(
    body: ExportIn,
    response: Response,
    identity: Writer,
    deps: Services,
    runner: Runner,
    prefer: Annotated[str | None, Header()] = None,
) -> ExportOut:
    """Renders the approved sections of a proposal as Markdown, PDF or Word. The same content gives the same bytes.

    201 with the finished file; 202 with a job under `Prefer: respond-async`, or when the file takes long.
    """
    preferred = _prefers_async(prefer)
    row = await service.request(
        deps,
        runner,
        _tenant(identity),
        body.proposal_id,
        body.wish(),
        revision=body.proposal_revision,
        asynchronous=preferred or deps.settings.exports_async,
    )
    return _answer(response, row, preferred=preferred)


def _prefers_async(prefer: str | None) -> bool:
    return any(one.strip().lower() == "respond-async" for one in (prefer or "").split(","))


def _answer(response: Response, row: ExportRow, *, preferred: bool) -> ExportOut:
    response.headers["Location"] = f"/api/exports/{row.id}"
    if preferred:
        response.headers["Preference-Applied"] = "respond-async"
    if row.status == "queued":
        response.status_code = 202
    return ExportOut.of(row)


@router.get("", operation_id="listExports")
async def list_exports(
    identity: Reader,
    deps: Services,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    proposal_id: UUID | None = None,
) -> Page[ExportOut]:
    """The org's exports, newest first."""
    before = None
    if cursor is not None and (before := parse_id(decode_cursor(cursor, 1)[0])) is None:
        raise InvalidCursor
    rows, more = await service.page(deps, _tenant(identity), proposal_id=proposal_id, before=before, limit=limit)
    return Page(
        items=[ExportOut.of(row) for row in rows], next_cursor=encode_cursor(str(rows[-1].id)) if more else None
    )


@router.post("/verify", operation_id="verifyExport", openapi_extra=_VERIFY_BODY)
async def verify_export(request: Request, identity: Reader, deps: Services) -> VerifyOut:
    """Tells which proposal, revision and export bytes came from: send a file (part `file`), or its sha256 as JSON.

    One changed byte is no match; `altered_from` then tells which export it was before, if the file still says so. Only
    your organisation's exports are looked at.
    """
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        limit = deps.settings.export_verify_max_bytes
        sha256, content_key = await read_upload(request.stream(), content_type, limit=limit)
    elif kind != "application/json":
        raise NeitherHashNorFile
    else:
        sha256, content_key = await _read_hash(request), None
    return VerifyOut.of(sha256, *await service.verify(deps, _tenant(identity), sha256, content_key))


async def _read_hash(request: Request) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_JSON_BYTES:
            raise InvalidJSON('Send {"sha256": "..."}, or the file as multipart/form-data.')
    return parse_body(VerifyIn, body).sha256


router.include_router(template_router)  # before the addresses that begin with an id


@router.get("/{export_id}", operation_id="getExport")
async def get_export(export_id: UUID, identity: Reader, deps: Services) -> ExportOut:
    """One export; `status` tells whether its file is there."""
    return ExportOut.of(await service.get(deps, _tenant(identity), export_id))


@router.get("/{export_id}/manifest", operation_id="getExportManifest")
async def get_manifest(export_id: UUID, identity: Reader, deps: Services) -> ManifestOut:
    """What the file was made of and with, and who asked for it."""
    return ManifestOut.of(await service.get(deps, _tenant(identity), export_id))


@router.post("/{export_id}/cancel", operation_id="cancelExport")
async def cancel_export(export_id: UUID, identity: Writer, deps: Services) -> ExportOut:
    """Stops an export that is being made."""
    return ExportOut.of(await service.cancel(deps, _tenant(identity), export_id))


@router.post("/{export_id}/retry", status_code=201, responses=_ACCEPTED, operation_id="retryExport")
async def retry_export(
    export_id: UUID,
    response: Response,
    identity: Writer,
    deps: Services,
    runner: Runner,
    prefer: Annotated[str | None, Header()] = None,
) -> ExportOut:
    """Asks once more for what a failed export was to be: the same options, the approved text as it is now."""
    preferred = _prefers_async(prefer)
    asynchronous = preferred or deps.settings.exports_async
    row = await service.again(deps, runner, _tenant(identity), export_id, asynchronous=asynchronous)
    return _answer(response, row, preferred=preferred)


@router.head("/{export_id}/file", include_in_schema=False)
@router.get("/{export_id}/file", response_class=StreamingResponse, responses=_FILE, operation_id="getExportFile")
async def get_file(export_id: UUID, identity: Reader, deps: Services, wanted: WithConditions) -> Response:
    """The file, to be saved. Its ETag is its sha256; Range resumes a download that broke off."""
    row = await service.get(deps, _tenant(identity), export_id)
    if row.sha256 is None or row.size is None:
        raise NotFinished
    download = Download(row.filename, MEDIA_TYPES[cast(Format, row.format)], row.sha256, row.size)
    return await download.answer(wanted, partial(service.open_file, deps, row))


@router.delete("/{export_id}", status_code=204, operation_id="deleteExport")
async def delete_export(export_id: UUID, identity: Writer, deps: Services) -> None:
    """Deletes the export and, unless another shares it, its file."""
    await service.remove(deps, _tenant(identity), export_id)
