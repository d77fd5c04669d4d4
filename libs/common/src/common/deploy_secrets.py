"""`python -m common.deploy_secrets FOLDER`: makes every secret of an installation, a folder of files for each workload.

A file is called like the key that it is the value of; compose and Kubernetes mount a workload's folder where its
SECRETS_DIR says. The folder also keeps `kept.json`, what everything is made from: run again, nothing changes but what
is missing, and files of secrets from outside (Stripe, mail, sign-in providers), which start out empty, are left alone.

With `--kubernetes` the same come out as Secrets, for `kubectl apply -f -`.
"""

from __future__ import annotations

import argparse
import base64
import json
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contracts import SERVICES

KEPT: Final = "kept.json"
FROM_OUTSIDE: Final[Mapping[str, tuple[str, ...]]] = {
    "gateway": (
        "JWT_SIGNING_KEY_PREVIOUS",
        "EMAIL_HOST_PASSWORD",
        "GOOGLE_CLIENT_SECRET",
        "GITHUB_CLIENT_SECRET",
        "FACEBOOK_APP_SECRET",
    ),
    "billing": ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"),
    "ai": ("OPENAI_API_KEY", "GEMINI_API_KEY", "ANTHROPIC_API_KEY"),
}
"""By service: secrets that this installation may be given; an empty file stands for none."""

Workloads = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Addresses:
    """host:port of the servers, as the services see them."""

    postgres: str = "postgres:5432"
    nats: str = "nats:4222"
    valkey: str = "valkey:6379"
    database: str = "bidwright"


def logins() -> list[str]:
    """Everybody who has a password: database roles, NATS users, and the servers' administrators."""
    roles = [f"{service}_{kind}" for service in SERVICES for kind in ("owner", "app", "worker")]
    return [*roles, "backup", *SERVICES, "admin", "postgres", "valkey"]


def complete(found: Mapping[str, Any]) -> dict[str, Any]:
    """What was kept, with what is missing made. Passwords are hexadecimal: they need no quoting in an address."""
    passwords = {name: secrets.token_hex(24) for name in logins()} | dict(found.get("passwords", {}))
    made = {"SECRET_KEY": secrets.token_urlsafe(48), "JWT_SIGNING_KEY": _signing_key()}
    return {**made, **found, "passwords": passwords}


def _signing_key() -> str:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return key.decode()


def workloads(kept: Mapping[str, Any], at: Addresses) -> Workloads:
    """By workload: its secrets. Each has what it needs, and no other's."""
    passwords: Mapping[str, str] = kept["passwords"]

    def database(login: str, name: str = at.database) -> str:
        return f"postgresql://{login}:{passwords[login]}@{at.postgres}/{name}"

    def bus(user: str) -> str:
        return f"nats://{user}:{passwords[user]}@{at.nats}"

    found: Workloads = {}
    for service in SERVICES:
        for kind in ("app", "worker"):
            found[f"{service}-{kind}"] = {
                "SECRET_KEY": kept["SECRET_KEY"],
                "DATABASE_URL": database(f"{service}_{kind}"),
                "NATS_URL": bus(service),
                **_own(service, kept, at),
            }
        found[f"{service}-migrate"] = {"MIGRATION_DATABASE_URL": database(f"{service}_owner")}
    users = {name: passwords[name] for name in (*SERVICES, "admin")}
    return found | {
        "provision": {
            "PROVISION_POSTGRES_URL": database("postgres", "postgres"),
            "PROVISION_NATS_URL": bus("admin"),
            "PROVISION_PASSWORDS": json.dumps(dict(passwords)),
        },
        "nats": {"PROVISION_PASSWORDS": json.dumps(users)},
        "postgres": {"username": "postgres", "password": passwords["postgres"]},
        "valkey": {"password.conf": f"requirepass {passwords['valkey']}\n"},
        "backup": {"BACKUP_DATABASE_URL": database("backup")},
    }


def _own(service: str, kept: Mapping[str, Any], at: Addresses) -> dict[str, str]:
    own = dict.fromkeys(FROM_OUTSIDE.get(service, ()), "")
    if service == "gateway":
        own["REDIS_URL"] = f"redis://:{kept['passwords']['valkey']}@{at.valkey}/0"
        own["JWT_SIGNING_KEY"] = kept["JWT_SIGNING_KEY"]
    return own


def write(folder: Path, at: Addresses) -> Workloads:
    """Fills the folder, which only its owner may enter, and returns what is in it.

    The files themselves may be read by all: a container's user is not the folder's owner.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    keep = folder / KEPT
    kept = complete(json.loads(keep.read_text(encoding="utf-8")) if keep.exists() else {})
    _replace(keep, json.dumps(kept, indent=1) + "\n", mode=0o600)
    made = workloads(kept, at)
    outside = {key for keys in FROM_OUTSIDE.values() for key in keys}
    for workload, values in made.items():
        (folder / workload).mkdir(mode=0o755, exist_ok=True)
        for key, value in values.items():
            file = folder / workload / key
            if key in outside and file.exists():
                values[key] = file.read_text(encoding="utf-8")
            else:
                _replace(file, value, mode=0o444)
    return made


def _replace(file: Path, text: str, *, mode: int) -> None:
    scratch = file.with_name(f".{file.name}.new")
    scratch.unlink(missing_ok=True)
    scratch.touch(mode=0o600)
    scratch.write_text(text, encoding="utf-8")
    scratch.chmod(mode)
    scratch.replace(file)


def manifests(made: Workloads, namespace: str) -> dict[str, Any]:
    """The same as Kubernetes' Secrets, `bidwright-<workload>`."""
    items = [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"bidwright-{workload}", "namespace": namespace},
            "type": "kubernetes.io/basic-auth" if workload == "postgres" else "Opaque",
            "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
        }
        for workload, values in made.items()
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def main(argv: list[str]) -> int:
    """Fills a folder; prints nothing but what `--kubernetes` asks for."""
    known = Addresses()
    parser = argparse.ArgumentParser(prog="python -m common.deploy_secrets", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--postgres", default=known.postgres, metavar="HOST:PORT")
    parser.add_argument("--nats", default=known.nats, metavar="HOST:PORT")
    parser.add_argument("--valkey", default=known.valkey, metavar="HOST:PORT")
    parser.add_argument("--database", default=known.database)
    parser.add_argument("--kubernetes", metavar="NAMESPACE", help="print Secrets for this namespace as well")
    asked = parser.parse_args(argv)
    try:
        made = write(asked.folder, Addresses(asked.postgres, asked.nats, asked.valkey, asked.database))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"deploy_secrets: {asked.folder}: {error}\n")
        return 1
    if asked.kubernetes:
        sys.stdout.write(json.dumps(manifests(made, asked.kubernetes), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
