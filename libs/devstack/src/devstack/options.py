"""KEY=VALUE settings from the command line and from a file: parsed, and checked against the names that exist.

A misspelt key would otherwise be ignored in silence, which is the worst answer to a wrong setting. What a value must
look like is each service's own knowledge: it refuses a bad one at start, with one line that names the key.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

from devstack import parts
from devstack.errors import UsageError

_TIERS = ("FREE", "PRO", "ENTERPRISE")
_LISTED = """
SECRET_KEY JWT_SIGNING_KEY JWT_SIGNING_KEY_PREVIOUS DEBUG ALLOWED_HOSTS PUBLIC_BASE_URL APP_HOSTS
CORS_ALLOWED_ORIGINS DATABASE_URL MIGRATION_DATABASE_URL REDIS_URL NATS_URL STORAGE_URL MEDIA_ROOT AI_ASYNC
EXPORTS_ASYNC SESSION_IDLE_MINUTES SESSION_MAX_DAYS FRESH_SIGN_IN_MINUTES LOGIN_RATE_PER_MIN LOGIN_RATE_PER_MIN_ADDRESS
API_RATE_PER_MIN_ANON AI_PLAN_RATE_PER_MIN_FREE AI_ENFORCE_RATE_LIMIT_DEBUG AI_TEST_OPEN AI_PROVIDER
AI_DETERMINISTIC_SAMPLING AI_REDACT_PROMPTS AI_RETRY_KEPT_HOURS AI_MAX_OUTPUT_TOKENS AI_MAX_CALL_CHARACTERS
AI_CONNECT_TIMEOUT_SECONDS AI_FIRST_TOKEN_TIMEOUT_SECONDS AI_CALL_TIMEOUT_SECONDS AI_GENERATION_TIMEOUT_SECONDS
AI_MAX_ATTEMPTS AI_RETRY_BASE_SECONDS AI_RETRY_MAX_SECONDS AI_BREAKER_FAILURES AI_BREAKER_OPEN_SECONDS AI_JOB_LANES
SECTION_REVISION_CAP ANSWERS_MAX ANSWER_MAX_CHARACTERS STRIPE_SECRET_KEY STRIPE_WEBHOOK_SECRET STRIPE_API_BASE
STRIPE_TIMEOUT_SECONDS STRIPE_MAX_RETRIES STRIPE_WEBHOOK_MAX_BYTES STRIPE_AUTOMATIC_TAX TRIAL_DAYS
STRIPE_ACCOUNT_ID STRIPE_CURRENCIES RECONCILE_MINUTES RECONCILE_MAX_CALLS
STRIPE_EVENTS_RETENTION_DAYS
PRICE_PRO_MONTHLY PRICE_PRO_YEARLY PRICE_ENTERPRISE_MONTHLY PRICE_BUNDLE_1 PRICE_BUNDLE_10 PRICE_BUNDLE_25
QUOTA_FREE_ACTIVE_CAP
QUOTA_PRO_MONTHLY_CAP QUOTA_PRO_PER_SEAT QUOTA_ENTERPRISE_MONTHLY_CAP FAILED_PAYMENT_GRACE_DAYS
FILE_UPLOAD_MAX_BYTES FILE_UPLOAD_MAX_MEMORY_SIZE TEXT_EXTRACTION_MAX_BYTES ALLOWED_UPLOAD_EXTENSIONS OCR_IMAGE
OCR_PDF OCR_LANGUAGES VIRUSSCAN_CMD VIRUSSCAN_TIMEOUT_SECONDS GOOGLE_CLIENT_ID GOOGLE_CLIENT_SECRET
GITHUB_CLIENT_ID GITHUB_CLIENT_SECRET FACEBOOK_APP_ID FACEBOOK_APP_SECRET OAUTH_TIMEOUT_SECONDS
EMAIL_HOST EMAIL_PORT EMAIL_HOST_USER EMAIL_HOST_PASSWORD EMAIL_USE_TLS EMAIL_USE_SSL EMAIL_TIMEOUT_SECONDS
INVITE_SENDER_DOMAIN CSP_SCRIPT_SRC CSP_STYLE_SRC CSP_CONNECT_SRC
CSP_ALLOW_INLINE_STYLES SECURE_HSTS_SECONDS LOG_LEVEL LOG_FORMAT BACKUP_DIR EXPORT_WAIT_SECONDS
EXPORT_SYNC_SECONDS EXPORT_VERIFY_MAX_BYTES EXPORT_RENDER_TIMEOUT_SECONDS EXPORT_RENDER_MEMORY_BYTES
EXPORT_RENDER_CONCURRENCY EXPORT_TEMPLATE_MAX_BYTES EXPORT_RETENTION_DAYS EXPORT_SWEEP_SECONDS
TEXT_EXTRACTION_TIMEOUT_SECONDS TEXT_EXTRACTION_MEMORY_BYTES UPLOAD_STAGING_DIR
UPLOAD_RESUMABLE_SECONDS
RETAIN_DAYS BACKUP_PUBLIC_KEY BACKUP_TIMEOUT_SECONDS S3_ENDPOINT_URL SHUTDOWN_GRACE_SECONDS
SHUTDOWN_UNREADY_SECONDS DATABASE_POOL_SIZE
"""
_KEYS = frozenset(_LISTED.split()) | {
    f"{name}_{tier}"
    for name in ("API_RATE_PER_MIN", "AI_RATE_PER_MIN", "AI_DAILY_REQUEST_CAP", "AI_MONTHLY_TOKENS_CAP",
                 "QUOTA_STORAGE_BYTES")
    for tier in _TIERS
}  # fmt: skip
_FAMILIES = re.compile(r"(OTEL|AWS|S3|EDGE|OPENAI|GEMINI|ANTHROPIC)_[A-Z0-9_]+|OAUTH_[A-Z]+_ISSUER")
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


def is_known(key: str) -> bool:
    """Whether any service reads the key: as it is, for one service (BILLING_KEY), or from a file (KEY_FILE)."""
    if key in _KEYS or _FAMILIES.fullmatch(key):
        return True
    if key.endswith("_FILE"):
        return is_known(key.removesuffix("_FILE"))
    service, _, rest = key.partition("_")
    return service.lower() in parts.SERVICES and (rest in _KEYS or bool(rest and _FAMILIES.fullmatch(rest)))


def parse_pair(text: str, where: str = "", *, check: bool = True) -> tuple[str, str]:
    """One KEY=VALUE; ``where`` names the file and line in the refusal. Without ``check`` the key may be unknown."""
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"{where}{text!r} is not KEY=VALUE")
    if not _NAME.fullmatch(key):
        raise UsageError(f"{where}{key!r} is no setting's name: KEY=VALUE with the key in capitals")
    if check and not is_known(key):
        near = difflib.get_close_matches(key, sorted(_KEYS), n=1)
        raise UsageError(f"{where}unknown setting {key}" + (f": did you mean {near[0]}?" if near else ": see settings"))
    if "\0" in value:
        raise UsageError(f"{where}the value of {key} holds a NUL byte")
    return key, value


def parse_pairs(pairs: Iterable[str]) -> dict[str, str]:
    """The pairs of a command line; the last one of a key wins."""
    return dict(parse_pair(pair) for pair in pairs)


def parse_file(path: Path, *, check: bool = True) -> dict[str, str]:
    """A file of KEY=VALUE lines; empty lines, # comments, ``export`` and matching quotes are allowed."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot read {path}: it is not UTF-8 text") from error
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip().removeprefix("export ")
        if not stripped or stripped.startswith("#"):
            continue
        key, value = parse_pair(stripped, f"{path}:{number}: ", check=check)
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        found[key] = value
    return found
