"""What goes wrong at a provider, and what we say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import httpx2
from authlib.integrations.base_client import OAuthError
from joserfc.errors import JoseError

from common.errors import BidwrightError
from common.telemetry import get_logger
from gateway import telemetry
from gateway.errors import InvalidOAuthState, OAuthDenied, ProviderUnavailable

log = get_logger()

REFUSALS: Final[tuple[tuple[type[Exception], type[BidwrightError]], ...]] = (
    (JoseError, InvalidOAuthState),
    (httpx2.HTTPError, ProviderUnavailable),
    (httpx2.InvalidURL, ProviderUnavailable),
    (TimeoutError, ProviderUnavailable),
    # An answer that is not of the shape that the protocol gives it, as we or Authlib find.
    (ValueError, ProviderUnavailable),
    (LookupError, ProviderUnavailable),
    (TypeError, ProviderUnavailable),
)
"""What goes wrong at the provider, and what we say of it. The first that fits."""

PROTOCOL_ERRORS: Final[Mapping[str, type[BidwrightError]]] = {
    "access_denied": OAuthDenied,
    "user_denied": OAuthDenied,
    "consent_required": OAuthDenied,
    "interaction_required": OAuthDenied,
    "login_required": OAuthDenied,
    "invalid_grant": InvalidOAuthState,
    "bad_verification_code": InvalidOAuthState,
}
"""Error codes of the protocol; any other is the provider's fault, or that of our registration with it."""


def refusal_of(code: str) -> BidwrightError:
    """The refusal for an error code that the provider gave."""
    return PROTOCOL_ERRORS.get(code, ProviderUnavailable)()


@contextmanager
def translated(provider: str) -> Iterator[None]:
    try:
        yield
    except BidwrightError:
        raise
    except OAuthError as error:
        log.warning(telemetry.PROVIDER_FAILED, provider=provider, error=str(error.error))
        raise refusal_of(str(error.error)) from error
    except tuple(foreign for foreign, _ in REFUSALS) as error:
        log.warning(telemetry.PROVIDER_FAILED, provider=provider, error=type(error).__name__)
        raise next(ours for foreign, ours in REFUSALS if isinstance(error, foreign))() from error
