"""TLS at the edge: HTTP/1.1 and HTTP/2 over TCP, HTTP/3 over UDP on the same port, one certificate that may be replaced
while Envoy runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from gateway.edge.settings import EdgeSettings

CERTIFICATE_NAME: Final = "edge"
CERTIFICATE_FILE: Final = "edge-certificate.json"
ALT_SVC_SECONDS: Final = 86_400
HTTPS_PORT: Final = 443
SYSTEM_CA_FILE: Final = "/etc/ssl/certs/ca-certificates.crt"

_TRANSPORT: Final = "type.googleapis.com/envoy.extensions.transport_sockets"


def check(settings: EdgeSettings) -> None:
    """Raises ValueError, with the key in front, when the certificate or its key is missing, broken or out of date."""
    certificate_file, key_file = settings.edge_tls_cert_file, settings.edge_tls_key_file
    if certificate_file is None or key_file is None:
        return
    if certificate_file.absolute().parent != key_file.absolute().parent:
        raise ValueError(
            "EDGE_TLS_KEY_FILE: must lie in the folder of EDGE_TLS_CERT_FILE, which is watched for new ones"
        )
    try:
        certificate = x509.load_pem_x509_certificates(_read("EDGE_TLS_CERT_FILE", certificate_file))[0]
    except ValueError as error:
        raise ValueError(f"EDGE_TLS_CERT_FILE: {_reason(error, 'is not a certificate in PEM')}") from None
    try:
        key = load_pem_private_key(_read("EDGE_TLS_KEY_FILE", key_file), password=None)
    except (ValueError, TypeError) as error:
        raise ValueError(f"EDGE_TLS_KEY_FILE: {_reason(error, 'is not a private key in PEM')}") from None
    theirs, ours = (
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for public in (certificate.public_key(), key.public_key())
    )
    if theirs != ours:
        raise ValueError("EDGE_TLS_KEY_FILE: is not the key of the certificate in EDGE_TLS_CERT_FILE")
    if certificate.not_valid_after_utc <= datetime.now(UTC):
        raise ValueError(f"EDGE_TLS_CERT_FILE: expired on {certificate.not_valid_after_utc:%Y-%m-%d}")


def secret(settings: EdgeSettings) -> dict[str, Any]:
    """The document that Envoy reads the certificate by; a change in the certificate's folder has it read again."""
    chain, key = (Path(str(file)).absolute() for file in (settings.edge_tls_cert_file, settings.edge_tls_key_file))
    certificate = {
        "certificate_chain": {"filename": str(chain)},
        "private_key": {"filename": str(key)},
        "watched_directory": {"path": str(chain.parent)},
    }
    return {
        "resources": [
            {
                "@type": f"{_TRANSPORT}.tls.v3.Secret",
                "name": CERTIFICATE_NAME,
                "tls_certificate": certificate,
            }
        ]
    }


def tcp_socket(secrets: Path) -> dict[str, Any]:
    """The transport of the TCP listener."""
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {"@type": f"{_TRANSPORT}.tls.v3.DownstreamTlsContext"} | _context(secrets, "h2", "http/1.1"),
    }


def quic_socket(secrets: Path) -> dict[str, Any]:
    """The transport of the UDP listener."""
    return {
        "name": "envoy.transport_sockets.quic",
        "typed_config": {
            "@type": f"{_TRANSPORT}.quic.v3.QuicDownstreamTransport",
            "downstream_tls_context": _context(secrets, "h3"),
        },
    }


def client_socket(host: str) -> dict[str, Any]:
    """The transport to a server of others, whose certificate must be one that the machine trusts."""
    trusted = {"trusted_ca": {"filename": SYSTEM_CA_FILE}}
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{_TRANSPORT}.tls.v3.UpstreamTlsContext",
            "sni": host,
            "auto_sni_san_validation": True,
            "common_tls_context": {"validation_context": trusted},
        },
    }


def alt_svc(settings: EdgeSettings) -> str:
    """What tells a browser that HTTP/3 is there, on the port that it knows."""
    port = urlsplit(settings.public_base_url).port or HTTPS_PORT
    return f'h3=":{port}"; ma={ALT_SVC_SECONDS}'


def _context(secrets: Path, *protocols: str) -> dict[str, Any]:
    return {
        "common_tls_context": {
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
            "alpn_protocols": list(protocols),
            "tls_certificate_sds_secret_configs": [
                {
                    "name": CERTIFICATE_NAME,
                    "sds_config": {"path_config_source": {"path": str(secrets)}, "resource_api_version": "V3"},
                }
            ],
        }
    }


def _read(key: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read: {(error.strerror or str(error)).lower()} ({file})") from None


def _reason(error: Exception, otherwise: str) -> str:
    text = str(error)
    return text if text.startswith("cannot be read") else otherwise
