"""The adapter to Google, GitHub and Facebook: the way there, and who came back. Their errors are
translated by `refusals`."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import httpx2
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet
from pydantic import BaseModel, TypeAdapter

from gateway.oauth.domain import Claim, Journey, primary_email, verified_email
from gateway.oauth.refusals import translated

DISCOVERY_SECONDS: Final = 3600
CLOCK_LEEWAY_SECONDS: Final = 60
ID_TOKEN_ALGORITHMS: Final = ("RS256", "ES256", "PS256", "EdDSA")
VERIFIER_LENGTH: Final = 64
GRAPH_VERSION: Final = "v23.0"
GITHUB: Final = "https://github.com"
FACEBOOK: Final = "https://www.facebook.com"
MAX_SUBJECT: Final = 255


class Discovery(BaseModel):
    """What is read of an OpenID provider's discovery document."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class GitHubUser(BaseModel):
    """What is read of GitHub's /user."""

    id: int
    login: str
    name: str | None = None


class FacebookUser(BaseModel):
    """What is read of Facebook's /me."""

    id: str
    name: str = ""
    email: str | None = None


GITHUB_ADDRESSES: Final = TypeAdapter(list[dict[str, Any]])


@dataclass(frozen=True, slots=True)
class Registration:
    """What we are at the provider, and where it is."""

    client_id: str
    client_secret: str
    issuer: str
    redirect_uri: str
    timeout: float


class Provider(ABC):
    """One provider. Both calls raise ProviderUnavailable, and are over within the time-out."""

    name: ClassVar[str]
    scope: ClassVar[str]
    auth_method: ClassVar[str] = "client_secret_post"

    def __init__(self, registration: Registration) -> None:
        self._our = registration
        self._issuer = registration.issuer.rstrip("/")

    async def address(self, journey: Journey) -> str:
        """Where to send the browser."""
        with translated(self.name):
            async with asyncio.timeout(self._our.timeout), self._client() as client:
                endpoint = await self._authorize_endpoint(client)
                address, _ = client.create_authorization_url(
                    endpoint, state=journey.state, code_verifier=journey.verifier, **self._extra(journey)
                )
        return str(address)

    async def identify(self, code: str, *, verifier: str, nonce: str) -> Claim:
        """Who came back with this code. Raises InvalidOAuthState when the code or what it gives cannot be trusted."""
        with translated(self.name):
            async with asyncio.timeout(self._our.timeout), self._client() as client:
                client.register_compliance_hook("access_token_response", _no_server_error)
                token = await client.fetch_token(
                    await self._token_endpoint(client),
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                    redirect_uri=self._our.redirect_uri,
                    headers={"Accept": "application/json"},
                )
                claim = await self._claim(client, token, nonce)
                if not 0 < len(claim.subject) <= MAX_SUBJECT or not claim.subject.isprintable():
                    raise ValueError("subject")
        return claim

    def _client(self) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            client_id=self._our.client_id,
            client_secret=self._our.client_secret,
            token_endpoint_auth_method=self.auth_method,
            scope=self.scope,
            redirect_uri=self._our.redirect_uri,
            code_challenge_method="S256",
            timeout=self._our.timeout,
        )

    def _extra(self, journey: Journey) -> dict[str, str]:
        return {}

    @abstractmethod
    async def _authorize_endpoint(self, client: AsyncOAuth2Client) -> str: ...

    @abstractmethod
    async def _token_endpoint(self, client: AsyncOAuth2Client) -> str: ...

    @abstractmethod
    async def _claim(self, client: AsyncOAuth2Client, token: Mapping[str, Any], nonce: str) -> Claim: ...


