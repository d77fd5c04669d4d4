"""Anthropic's messages."""

from __future__ import annotations

import importlib
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from ai.providers.port import Usage
from ai.providers.retrying import read_retry_after
from ai.providers.vendors.port import NO_KEY, Finished, Options, Prompt, VendorError, Why, why_of_status

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic


class AnthropicVendor:
    """Anthropic's API, or a server that speaks it at ANTHROPIC_BASE_URL."""

    name = "anthropic"

    def __init__(self, *, model: str, key: str, base_url: str, options: Options) -> None:
        self.model = model
        self._key = key
        self._base_url = base_url
        self._options = options
        self._samples_freely = not options.is_deterministic
        self._client: AsyncAnthropic | None = None

    def load(self) -> None:
        module = importlib.import_module("anthropic")
        module.AsyncAnthropic(api_key=NO_KEY).messages  # noqa: B018  # the SDK imports the rest when it is read

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str | Finished, None]:
        import anthropic
        import httpx2

        client = self._opened()
        model, reason, sent, received = self.model, "", 0, 0
        is_whole = False
        try:
            answer: Any = await self._create(client, prompt)
            async with answer, aclosing(aiter(answer)) as events:
                async for event in events:
                    if event.type == "message_start":
                        model = event.message.model or model
                        usage = event.message.usage
                        sent = _all_input(usage)
                    elif event.type == "content_block_delta" and event.delta.type == "text_delta":
                        yield event.delta.text
                    elif event.type == "message_delta":
                        reason = event.delta.stop_reason or reason
                        received = event.usage.output_tokens or received
                    elif event.type == "message_stop":
                        is_whole = True
        except anthropic.APIStatusError as error:
            status = error.status_code if error.status_code >= 400 else _status_in(error.body)
            raise VendorError(why_of_status(status), read_retry_after(error.response.headers)) from error
        except anthropic.APITimeoutError as error:
            raise VendorError(Why.TIMED_OUT) from error
        except anthropic.APIConnectionError as error:
            raise VendorError(Why.UNREACHABLE) from error
        except anthropic.APIError as error:
            raise VendorError(Why.CUT) from error
        except httpx2.TimeoutException as error:
            raise VendorError(Why.TIMED_OUT) from error
        except httpx2.HTTPError as error:
            raise VendorError(Why.CUT) from error
        except (ValueError, TypeError, AttributeError) as error:  # what is no JSON, or JSON of another shape
            raise VendorError(Why.GARBLED) from error
        if not is_whole:
            raise VendorError(Why.CUT)
        if problem := _PROBLEMS.get(reason):
            raise VendorError(problem)
        yield Finished(model, Usage(sent, received) if sent or received else None)

    async def _create(self, client: AsyncAnthropic, prompt: Prompt) -> Any:
        """Asks; a model that refuses to be told how to sample is asked again without, and from then on."""
        import anthropic

        try:
            return await client.messages.create(**self._wish(prompt))
        except anthropic.BadRequestError as error:
            if self._samples_freely or "temperature" not in error.message:
                raise
            self._samples_freely = True
            return await client.messages.create(**self._wish(prompt))

    def _wish(self, prompt: Prompt) -> dict[str, Any]:
        wish: dict[str, Any] = {
            "model": self.model,
            "system": prompt.system,
            "messages": [{"role": "user", "content": prompt.material}],
            "max_tokens": self._options.max_output_tokens,
            "stream": True,
        }
        if not self._samples_freely:
            wish["extra_body"] = {"temperature": 0}
        if prompt.schema is not None:
            wish["output_config"] = {"format": {"type": "json_schema", "schema": dict(prompt.schema)}}
        return wish

    def _opened(self) -> AsyncAnthropic:
        if self._client is None:
            import anthropic

            logging.getLogger("anthropic").setLevel(logging.WARNING)  # a debug log of it may hold what is sent
            options = self._options
            self._client = anthropic.AsyncAnthropic(
                api_key=self._key or NO_KEY,
                base_url=self._base_url or None,
                timeout=anthropic.Timeout(options.silence_seconds, connect=options.connect_seconds),
                max_retries=0,  # the chain retries, alike for all
            )
        return self._client


_PROBLEMS: Final = {
    "max_tokens": Why.TOO_LONG,
    "model_context_window_exceeded": Why.TOO_LONG,
    "refusal": Why.DECLINED,
    "pause_turn": Why.CUT,
}
"""Ends of a text that are none."""
_STATUS_OF_TYPE: Final = {
    "invalid_request_error": 400, "authentication_error": 401, "permission_error": 403, "not_found_error": 404,
    "rate_limit_error": 429, "api_error": 500, "overloaded_error": 529, "timeout_error": 504,
}  # fmt: skip


def _status_in(body: object) -> int:
    """The status of an error that came in the middle of a stream, under a 200."""
    error = body.get("error") if isinstance(body, dict) else None
    kind = error.get("type") if isinstance(error, dict) else None
    return _STATUS_OF_TYPE.get(str(kind), 500)


def _all_input(usage: Any) -> int:
    """Input tokens, those that were read from or written to the vendor's cache included."""
    parts = (usage.input_tokens, usage.cache_creation_input_tokens, usage.cache_read_input_tokens)
    return sum(part or 0 for part in parts)
