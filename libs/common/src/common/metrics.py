"""The names of the signals that every process has. `observability/schema` says what each means; a test compares.

Labels take few values: the template of a route and never its path, a code of ours and never a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Protocol
from weakref import WeakSet

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from common.plumbing import Job

OTHER: Final = "_OTHER"
"""What the semantic conventions call a method that is none of HTTP's."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LONG_SECONDS: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)

HTTP_SECONDS = Histogram(
    "http_server_request_duration_seconds",
    "Seconds from a request to the last byte of its answer",
    ["service", "http_request_method", "http_route", "http_response_status_code"],
    buckets=_SECONDS,
)
HTTP_ACTIVE = Gauge("http_server_active_requests", "Requests that are being answered, open streams too", ["service"])
REFUSALS = Counter("bidwright_refusals", "Refusals by their stable code", ["service", "error", "reason"])
DEPENDENCY_UP = Gauge(
    "bidwright_dependency_up", "1 while what the process needs answers, asked at each scrape", ["service", "dependency"]
)
JOBS_ENDED = Counter("bidwright_jobs_ended", "Jobs that ended", ["service", "kind", "status", "error"])
JOB_SECONDS = Histogram(
    "bidwright_job_seconds", "Seconds from asking for a job to its end", ["service", "kind"], buckets=_LONG_SECONDS
)
EVENT_SECONDS = Histogram(
    "bidwright_event_seconds",
    "Seconds from a fact, as its event dates it, to its effect in another service",
    ["service", "type"],
    buckets=_SECONDS,
)


def method_label(method: str) -> str:
    """The method, or `_OTHER`: a client may call its method anything."""
    return method if method in _METHODS else OTHER


def job_ended(service: str, job: Job) -> None:
    """Counts a job that has ended. Its error is one of the codes that the code raises, so there are few."""
    JOBS_ENDED.labels(service, job.kind, job.status, job.error_code or "").inc()
    if job.finished_at is not None:
        JOB_SECONDS.labels(service, job.kind).observe(max(0.0, (job.finished_at - job.created_at).total_seconds()))


class Pool(Protocol):
    """A pool of connections that can be counted."""

    @property
    def service(self) -> str:
        """Whose it is."""

    def connections(self) -> Iterable[tuple[str, int, int]]:
        """For each pool its name, its connections in use, and how many there may be."""


class PoolCollector(Collector):
    """Counts the connections of the process's pools when it is asked, and not before."""

    def __init__(self) -> None:
        self._pools: WeakSet[Pool] = WeakSet()

    def watch(self, pool: Pool) -> None:
        """Counts this one too, for as long as it lives."""
        self._pools.add(pool)

    def collect(self) -> Iterator[Metric]:
        """The families, for Prometheus."""
        labels = ["service", "db_client_connection_pool_name"]
        used = GaugeMetricFamily("db_client_connection_count", "Connections in use", labels=labels)
        most = GaugeMetricFamily("db_client_connection_max", "Connections that there may be", labels=labels)
        counted: dict[tuple[str, str], tuple[int, int]] = {}
        for pool in list(self._pools):
            for name, busy, limit in pool.connections():
                before = counted.get((pool.service, name), (0, 0))
                counted[pool.service, name] = before[0] + busy, before[1] + limit
        for key, (busy, limit) in counted.items():
            used.add_metric(key, busy)
            most.add_metric(key, limit)
        yield from (used, most)


POOLS: Final = PoolCollector()
REGISTRY.register(POOLS)