class Google(Provider):
    """OpenID Connect: the endpoints from the discovery document, who it is from the signed id_token."""

    name = "google"
    scope = "openid email profile"

    def __init__(self, registration: Registration) -> None:
        super().__init__(registration)
        self._found: Discovery | None = None
        self._found_until = 0.0

    def _extra(self, journey: Journey) -> dict[str, str]:
        return {"nonce": journey.nonce}

    async def _authorize_endpoint(self, client: AsyncOAuth2Client) -> str:
        return (await self._discover(client)).authorization_endpoint

    async def _token_endpoint(self, client: AsyncOAuth2Client) -> str:
        return (await self._discover(client)).token_endpoint

    async def _claim(self, client: AsyncOAuth2Client, token: Mapping[str, Any], nonce: str) -> Claim:
        document = await self._discover(client)
        # Read each time: a key that the provider has just begun to use is among them.
        keys = KeySet.import_key_set(await _json(client, document.jwks_uri, withhold_token=True))
        decoded = jwt.decode(str(token["id_token"]), keys, algorithms=ID_TOKEN_ALGORITHMS)
        expected = {
            "iss": {"essential": True, "value": document.issuer},
            "aud": {"essential": True, "value": self._our.client_id},
        }
        params = {"nonce": nonce, "client_id": self._our.client_id, "access_token": token.get("access_token")}
        claims = CodeIDToken(decoded.claims, decoded.header, expected, params)
        claims.validate(now=int(time.time()), leeway=CLOCK_LEEWAY_SECONDS)
        email = verified_email(claims.get("email"), verified=claims.get("email_verified") in (True, "true"))
        return Claim(str(claims["sub"]), email, str(claims.get("name") or ""))

    async def _discover(self, client: AsyncOAuth2Client) -> Discovery:
        found = self._found
        if found is None or time.monotonic() >= self._found_until:
            address = f"{self._issuer}/.well-known/openid-configuration"
            found = Discovery.model_validate(await _json(client, address, withhold_token=True))
            if found.issuer.rstrip("/") != self._issuer:
                raise ValueError("issuer")
            self._found, self._found_until = found, time.monotonic() + DISCOVERY_SECONDS
        return found


class GitHub(Provider):
    """OAuth 2.0; who it is from the API. An issuer of one's own has it under /api/v3, as GitHub Enterprise does."""

    name = "github"
    scope = "read:user user:email"

    async def _authorize_endpoint(self, client: AsyncOAuth2Client) -> str:
        return f"{self._issuer}/login/oauth/authorize"

    async def _token_endpoint(self, client: AsyncOAuth2Client) -> str:
        return f"{self._issuer}/login/oauth/access_token"

    async def _claim(self, client: AsyncOAuth2Client, token: Mapping[str, Any], nonce: str) -> Claim:
        api = "https://api.github.com" if self._issuer == GITHUB else f"{self._issuer}/api/v3"
        user = GitHubUser.model_validate(await _json(client, f"{api}/user"))
        addresses = GITHUB_ADDRESSES.validate_python(await _json(client, f"{api}/user/emails"))
        return Claim(str(user.id), primary_email(addresses), user.name or user.login)


class Facebook(Provider):
    """OAuth 2.0; who it is from the Graph API, which names an address only when Facebook has confirmed it."""

    name = "facebook"
    scope = "public_profile email"

    async def _authorize_endpoint(self, client: AsyncOAuth2Client) -> str:
        return f"{self._issuer}/{GRAPH_VERSION}/dialog/oauth"

    async def _token_endpoint(self, client: AsyncOAuth2Client) -> str:
        return f"{self._graph}/oauth/access_token"

    async def _claim(self, client: AsyncOAuth2Client, token: Mapping[str, Any], nonce: str) -> Claim:
        me = FacebookUser.model_validate(await _json(client, f"{self._graph}/me", params={"fields": "id,name,email"}))
        return Claim(me.id, verified_email(me.email, verified=True), me.name)

    @property
    def _graph(self) -> str:
        return f"{'https://graph.facebook.com' if self._issuer == FACEBOOK else self._issuer}/{GRAPH_VERSION}"


async def _json(client: AsyncOAuth2Client, address: str, **kwargs: Any) -> Any:
    answer = await client.request("GET", address, headers={"Accept": "application/json"}, **kwargs)
    if not answer.is_success:
        answer.raise_for_status()
        raise ValueError("redirect")
    return answer.json()


def _no_server_error(answer: httpx2.Response) -> httpx2.Response:
    return answer.raise_for_status() if answer.is_server_error else answer


def new_journey(state: str, nonce: str) -> Journey:
    """A way to a provider, with a PKCE verifier of its own."""
    return Journey(state=state, verifier=generate_token(VERIFIER_LENGTH), nonce=nonce)
