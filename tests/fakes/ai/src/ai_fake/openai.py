"""OpenAI: `POST …/chat/completions`, streamed."""

from __future__ import annotations

import json
from typing import Any

from ai_fake.script import Answer, Asked

FINISH = {"stop": "stop", "length": "length", "refused": "content_filter"}


class OpenAI:
    """Frames of a chat completion."""

    name = "openai"

    def model(self, asked: Asked) -> str:
        return str(asked.body["model"])

    def begin(self, asked: Asked, answer: Answer) -> list[str]:
        del answer
        return [
            self._chunk(asked, [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
        ]

    def delta(self, asked: Asked, piece: str) -> str:
        return self._chunk(asked, [{"index": 0, "delta": {"content": piece}, "finish_reason": None}])

    def end(self, asked: Asked, answer: Answer) -> list[str]:
        frames = [self._chunk(asked, [{"index": 0, "delta": {}, "finish_reason": FINISH[answer.finish]}])]
        wants_usage = (asked.body.get("stream_options") or {}).get("include_usage")
        if answer.usage is not None and wants_usage:
            sent, received = answer.usage
            usage = {"prompt_tokens": sent, "completion_tokens": received, "total_tokens": sent + received}
            frames.append(self._chunk(asked, [], usage))
        return [*frames, "data: [DONE]\n\n"]

    def garbage(self) -> str:
        return 'data: {"id": "chatcmpl-1", "choices": [{"delta\n\n'

    def late_error(self) -> str:
        return f"data: {json.dumps({'error': {'message': 'The server had an error', 'type': 'server_error'}})}\n\n"

    def refusal(self, answer: Answer) -> dict[str, Any]:
        kind = {429: "rate_limit_error", 401: "authentication_error"}.get(answer.status, "server_error")
        kind = "invalid_request_error" if answer.status == 400 else kind
        message = f"Unsupported value: '{answer.param}'" if answer.param else "refused by the fake"
        return {"error": {"message": message, "type": kind, "param": answer.param or None, "code": answer.code or None}}

    def _chunk(self, asked: Asked, choices: list[dict[str, Any]], usage: dict[str, int] | None = None) -> str:
        body = {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1_790_000_000,
            "model": self.model(asked),
            "choices": choices,
            "usage": usage,
        }
        return f"data: {json.dumps(body)}\n\n"
