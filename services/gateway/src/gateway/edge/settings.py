"""What the edge reads. Separate from the service's own settings: rendering a configuration needs no database or key."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.upstreams import Upstreams

YEAR_SECONDS = 31_536_000


def comma_list(text: str) -> tuple[str, ...]:
    """The trimmed, non-empty parts of a comma list."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


class EdgeSettings(BaseSettings):
    """Keys of settings.md that say `Envoy`, and where the services listen."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    debug: bool = False
    public_base_url: str = "http://localhost:8080"
    allowed_hosts: str = "localhost,127.0.0.1"
    cors_allowed_origins: str = ""
    edge_host: str = "127.0.0.1"
    edge_port: int = Field(default=8080, ge=1, le=65535)
    edge_trusted_proxies: str = ""
    """Networks (CIDR) whose X-Forwarded-For is believed; empty: whoever connects is the client."""
    edge_tls_cert_file: Path | None = None
    edge_tls_key_file: Path | None = None
    """PEM files; with both, the edge speaks HTTPS: HTTP/1.1, HTTP/2 and HTTP/3."""
    envoy_admin_host: str = "127.0.0.1"
    envoy_admin_port: int = Field(default=9901, ge=1, le=65535)
    edge_metrics_host: str = "127.0.0.1"
    edge_metrics_port: int = Field(default=0, ge=0, le=65535)
    """Where Prometheus reads Envoy's figures (`GET /metrics`, nothing else); 0: nowhere."""
    upstreams: Upstreams
    csp_script_src: str = ""
    csp_style_src: str = ""
    csp_connect_src: str = ""
    csp_allow_inline_styles: bool = False
    secure_hsts_seconds: int | None = Field(default=None, ge=0)
    """None: a year when DEBUG=0, nothing when DEBUG=1; sent over https only."""
    file_upload_max_bytes: int = Field(default=10_485_760, ge=1, le=4_000_000_000)
    edge_body_max_bytes: int = Field(default=2_097_152, ge=1024, le=4_000_000_000)
    """The cap of every body that is not a file."""
    edge_verdict_cache: bool = True
    """Whether a known caller's reads may pass without asking the gateway each time; limits stay exact either way."""
    edge_access_log: Path = Path("/dev/stdout")
    otel_exporter_otlp_endpoint: str = ""
    otel_traces_sampler: str = "parentbased_always_on"
    otel_traces_sampler_arg: float = Field(default=1.0, ge=0, le=1)

    @model_validator(mode="after")
    def _no_wildcards_in_production(self) -> EdgeSettings:
        if not self.debug:
            for key, value in (("ALLOWED_HOSTS", self.hosts), ("CORS_ALLOWED_ORIGINS", self.cors_origins)):
                if "*" in value:
                    raise ValueError(f"{key}: `*` is not allowed when DEBUG=0; name each one")
        return self

    @model_validator(mode="after")
    def _networks_are_networks(self) -> EdgeSettings:
        for network in comma_list(self.edge_trusted_proxies):
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise ValueError(f"EDGE_TRUSTED_PROXIES: {error}") from None
        return self

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> EdgeSettings:
        pair = {"EDGE_TLS_CERT_FILE": self.edge_tls_cert_file, "EDGE_TLS_KEY_FILE": self.edge_tls_key_file}
        missing = [key for key, file in pair.items() if file is None]
        if len(missing) == 1:
            raise ValueError(f"{missing[0]}: is needed too, for TLS")
        if not missing and not self.https:
            raise ValueError("PUBLIC_BASE_URL: must be https when EDGE_TLS_CERT_FILE is given")
        return self

    @property
    def trusted_proxies(self) -> tuple[tuple[str, int], ...]:
        """Address and prefix length of each trusted network."""
        networks = (ipaddress.ip_network(network) for network in comma_list(self.edge_trusted_proxies))
        return tuple((str(network.network_address), network.prefixlen) for network in networks)

    @property
    def tls(self) -> bool:
        """Whether the edge ends TLS itself."""
        return self.edge_tls_cert_file is not None

    @property
    def trace_ratio(self) -> float:
        """The share of requests whose trace is recorded: the services follow what the edge decides."""
        if not self.otel_exporter_otlp_endpoint or self.otel_traces_sampler.endswith("always_off"):
            return 0.0
        return self.otel_traces_sampler_arg if self.otel_traces_sampler.endswith("traceidratio") else 1.0

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts that are answered; the others get 421."""
        return comma_list(self.allowed_hosts)

    @property
    def cors_origins(self) -> tuple[str, ...]:
        """Other origins whose scripts may read our answers."""
        return comma_list(self.cors_allowed_origins)

    @property
    def https(self) -> bool:
        """Whether the public address is https."""
        return urlsplit(self.public_base_url).scheme == "https"

    @property
    def hsts_seconds(self) -> int:
        """The `max-age` to send; 0 sends no header."""
        if not self.https:
            return 0
        if self.secure_hsts_seconds is None:
            return 0 if self.debug else YEAR_SECONDS
        return self.secure_hsts_seconds

    def upstream(self, service: str) -> tuple[tuple[str, int], ...]:
        """Host and port of each replica of a service."""
        parts = (address.rpartition(":") for address in self.upstreams[service])
        return tuple((host.strip("[]"), int(port)) for host, _, port in parts)
