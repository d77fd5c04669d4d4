"""A collector for tests: a real server for OTLP/HTTP that keeps the spans that it is sent."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Wire


@dataclass(frozen=True)
class Span:
    """A span as the collector was told of it."""

    process: str
    """Its resource's `service.name`."""
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, str] = field(hash=False)


@dataclass
class Collector:
    """What has arrived so far."""

    url: str
    spans: list[Span] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        """Keeps the spans of an export."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            name = next(one.value.string_value for one in resource.resource.attributes if one.key == "service.name")
            for scope in resource.scope_spans:
                self.spans.extend(
                    Span(
                        name,
                        span.name,
                        Wire.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
                        span.trace_id.hex(),
                        span.span_id.hex(),
                        span.parent_span_id.hex(),
                        {one.key: str(one.value) for one in span.attributes},
                    )
                    for span in scope.spans
                )

    def edges(self) -> set[tuple[str, str]]:
        """Which process' spans have children in which other one."""
        by_id = {(span.trace_id, span.span_id): span for span in self.spans}
        parents = ((by_id.get((span.trace_id, span.parent_id)), span) for span in self.spans)
        return {(parent.process, span.process) for parent, span in parents if parent and parent.process != span.process}


@contextmanager
def collector() -> Iterator[Collector]:
    """Listens on a port of its own until the end."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self._body()
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if self.path == "/v1/traces" and self.headers["Content-Type"] == "application/x-protobuf":
                found.take(body)
                code, answer = 200, ExportTraceServiceResponse().SerializeToString()
            else:
                found.refused.append(f"{self.path} {self.headers['Content-Type']}")
                code, answer = 404, b""
            self.send_response(code)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":  # as Envoy sends
                return self.rfile.read(int(self.headers["Content-Length"]))
            whole = b""
            while size := int(self.rfile.readline(), 16):
                whole += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return whole

        def log_message(self, *_words: object) -> None:
            """The requests are the test's own."""

    Handler.protocol_version = "HTTP/1.1"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Collector(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
