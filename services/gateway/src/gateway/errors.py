"""The gateway's own refusals.

InvalidRequest
  +  InvalidOrgId            400  invalid_org_id
  +  InvalidToken            400  invalid_token
  +  InvalidPasskey          400  invalid_passkey
  +  InvalidOAuthState       400  invalid_oauth_state
Forbidden
  +  OrgForbidden            403  org_forbidden
  +  OriginForbidden         403  origin_forbidden
  +  EmailUnverified         403  email_unverified
  +  OAuthDenied             403  oauth_denied
  +  FreshSignInRequired     403  fresh_sign_in_required
  +  SecondFactorRequired    403  second_factor_required
  +  InviteForbidden         403  invite_forbidden
Unauthenticated
  +  WrongCredentials        401  unauthenticated
  +  WrongPasskey            401  unauthenticated
Conflict
  +  AlreadyMember           409  already_member
  +  LastOwner               409  conflict
RateLimited
  +  LoginThrottled          429  login_throttled
Gone                         410  gone
Unavailable
  +  ProviderUnavailable     503  provider_unavailable
"""

from __future__ import annotations

from common.errors import Conflict, Forbidden, InvalidRequest, RateLimited, Unauthenticated, Unavailable


class InvalidOrgId(InvalidRequest):
    """X-Org-ID is not an organisation's id."""

    error = "invalid_org_id"


class InvalidToken(InvalidRequest):
    """This link is not valid any more; ask for a new one."""

    error = "invalid_token"


class InvalidPasskey(InvalidRequest):
    """This passkey could not be verified; start again."""

    error = "invalid_passkey"


class InvalidOAuthState(InvalidRequest):
    """This sign-in took too long, was used before, or was begun in another browser; start again."""

    error = "invalid_oauth_state"


class OrgForbidden(Forbidden):
    """You are not a member of this organisation, or there is none with this id."""

    error = "org_forbidden"


class OriginForbidden(Forbidden):
    """A change with a session cookie must come from our own pages."""

    error = "origin_forbidden"


class EmailUnverified(Forbidden):
    """Follow the link in the mail that we sent you, then sign in."""

    error = "email_unverified"


class OAuthDenied(Forbidden):
    """You did not allow the sign-in; try again, or another way."""

    error = "oauth_denied"


class FreshSignInRequired(Forbidden):
    """Sign in again first: this changes how you sign in."""

    error = "fresh_sign_in_required"


class SecondFactorRequired(Forbidden):
    """The password is right; confirm with one of your passkeys."""

    error = "second_factor_required"


class InviteForbidden(OrgForbidden):
    """This invite is for another e-mail address; sign in with that one."""


class WrongCredentials(Unauthenticated):
    """E-mail address or password are wrong."""


class WrongPasskey(Unauthenticated):
    """This passkey does not sign you in; try again, or another way."""


class AlreadyMember(Conflict):
    """This person is a member already."""

    error = "already_member"


class OwnerNeeded(Conflict):
    """An organisation needs an owner; transfer it first."""


class PersonalOrg(Conflict):
    """Your personal organisation is yours alone; make a new one for a team."""


class LoginThrottled(RateLimited):
    """Too many wrong passwords; wait a minute."""

    error = "login_throttled"


class InviteSpent(Conflict):
    """This invite was used, withdrawn or is too old; ask for a new one."""


class ProviderUnavailable(Unavailable):
    """The provider does not answer as it should; try again, or sign in another way."""

    error = "provider_unavailable"
