"""Envoy's own replies, as problem+json with the codes of the HTTP contract."""

from __future__ import annotations

from typing import Any

from gateway.edge.headers import as_mutations, security_headers
from gateway.edge.settings import EdgeSettings

PROBLEM = "application/problem+json"

# status -> error, title, detail
_REPLIES: dict[int, tuple[str, str, str]] = {
    400: ("invalid_request", "Bad request", "The request could not be understood."),
    404: ("not_found", "Not found", "There is nothing here, or it is not yours to see."),
    405: ("method_not_allowed", "Method not allowed", "This address does not answer to that method."),
    408: ("request_timeout", "Request timed out", "The request did not arrive in time; send it again."),
    413: ("body_too_large", "Too large", "The body is too large."),
    421: ("misdirected", "Misdirected", "This server does not answer for that host."),
    426: ("upgrade_required", "Upgrade required", "Use HTTP/1.1 or newer."),
    431: ("headers_too_large", "Headers too large", "The request's headers are too large."),
    500: ("internal_error", "Internal error", "Something went wrong."),
    501: ("not_implemented", "Not implemented", "This server does not know that transfer encoding."),
    502: ("unavailable", "Unavailable", "This part is not available just now; try again in a moment."),
    503: ("unavailable", "Unavailable", "This part is not available just now; try again in a moment."),
    504: ("unavailable", "Unavailable", "This part did not answer in time; try again in a moment."),
}
RETRY_AFTER_SECONDS = 2
REQUEST_ID = {
    # A request that cannot even be parsed has none yet; the access log has what the answer says.
    "header": {
        "key": "x-request-id",
        "value": '%COALESCE({"operators": [{"command": "REQ", "param": "X-REQUEST-ID"}, "UNIQUE_ID"]})%',
    },
    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
}
UPLOAD_PATHS = ("/api/uploads", "/api/exports/verify", "/api/exports/template")


def local_reply_config(settings: EdgeSettings) -> dict[str, Any]:
    """The mapping of every local reply; first match wins."""
    mappers = [_mapper(settings, 503, _status_is(503)), _passed_on_refusal(settings)]
    mappers += [_upload_too_large(settings, prefix) for prefix in UPLOAD_PATHS]
    mappers += [_mapper(settings, status, _status_is(status)) for status in _REPLIES if status != 503]
    return {"mappers": mappers}


def upload_body_max_bytes(settings: EdgeSettings) -> int:
    """The edge's cap of a file upload: the file's own plus its multipart wrapping.

    The uploads service counts the file exactly; the edge stops what cannot be right before it costs anything.
    """
    return settings.file_upload_max_bytes + 65_536


def _status_is(status: int) -> dict[str, Any]:
    comparison = {"op": "EQ", "value": {"default_value": status, "runtime_key": f"edge.reply_{status}"}}
    return {"status_code_filter": {"comparison": comparison}}


def _mapper(
    settings: EdgeSettings, status: int, when: dict[str, Any], error: str | None = None, **extra: int
) -> dict[str, Any]:
    code, title, detail = _REPLIES[status]
    if status == 413 and not extra:
        extra = {"limit": settings.edge_body_max_bytes}
    if status in (502, 503, 504):
        extra = {"retry_after": RETRY_AFTER_SECONDS}
    body: dict[str, Any] = {
        "type": f"urn:bidwright:error:{error or code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": "%PATH(NQ)%",
        "error": error or code,
        "request_id": "%RESP(X-REQUEST-ID)%",
        **extra,
    }
    headers = security_headers(settings)
    if "retry_after" in extra:
        headers["retry-after"] = str(RETRY_AFTER_SECONDS)
    return {
        "filter": when,
        "body_format_override": {"json_format": body, "content_type": PROBLEM},
        "headers_to_add": [REQUEST_ID, *as_mutations(headers)],
    }


def _upload_too_large(settings: EdgeSettings, prefix: str) -> dict[str, Any]:
    path = {"header_filter": {"header": {"name": ":path", "string_match": {"prefix": prefix}}}}
    when = {"and_filter": {"filters": [_status_is(413), path]}}
    return _mapper(settings, 413, when, "file_too_large", limit=settings.file_upload_max_bytes)


def _passed_on_refusal(settings: EdgeSettings) -> dict[str, Any]:
    """The gateway's refusal is already a problem document: kept as it is."""
    return {
        "filter": {"response_flag_filter": {"flags": ["UAEX"]}},
        "body_format_override": {
            "text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"},
            "content_type": PROBLEM,
        },
        "headers_to_add": as_mutations(security_headers(settings)),
    }
