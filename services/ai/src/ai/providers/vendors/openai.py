"""OpenAI's chat completions, which many other servers speak too: at OPENAI_BASE_URL, whoever answers there."""

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
    from openai import AsyncOpenAI

SEED: Final = 7


class OpenAIVendor:
    """Any OpenAI-compatible server."""

    name = "openai"

    def __init__(self, *, model: str, key: str, base_url: str, options: Options) -> None:
        self.model = model
        self._key = key
        self._base_url = base_url
        self._options = options
        self._samples_freely = not options.is_deterministic
        self._client: AsyncOpenAI | None = None

    def load(self) -> None:
        module = importlib.import_module("openai")
        module.AsyncOpenAI(api_key=NO_KEY).chat.completions  # noqa: B018  # the SDK imports the rest when it is read

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str | Finished, None]:
        import httpx2
        import openai

        client = self._opened()
        usage: Usage | None = None
        model, reason = self.model, ""
        try:
            answer: Any = await self._create(client, prompt)
            async with answer, aclosing(aiter(answer)) as chunks:
                async for chunk in chunks:
                    model = chunk.model or model
                    if chunk.usage is not None:
                        usage = Usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
                    for choice in chunk.choices or ():
                        reason = choice.finish_reason or reason
                        if choice.delta is not None and choice.delta.content:
                            yield choice.delta.content
        except openai.APIStatusError as error:
            code = str(error.code or "")
            raise VendorError(
                why_of_status(error.status_code, code), read_retry_after(error.response.headers)
            ) from error
        except openai.APITimeoutError as error:
            raise VendorError(Why.TIMED_OUT) from error
        except openai.APIConnectionError as error:
            raise VendorError(Why.UNREACHABLE) from error
        except openai.APIError as error:  # said in the middle of a stream
            raise VendorError(Why.CUT) from error
        except httpx2.TimeoutException as error:
            raise VendorError(Why.TIMED_OUT) from error
        except httpx2.HTTPError as error:
            raise VendorError(Why.CUT) from error
        except (ValueError, TypeError, AttributeError) as error:  # what is no JSON, or JSON of another shape
            raise VendorError(Why.GARBLED) from error
        if problem := _PROBLEMS.get(reason, None if reason else Why.CUT):
            raise VendorError(problem)
        yield Finished(model, usage)

    async def _create(self, client: AsyncOpenAI, prompt: Prompt) -> Any:
        """Asks; a model that refuses to be told how to sample is asked again without, and from then on."""
        import openai

        try:
            return await client.chat.completions.create(**self._wish(prompt))
        except openai.BadRequestError as error:
            if self._samples_freely or error.param not in ("temperature", "seed"):
                raise
            self._samples_freely = True
            return await client.chat.completions.create(**self._wish(prompt))

    def _wish(self, prompt: Prompt) -> dict[str, Any]:
        wish: dict[str, Any] = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": prompt.system},
                {"role": "user", "content": prompt.material},
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
            # The old name is what other servers know; OpenAI's own newer models refuse it.
            "max_tokens" if self._base_url else "max_completion_tokens": self._options.max_output_tokens,
        }
        if not self._samples_freely:
            wish |= {"temperature": 0, "seed": SEED}
        if prompt.schema is not None:
            wish["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": dict(prompt.schema), "strict": True},
            }
        return wish

    def _opened(self) -> AsyncOpenAI:
        if self._client is None:
            import openai

            logging.getLogger("openai").setLevel(logging.WARNING)  # a debug log of it may hold what is sent
            options = self._options
            self._client = openai.AsyncOpenAI(
                api_key=self._key or NO_KEY,
                base_url=self._base_url or None,
                timeout=openai.Timeout(options.silence_seconds, connect=options.connect_seconds),
                max_retries=0,  # the chain retries, alike for all
            )
        return self._client


_PROBLEMS: Final = {"length": Why.TOO_LONG, "content_filter": Why.DECLINED}
"""Ends of a text that are none."""
