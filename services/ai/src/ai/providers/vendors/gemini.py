"""Google's Gemini API."""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

import httpx

from ai.providers.port import Usage
from ai.providers.retrying import read_retry_after
from ai.providers.vendors.port import NO_KEY, Finished, Options, Prompt, VendorError, Why, why_of_status

if TYPE_CHECKING:
    from google.genai import Client
    from google.genai.errors import APIError
    from google.genai.types import GenerateContentConfigDict

SEED: Final = 7


class GeminiVendor:
    """The Gemini API, or a server that speaks it at GEMINI_BASE_URL."""

    name = "gemini"

    def __init__(self, *, model: str, key: str, base_url: str, options: Options) -> None:
        self.model = model
        self._key = key
        self._base_url = base_url
        self._options = options
        self._client: Client | None = None
        self._http: httpx.AsyncClient | None = None

    def load(self) -> None:
        importlib.import_module("google.genai")

    async def aclose(self) -> None:
        if self._http is not None:
            await self._http.aclose()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str | Finished, None]:
        from google.genai import errors

        models = self._opened().aio.models
        usage: Usage | None = None
        model, reason, is_blocked = self.model, "", False
        try:
            answer: Any = await models.generate_content_stream(
                model=self.model, contents=prompt.material, config=self._config(prompt)
            )
            async with aclosing(answer) as chunks:
                async for chunk in chunks:
                    model = chunk.model_version or model
                    usage = _usage(chunk.usage_metadata) or usage
                    feedback = chunk.prompt_feedback
                    is_blocked = is_blocked or bool(feedback is not None and feedback.block_reason)
                    for candidate in chunk.candidates or ():
                        reason = candidate.finish_reason.value if candidate.finish_reason else reason
                        for part in (candidate.content.parts if candidate.content else None) or ():
                            if part.text and not part.thought:
                                yield part.text
        except errors.APIError as error:
            raise VendorError(why_of_status(_status(error)), _retry_after(error)) from error
        except httpx.TimeoutException as error:
            raise VendorError(Why.TIMED_OUT) from error
        except (httpx.ConnectError, httpx.ProxyError) as error:
            raise VendorError(Why.UNREACHABLE) from error
        except httpx.HTTPError as error:
            raise VendorError(Why.CUT) from error
        except (ValueError, TypeError, AttributeError) as error:  # what is no JSON, or JSON of another shape
            raise VendorError(Why.GARBLED) from error
        if is_blocked:
            raise VendorError(Why.DECLINED)
        if reason != "STOP":
            raise VendorError(_PROBLEMS.get(reason, Why.DECLINED) if reason else Why.CUT)
        yield Finished(model, usage)

    def _config(self, prompt: Prompt) -> GenerateContentConfigDict:
        config: GenerateContentConfigDict = {
            "system_instruction": prompt.system,
            "max_output_tokens": self._options.max_output_tokens,
            "automatic_function_calling": {"disable": True},
            "automatic_continuation": False,
        }
        if self._options.is_deterministic:
            config["temperature"] = 0
            config["seed"] = SEED
        if prompt.schema is not None:
            config["response_mime_type"] = "application/json"
            config["response_json_schema"] = dict(prompt.schema)
        return config

    def _opened(self) -> Client:
        if self._client is None:
            from google import genai
            from google.genai.types import HttpOptions

            logging.getLogger("google_genai").setLevel(logging.WARNING)  # a debug log of it may hold what is sent
            self._http = httpx.AsyncClient(event_hooks={"request": [self._limit]}, follow_redirects=False)
            self._client = genai.Client(
                enterprise=False,
                api_key=self._key or NO_KEY,
                http_options=HttpOptions(base_url=self._base_url or None, httpx_async_client=self._http),
            )
        return self._client

    async def _limit(self, request: httpx.Request) -> None:
        """The SDK has one limit for everything and sends none by default: ours are set on each request."""
        silence = self._options.silence_seconds
        limits = httpx.Timeout(silence, connect=self._options.connect_seconds)
        request.extensions["timeout"] = limits.as_dict()


_PROBLEMS: Final = {
    "MAX_TOKENS": Why.TOO_LONG,
    "FINISH_REASON_UNSPECIFIED": Why.CUT,
    "OTHER": Why.SERVER_ERROR,
    "MALFORMED_RESPONSE": Why.GARBLED,
}
"""Ends of a text that are none; all others are ways to decline."""


def _usage(counted: Any) -> Usage | None:
    if counted is None or counted.prompt_token_count is None:
        return None
    spoken = (counted.candidates_token_count or 0) + (counted.thoughts_token_count or 0)
    return Usage(counted.prompt_token_count, spoken)


def _status(error: APIError) -> int:
    return error.code if isinstance(error.code, int) else 500


def _retry_after(error: APIError) -> float | None:
    """The header, or the delay that Google puts into the body (`"retryDelay": "17s"`)."""
    waits = read_retry_after(getattr(error.response, "headers", None))
    if waits is None and (told := re.search(r"'retryDelay': '(\d+(?:\.\d+)?)s'", str(error.details))):
        return float(told[1])
    return waits
