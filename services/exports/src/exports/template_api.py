"""The routes of an organisation's own Word template."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from common.errors import TooLarge
from exports import templates
from exports.callers import Admin, Reader, Services, tenant
from exports.errors import NotADocx
from exports.rendering.document import MEDIA_TYPES
from exports.schemas import TemplateOut

router = APIRouter(prefix="/template")

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {MEDIA_TYPES["docx"]: {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("", operation_id="getExportTemplate")
async def get_template(identity: Reader, deps: Services) -> TemplateOut | None:
    """The Word template that your organisation's exports are made in; null while it is ours."""
    row = await templates.get(deps, tenant(identity))
    return None if row is None else TemplateOut.of(row)


@router.put("", operation_id="putExportTemplate", openapi_extra=_BODY)
async def put_template(
    request: Request,
    identity: Admin,
    deps: Services,
    name: Annotated[str, Query(min_length=1, max_length=templates.MAX_NAME)] = "template.docx",
) -> TemplateOut:
    """Takes a .docx or .dotx: its styles, page, headers and footers. Its text, macros and whatever leads outside stay
    behind or have it refused with the reason. Exports from now on are made in it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != MEDIA_TYPES["docx"]:
        raise NotADocx
    limit = deps.settings.export_template_max_bytes
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge("This file is larger than a template may be.", limit=limit)
    return TemplateOut.of(await templates.replace(deps, tenant(identity), name, bytes(body)))


@router.delete("", status_code=204, operation_id="deleteExportTemplate")
async def delete_template(identity: Admin, deps: Services) -> Response:
    """Back to our template. Files that were made in yours stay as they are."""
    await templates.remove(deps, tenant(identity))
    return Response(status_code=204)
