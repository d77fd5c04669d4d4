"""What the manifests say, as plain data: rendered by kustomize, found by kind and name, and as each process sees it."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
OVERLAYS = ("dev", "staging", "production")
NEEDS_OPERATORS = OVERLAYS[1:]
WORKLOADS = ("Deployment", "StatefulSet", "Job")
KUBERNETES = "1.34"
"""The oldest version that is supported."""

Object = dict[str, Any]


def kubectl() -> str | None:
    """The wheel's, else the one on PATH, else None."""
    return next(
        filter(None, (shutil.which("kubectl", path=str(Path(sys.executable).parent)), shutil.which("kubectl"))), None
    )


@functools.cache
def render(overlay: str) -> tuple[Object, ...]:
    """Every object of an overlay."""
    return render_folder(ROOT / "k8s" / "overlays" / overlay)


def render_folder(folder: Path) -> tuple[Object, ...]:
    """Every object of a kustomization, wherever it lies."""
    argv = [str(kubectl()), "kustomize", str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "deprecated" not in done.stderr.lower(), done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def of_kind(overlay: str, *kinds: str) -> list[Object]:
    """The objects of some kinds."""
    return [found for found in render(overlay) if found["kind"] in kinds]


def get(overlay: str, kind: str, name: str) -> Object:
    """One object."""
    return next(found for found in of_kind(overlay, kind) if found["metadata"]["name"] == name)


def pod_of(workload: Object) -> Object:
    """The pod's spec."""
    spec: Object = workload["spec"]["template"]["spec"]
    return spec


def containers(workload: Object) -> list[Object]:
    """A pod's containers, those that run first included."""
    spec = pod_of(workload)
    return [*spec.get("initContainers", []), *spec["containers"]]


def settings_map(overlay: str) -> dict[str, str]:
    """The ConfigMap that every process of ours gets."""
    found = next(one for one in of_kind(overlay, "ConfigMap") if one["metadata"]["name"].startswith("settings-"))
    data: dict[str, str] = found["data"]
    return data


def environment(overlay: str, container: Object) -> dict[str, str]:
    """What a container of ours finds in its environment, other than from Secrets."""
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        if "configMapRef" in source:
            assert source["configMapRef"]["name"].startswith("settings-")
            found |= settings_map(overlay)
    return found | {one["name"]: one.get("value", "") for one in container.get("env", [])}


def secret_of(workload: Object) -> str | None:
    """The Secret that is mounted where SECRETS_DIR says."""
    return next(
        (one["secret"]["secretName"] for one in pod_of(workload).get("volumes", []) if one["name"] == "secrets"), None
    )


def processes(overlay: str) -> Iterator[tuple[str, str, Object]]:
    """Service, api or worker, and its Deployment."""
    for found in of_kind(overlay, "Deployment"):
        service, _, kind = found["metadata"]["name"].partition("-")
        if kind in ("api", "worker"):
            yield service, kind, found
