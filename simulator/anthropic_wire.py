"""Anthropic's messages. https://docs.anthropic.com/en/api/messages"""

import hashlib
import json
from typing import Any

from aiohttp import web

from simulator.credentials import ANTHROPIC_KEY, ANTHROPIC_MODEL
from simulator.model import Reply, pieces, reply
from simulator.schema import BadSchema

MODELS = (ANTHROPIC_MODEL, "claude-sonnet-5-5", "claude-opus-5-5")
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    503: "api_error",
    529: "overloaded_error",
}


class Anthropic:
    """`/anthropic/v1`, for the one key."""

    def routes(self) -> list[web.RouteDef]:
        """What it answers to."""
        return [
            web.post("/anthropic/v1/messages", self.create),
            web.get("/anthropic/v1/models", self.models),
        ]

    def refusal(self, status: int, retry_after: float) -> web.Response:
        """An error as Anthropic says it."""
        said = {
            401: "invalid x-api-key",
            429: "This request would exceed your organization's rate limit.",
        }
        return _error(status, said.get(status, "Service unavailable"))

    async def models(self, request: web.Request) -> web.Response:
        """What can be asked."""
        if not _has_key(request):
            return self.refusal(401, 0)
        about = {"type": "model", "created_at": "2026-01-05T00:00:00Z"}
        data = [{"id": name, "display_name": name} | about for name in MODELS]
        ends = {"has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]}
        return web.json_response({"data": data} | ends)

    async def create(self, request: web.Request) -> web.Response:
        """One message, whole or as a stream of events."""
        if not _has_key(request):
            return self.refusal(401, 0)
        if not request.headers.get("anthropic-version"):
            return _error(400, "anthropic-version: header is required")
        try:
            asked = json.loads(await request.text())
        except ValueError:
            return _error(400, "The request body is not valid JSON")
        for name in ("model", "max_tokens", "messages"):
            if not asked.get(name):
                return _error(400, f"{name}: Field required")
        model = str(asked["model"])
        if model not in MODELS:
            return _error(404, f"model: {model}")
        try:
            answer = _answer(asked)
        except BadSchema as problem:
            return _error(400, f"output_config.format.schema: {problem}")
        message = {
            "id": f"msg_{hashlib.sha256(answer.text.encode()).hexdigest()[:24]}",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [{"type": "text", "text": answer.text}],
            "stop_reason": "max_tokens" if answer.cut else "end_turn",
            "stop_sequence": None,
            "usage": _usage(answer),
        }
        if asked.get("stream"):
            return _stream(message, answer.text)
        return web.json_response(message, headers={"request-id": f"req_{message['id']}"})


def _has_key(request: web.Request) -> bool:
    """The documented header, or the bearer that the SDK sends since 2.x."""
    offered = (request.headers.get("x-api-key"), request.headers.get("Authorization"))
    return offered[0] == ANTHROPIC_KEY or offered[1] == f"Bearer {ANTHROPIC_KEY}"


def _answer(asked: dict[str, Any]) -> Reply:
    prompt = "\n".join(
        _text(message.get("content")) for message in asked["messages"] if message.get("role")
    )
    wanted = (asked.get("output_config") or {}).get("format") or {}
    schema = wanted.get("schema") if wanted.get("type") == "json_schema" else None
    return reply(prompt, _text(asked.get("system")), limit=int(asked["max_tokens"]), schema=schema)


def _text(content: Any) -> str:
    """The text of a content, which may come in blocks; documents count as text."""
    if not isinstance(content, list):
        return str(content or "")
    texts = [
        block.get("text") or (block.get("source") or {}).get("data") or "" for block in content
    ]
    return "\n".join(str(text) for text in texts)


def _usage(answer: Reply) -> dict[str, Any]:
    return {
        "input_tokens": answer.prompt_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": answer.reply_tokens,
        "service_tier": "standard",
    }


def _stream(message: dict[str, Any], text: str) -> web.Response:
    started = message | {"content": [], "stop_reason": None}
    ended = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    deltas = [
        {"index": 0, "delta": {"type": "text_delta", "text": piece}} for piece in pieces(text)
    ]
    events: list[tuple[str, dict[str, Any]]] = [
        ("message_start", {"message": started}),
        ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        *(("content_block_delta", delta) for delta in deltas),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": ended, "usage": message["usage"]}),
        ("message_stop", {}),
    ]
    body = "".join(
        f"event: {name}\ndata: {json.dumps({'type': name} | data)}\n\n" for name, data in events
    )
    return web.Response(text=body, content_type="text/event-stream")


def _error(status: int, message: str) -> web.Response:
    error = {"type": _KINDS.get(status, "api_error"), "message": message}
    request_id = f"req_{hashlib.sha256(message.encode()).hexdigest()[:24]}"
    body = {"type": "error", "error": error, "request_id": request_id}
    return web.json_response(body, status=status, headers={"request-id": request_id})
