"""What the account routes take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from common.bodies import RequestBody
from gateway.accounts.passwords import password_problem
from gateway.fields import Email, LoginEmail, Name, Password, Token
from gateway.orgs.schemas import OrgMembership


def _good(password: str, email: str = "") -> str:
    if problem := password_problem(password, email=email):
        raise ValueError(problem)
    return password


class RegisterRequest(RequestBody):
    """A new account."""

    email: Email
    password: Password = Field(description="8 characters at least")
    name: Name

    @field_validator("password")
    @classmethod
    def _password_is_good(cls, password: str, info: ValidationInfo) -> str:
        return _good(password, email=info.data.get("email", ""))


class Registered(BaseModel):
    """The same whether or not the address has an account."""

    status: Literal["verify_email"] = "verify_email"
    verify_token: str | None = Field(default=None, description="In development only")


class TokenRequest(RequestBody):
    """The token of a mailed link."""

    token: Token


class LoginRequest(RequestBody):
    """A sign-in."""

    email: LoginEmail
    password: Password


class ForgotRequest(RequestBody):
    """Whose password is forgotten."""

    email: LoginEmail


class Accepted(BaseModel):
    """It will be done; there is nothing to wait for."""

    status: str


class ResetRequest(RequestBody):
    """A new password, with the token of the mailed link."""

    token: Token
    password: Password

    @field_validator("password")
    @classmethod
    def _password_is_good(cls, password: str) -> str:
        return _good(password)


class UserView(BaseModel):
    """The signed-in person."""

    id: UUID
    email: str
    name: str
    email_verified: bool = True
    created_at: datetime
    second_factor: bool = Field(description="Whether a sign-in with the password needs a passkey as well")
    has_password: bool


class Me(BaseModel):
    """The signed-in person and their orgs, the personal one first."""

    user: UserView
    orgs: list[OrgMembership]


class ProfileChange(RequestBody):
    """What to change of the own profile; what is left out stays."""

    name: Name | None = None
    current_password: Password | None = None
    password: Password | None = Field(default=None, description="Needs current_password; ends the other sessions")
    second_factor: bool | None = Field(default=None, description="Needs a passkey and a fresh sign-in", strict=True)

    @field_validator("password")
    @classmethod
    def _password_is_good(cls, password: str | None, info: ValidationInfo) -> str | None:
        if password is not None and info.data.get("current_password") is None:
            raise ValueError("current_password is needed with it")
        return None if password is None else _good(password)


class SessionView(BaseModel):
    """A browser that is signed in."""

    id: UUID
    current: bool
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    user_agent: str
    address: str
