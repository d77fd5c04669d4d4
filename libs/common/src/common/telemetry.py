"""Logs, traces and metrics: one line of JSON for each event, ids instead of objects, a trace id where there is one.

Tracing is off unless OTEL_EXPORTER_OTLP_ENDPOINT is set: the exporter and its instrumentation cost 1.5x CPU or more.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, Literal

import structlog
from opentelemetry import propagate, trace

tracer = trace.get_tracer("bidwright")

_ODD: Final = frozenset("13579bdf")
"""Last digits of a `traceparent` whose sampled bit is set; others tell other things."""

# Without the local variables, which the default shows: they hold cookies, tokens and people's texts.
_TRACEBACKS: Final = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def _add_trace_id(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = format(context.trace_id, "032x")
        event["span_id"] = format(context.span_id, "016x")
    return event


def configure_logging(service: str, level: str = "info", fmt: Literal["json", "console"] = "json") -> None:
    """Sets up structlog, and the standard library's loggers through it, for the process."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace_id,
    ]
    renderer: Any = structlog.processors.JSONRenderer() if fmt == "json" else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _TRACEBACKS if fmt == "json" else structlog.dev.set_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # The edge logs every request once; a second line from each service would double the volume.
    logging.getLogger("uvicorn.access").handlers = []
    logging.getLogger("uvicorn.access").propagate = False
    for noisy in ("httpx", "httpcore", "httpx2", "httpcore2", "alembic", "nats"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(service=service)


def get_logger() -> structlog.stdlib.BoundLogger:
    """A logger; event names are short constants, data goes into keyword fields."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    return logger


def configure_tracing(service: str) -> None:
    """Exports traces by OTLP/HTTP when OTEL_EXPORTER_OTLP_ENDPOINT is set; otherwise does nothing."""
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": f"bidwright-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def shutdown_tracing() -> None:
    """Sends what is buffered; the last step of an ordered stop."""
    provider = trace.get_tracer_provider()
    if hasattr(provider, "shutdown"):
        provider.shutdown()


def messaging_attributes(operation: str, subject: str) -> dict[str, str]:
    """A span's attributes for a message on NATS."""
    return {
        "messaging.system": "nats",
        "messaging.operation.type": operation,
        "messaging.destination.name": subject,
    }


def is_sampled(headers: Mapping[str, str]) -> bool:
    """Whether these headers carry a trace that is recorded; asked first where a span would cost too much."""
    return headers.get("traceparent", "")[-1:] in _ODD


def trace_headers() -> dict[str, str]:
    """The present trace context as W3C headers (`traceparent`), empty when there is none."""
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers


def continue_trace(headers: Mapping[str, str]) -> Any:
    """The OpenTelemetry context that these W3C headers carry."""
    return propagate.extract(dict(headers))
