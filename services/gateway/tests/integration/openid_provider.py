"""A small real OpenID provider, which also has the shapes of GitHub and Facebook. It checks what a real one does: the
client's secret, the redirect address, the PKCE verifier, that a code is used once. Logins are approved at once, by the
person whom the test has put before the screen; faults are switched on by the test."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from devstack import ports

CLIENT_ID = "bidwright-test"
CLIENT_SECRET = "known to both"
HANG_SECONDS = 30


@dataclass
class Person:
    """Who sits before the provider's screen."""

    subject: str
    email: str | None
    verified: bool = True
    name: str = "Grace"


@dataclass
class Grant:
    """What a code stands for."""

    person: Person
    redirect_uri: str
    challenge: str
    nonce: str | None


@dataclass
class OpenIdProvider:
    """The provider's state, which a test may change."""

    issuer: str
    person: Person = field(default_factory=lambda: Person("1", "grace@example.org"))
    denies: bool = False
    fault: str = ""
    """`token_500`, `token_hangs`, `not_json`, `wrong_nonce`, `no_nonce`, `expired`, `forged`, `other_audience`,
    `other_issuer` or `unsigned`."""
    lax: bool = False
    """Whether it lets a code be used again and from another address, so that our own checks are seen to hold."""
    asked: list[dict[str, str]] = field(default_factory=list)
    """The queries of the authorization requests."""
    exchanged: int = 0
    """Codes that were changed for a token."""
    _key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "1", "use": "sig"}))
    _grants: dict[str, Grant] = field(default_factory=dict)
    _tokens: dict[str, Person] = field(default_factory=dict)

    def app(self) -> Starlette:
        """Its endpoints."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.discovery),
                Route("/jwks", self.jwks),
                Route("/userinfo", self.userinfo),
                *(Route(path, self.authorize) for path in ("/authorize", "/login/oauth/authorize")),
                Route("/{version}/dialog/oauth", self.authorize),
                *(Route(path, self.token, methods=["POST"]) for path in ("/token", "/login/oauth/access_token")),
                Route("/{version}/oauth/access_token", self.token, methods=["POST"]),
                Route("/api/v3/user", self.github_user),
                Route("/api/v3/user/emails", self.github_emails),
                Route("/{version}/me", self.facebook_me),
            ]
        )

    async def discovery(self, request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def jwks(self, request: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        query = dict(request.query_params)
        self.asked.append(query)
        if query.get("client_id") != CLIENT_ID or query.get("code_challenge_method") != "S256":
            return JSONResponse({"error": "invalid_request"}, 400)
        answer = {"state": query["state"]}
        if self.denies:
            answer["error"] = "access_denied"
        else:
            answer["code"] = secrets.token_urlsafe()
            self._grants[answer["code"]] = Grant(
                self.person, query["redirect_uri"], query["code_challenge"], query.get("nonce")
            )
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode(answer)}", 302)

    async def token(self, request: Request) -> Response:
        if self.fault == "token_500":
            return Response("oh no", 500)
        if self.fault == "token_hangs":
            await asyncio.sleep(HANG_SECONDS)
        if self.fault == "not_json":
            return Response("<html>", 200)
        form = await request.form()
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return JSONResponse({"error": "invalid_client"}, 401)
        code = str(form.get("code"))
        grant = self._grants.get(code) if self.lax else self._grants.pop(code, None)
        digest = hashlib.sha256(str(form.get("code_verifier")).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        from_elsewhere = grant is None or (form.get("redirect_uri") != grant.redirect_uri and not self.lax)
        if grant is None or challenge != grant.challenge or from_elsewhere:
            return JSONResponse({"error": "invalid_grant"}, 400)
        self.exchanged += 1
        access = secrets.token_urlsafe()
        self._tokens[access] = grant.person
        body = {"access_token": access, "token_type": "Bearer", "expires_in": 300}
        if grant.nonce is not None:
            body["id_token"] = self._id_token(grant)
        return JSONResponse(body)

    def _id_token(self, grant: Grant) -> str:
        now = int(time.time())
        person = grant.person
        claims: dict[str, Any] = {
            "iss": "https://another.example" if self.fault == "other_issuer" else self.issuer,
            "aud": "another" if self.fault == "other_audience" else CLIENT_ID,
            "sub": person.subject,
            "iat": now - 7200 if self.fault == "expired" else now,
            "exp": now - 3600 if self.fault == "expired" else now + 300,
            "nonce": "another" if self.fault == "wrong_nonce" else grant.nonce,
            "email": person.email,
            "email_verified": person.verified,
            "name": person.name,
        }
        if self.fault == "no_nonce":
            del claims["nonce"]
        key = ECKey.generate_key("P-256") if self.fault == "forged" else self._key
        signed = jwt.encode({"alg": "ES256", "kid": "1"}, claims, key)
        if self.fault == "unsigned":
            head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
            return f"{head}.{signed.split('.')[1]}."
        return signed

    def _bearer(self, request: Request) -> Person | None:
        return self._tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))

    async def userinfo(self, request: Request) -> Response:
        person = self._bearer(request)
        return JSONResponse({"sub": person.subject, "email": person.email}) if person else Response(status_code=401)

    async def github_user(self, request: Request) -> Response:
        person = self._bearer(request)
        return (
            JSONResponse({"id": int(person.subject), "login": "grace", "name": None})
            if person
            else Response(status_code=401)
        )

    async def github_emails(self, request: Request) -> Response:
        person = self._bearer(request)
        if person is None:
            return Response(status_code=401)
        other = {"email": "other@example.org", "primary": False, "verified": True}
        return JSONResponse([other, {"email": person.email, "primary": True, "verified": person.verified}])

    async def facebook_me(self, request: Request) -> Response:
        person = self._bearer(request)
        if person is None or request.query_params.get("fields") != "id,name,email":
            return JSONResponse({"error": {"message": "no"}}, 400)
        return JSONResponse(
            {"id": person.subject, "name": person.name} | ({"email": person.email} if person.email else {})
        )


@contextmanager
def running_provider() -> Iterator[OpenIdProvider]:
    """A provider on a port of its own."""
    port = ports.free_port()
    provider = OpenIdProvider(f"http://127.0.0.1:{port}")
    config = uvicorn.Config(provider.app(), host="127.0.0.1", port=port, log_level="warning", lifespan="off")
    config.timeout_graceful_shutdown = 1
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)  # uvicorn sets a flag and no event
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join(5)
