"""Gemini: `POST …/models/{model}:streamGenerateContent?alt=sse`."""

from __future__ import annotations

import json
from typing import Any

from ai_fake.script import Answer, Asked

FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "refused": "SAFETY"}
STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
          429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}  # fmt: skip


class Gemini:
    """Frames of a generated content."""

    name = "gemini"

    def model(self, asked: Asked) -> str:
        return asked.path.rpartition("/")[2].partition(":")[0]

    def begin(self, asked: Asked, answer: Answer) -> list[str]:
        del asked, answer
        return []

    def delta(self, asked: Asked, piece: str) -> str:
        return self._chunk(asked, {"content": {"role": "model", "parts": [{"text": piece}]}, "index": 0}, None)

    def end(self, asked: Asked, answer: Answer) -> list[str]:
        candidate = {"content": {"role": "model", "parts": []}, "finishReason": FINISH[answer.finish], "index": 0}
        return [self._chunk(asked, candidate, answer.usage)]

    def garbage(self) -> str:
        return 'data: {"candidates": [{"content\n\n'

    def late_error(self) -> str:
        return f"data: {json.dumps({'error': {'code': 500, 'message': 'internal', 'status': 'INTERNAL'}})}\n\n"

    def refusal(self, answer: Answer) -> dict[str, Any]:
        status = answer.code or STATUS.get(answer.status, "UNKNOWN")
        return {"error": {"code": answer.status, "message": "refused by the fake", "status": status}}

    def _chunk(self, asked: Asked, candidate: dict[str, Any], usage: tuple[int, int] | None) -> str:
        body: dict[str, Any] = {
            "candidates": [candidate],
            "modelVersion": self.model(asked),
            "responseId": "response-1",
        }
        if usage is not None:
            body["usageMetadata"] = {
                "promptTokenCount": usage[0],
                "candidatesTokenCount": usage[1],
                "totalTokenCount": sum(usage),
            }
        return f"data: {json.dumps(body)}\r\n\r\n"
