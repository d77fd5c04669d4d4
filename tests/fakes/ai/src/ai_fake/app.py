"""The application: one path for each vendor, and the control."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from ai_fake.anthropic import Anthropic
from ai_fake.gemini import Gemini
from ai_fake.openai import OpenAI
from ai_fake.script import VENDORS, Answer, Asked, Script, read_answer

HANG_SECONDS = 600.0
PATHS = {
    "openai": ["/v1/chat/completions", "/chat/completions"],
    "gemini": ["/{version}/models/{call}", "/models/{call}"],
    "anthropic": ["/v1/messages"],
}


class Wire(Protocol):
    """A vendor's frames."""

    name: str

    def model(self, asked: Asked) -> str: ...
    def begin(self, asked: Asked, answer: Answer) -> list[str]: ...
    def delta(self, asked: Asked, piece: str) -> str: ...
    def end(self, asked: Asked, answer: Answer) -> list[str]: ...
    def garbage(self) -> str: ...
    def late_error(self) -> str: ...
    def refusal(self, answer: Answer) -> dict[str, Any]: ...


class Cut(Exception):
    """Breaks the connection in the middle of an answer."""


def create_app() -> Starlette:
    """One fake with an empty script."""
    script = Script()
    wires: tuple[Wire, ...] = (OpenAI(), Gemini(), Anthropic())
    speaking = [
        Route(path, _speaker(script, wire), methods=["POST"], name=wire.name)
        for wire in wires
        for path in PATHS[wire.name]
    ]
    return Starlette(routes=[*_control(script), *speaking])


def _speaker(script: Script, wire: Wire) -> Any:
    async def speak(request: Request) -> Response:
        asked = Asked(wire.name, request.url.path, dict(request.headers), json.loads(await request.body()))
        script.asked.append(asked)
        answer = script.next(wire.name)
        if answer.status != 200:
            headers = {"retry-after": answer.retry_after} if answer.retry_after else None
            await asyncio.sleep(answer.first_ms / 1000)
            return JSONResponse(wire.refusal(answer), status_code=answer.status, headers=headers)
        if answer.model:
            asked = replace(asked, path=f"/models/{answer.model}:x", body=asked.body | {"model": answer.model})
        return StreamingResponse(_frames(wire, asked, answer), media_type="text/event-stream")

    return speak


async def _frames(wire: Wire, asked: Asked, answer: Answer) -> AsyncIterator[str]:
    for frame in wire.begin(asked, answer):
        yield frame
    await asyncio.sleep(answer.first_ms / 1000)
    pieces = answer.pieces()
    for at in range(len(pieces) + 1):
        if at == answer.hang_after:
            await asyncio.sleep(HANG_SECONDS)
        if at == answer.cut_after:
            await asyncio.sleep(0.05)  # what was sent before is to arrive before the end does
            raise Cut
        if at == answer.ends_early:
            return
        if at == answer.rubbish_after:
            yield wire.garbage()
        if at == answer.error_after:
            yield wire.late_error()
            return
        if at < len(pieces):
            if at and answer.delta_ms:
                await asyncio.sleep(answer.delta_ms / 1000)
            yield wire.delta(asked, pieces[at])
    for frame in wire.end(asked, answer):
        yield frame


def _control(script: Script) -> list[Route]:
    async def add(request: Request) -> Response:
        """`{vendor, answers: [...]}` are the next ones; `{vendor, always: {...}}` is the one when none is left."""
        body = json.loads(await request.body())
        names = VENDORS if body.get("vendor", "all") == "all" else (body["vendor"],)
        try:
            for name in names:
                script.queues[name].extend(read_answer(given) for given in body.get("answers", []))
                if "always" in body:
                    script.always[name] = read_answer(body["always"])
        except (KeyError, ValueError, TypeError) as problem:
            return JSONResponse({"error": str(problem)}, status_code=422)
        return JSONResponse({"waiting": {name: len(queue) for name, queue in script.queues.items()}})

    async def asked(_: Request) -> Response:
        return JSONResponse({"items": [asdict(item) for item in script.asked]})

    async def reset(_: Request) -> Response:
        script.asked.clear()
        script.always.clear()
        for queue in script.queues.values():
            queue.clear()
        return JSONResponse({})

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return [
        Route("/_fake/script", add, methods=["POST"]),
        Route("/_fake/asked", asked),
        Route("/_fake/reset", reset, methods=["POST"]),
        Route("/_fake/health", health),
    ]
