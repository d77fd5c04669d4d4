"""The unchanged SDKs read what the fake says."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import openai
import pytest
from google import genai
from google.genai.errors import ClientError
from google.genai.types import HttpOptions

from ai_fake.testing import FakeProcess

SAID = "One two three four five."


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProcess]:
    with FakeProcess() as process:
        yield process


@pytest.fixture(autouse=True)
def _fresh(fake: FakeProcess) -> None:
    fake.reset()


def test_openai_streams_text_and_usage(fake: FakeProcess) -> None:
    fake.say("openai", {"text": SAID, "usage": [7, 5]})
    client = openai.OpenAI(api_key="k", base_url=f"{fake.url}/v1", max_retries=0)
    chunks = list(
        client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "Hi"}], stream=True, stream_options={"include_usage": True}
        )
    )
    assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices) == SAID
    usage = chunks[-1].usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (7, 5)


def test_anthropic_streams_text_and_usage(fake: FakeProcess) -> None:
    fake.say("anthropic", {"text": SAID, "usage": [7, 5]})
    client = anthropic.Anthropic(api_key="k", base_url=fake.url, max_retries=0)
    with client.messages.stream(model="m", max_tokens=50, messages=[{"role": "user", "content": "Hi"}]) as stream:
        assert "".join(stream.text_stream) == SAID
        message = stream.get_final_message()
    assert (message.usage.input_tokens, message.usage.output_tokens, message.stop_reason) == (7, 5, "end_turn")


def test_gemini_streams_text_and_usage(fake: FakeProcess) -> None:
    fake.say("gemini", {"text": SAID, "usage": [7, 5]})
    client = genai.Client(api_key="k", http_options=HttpOptions(base_url=fake.url))
    chunks = list(client.models.generate_content_stream(model="m", contents="Hi"))
    assert "".join(chunk.text or "" for chunk in chunks) == SAID
    usage = chunks[-1].usage_metadata
    assert usage is not None
    assert (usage.prompt_token_count, usage.candidates_token_count) == (7, 5)


def test_errors_are_the_vendors_own(fake: FakeProcess) -> None:
    fake.say("all", {"status": 429, "retry_after": "3"})
    with pytest.raises(openai.RateLimitError) as refused:
        openai.OpenAI(api_key="k", base_url=f"{fake.url}/v1", max_retries=0).chat.completions.create(
            model="m", messages=[{"role": "user", "content": "Hi"}]
        )
    assert refused.value.response.headers["retry-after"] == "3"
    with pytest.raises(anthropic.RateLimitError):
        anthropic.Anthropic(api_key="k", base_url=fake.url, max_retries=0).messages.create(
            model="m", max_tokens=50, messages=[{"role": "user", "content": "Hi"}]
        )
    client = genai.Client(api_key="k", http_options=HttpOptions(base_url=fake.url))
    with pytest.raises(ClientError) as limited:
        list(client.models.generate_content_stream(model="m", contents="Hi"))
    assert (limited.value.code, limited.value.status) == (429, "RESOURCE_EXHAUSTED")


def test_what_was_asked_is_kept_and_an_unknown_word_is_refused(fake: FakeProcess) -> None:
    openai.OpenAI(api_key="k", base_url=f"{fake.url}/v1").chat.completions.create(
        model="m", messages=[{"role": "user", "content": "Hi"}], stream=True
    ).close()
    assert fake.asked("openai")[0]["body"]["messages"][0]["content"] == "Hi"
    with pytest.raises(AssertionError, match="unknown: wings"):
        fake.say("openai", {"wings": 2})
