"""Anthropic: `POST …/v1/messages`, streamed."""

from __future__ import annotations

import json
from typing import Any

from ai_fake.script import Answer, Asked

FINISH = {"stop": "end_turn", "length": "max_tokens", "refused": "refusal"}
TYPES = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
         429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}  # fmt: skip


class Anthropic:
    """Events of a message."""

    name = "anthropic"

    def model(self, asked: Asked) -> str:
        return str(asked.body["model"])

    def begin(self, asked: Asked, answer: Answer) -> list[str]:
        sent = answer.usage[0] if answer.usage else 0
        message: dict[str, Any] = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": self.model(asked),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": sent, "output_tokens": 1 if answer.usage else 0},
        }
        return [
            _event({"type": "message_start", "message": message}),
            _event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            _event({"type": "ping"}),
        ]

    def delta(self, asked: Asked, piece: str) -> str:
        del asked
        return _event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}})

    def end(self, asked: Asked, answer: Answer) -> list[str]:
        del asked
        received = answer.usage[1] if answer.usage else 0
        delta = {"stop_reason": FINISH[answer.finish], "stop_sequence": None}
        return [
            _event({"type": "content_block_stop", "index": 0}),
            _event({"type": "message_delta", "delta": delta, "usage": {"output_tokens": received}}),
            _event({"type": "message_stop"}),
        ]

    def garbage(self) -> str:
        return 'event: content_block_delta\ndata: {"type": "content_block_de\n\n'

    def late_error(self) -> str:
        return _event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})

    def refusal(self, answer: Answer) -> dict[str, Any]:
        message = f"`{answer.param}` is deprecated for this model" if answer.param else "refused by the fake"
        kind = answer.code or TYPES.get(answer.status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def _event(body: dict[str, Any]) -> str:
    return f"event: {body['type']}\ndata: {json.dumps(body)}\n\n"
