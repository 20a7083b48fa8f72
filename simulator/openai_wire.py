"""OpenAI's chat completions. https://platform.openai.com/docs/api-reference/chat"""

import hashlib
import json
import time
from typing import Any

from aiohttp import web

from simulator.credentials import OPENAI_KEY, OPENAI_MODEL
from simulator.model import Reply, pieces, reply
from simulator.schema import BadSchema

MODELS = (OPENAI_MODEL, "gpt-6-sol", "gpt-6-terra", "gpt-5-mini")


class OpenAI:
    """`/openai/v1`, for the one key."""

    def routes(self) -> list[web.RouteDef]:
        """What it answers to."""
        return [
            web.post("/openai/v1/chat/completions", self.complete),
            web.get("/openai/v1/models", self.models),
        ]

    def refusal(self, status: int, retry_after: float) -> web.Response:
        """An error as OpenAI says it."""
        said = {
            401: ("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
            429: (
                f"Rate limit reached for requests. Please try again in {retry_after:g}s.",
                "requests",
                "rate_limit_exceeded",
            ),
        }
        message, kind, code = said.get(
            status, ("The engine is currently overloaded.", "server_error", "")
        )
        return _error(status, message, kind=kind, code=code or None)

    async def models(self, request: web.Request) -> web.Response:
        """What can be asked."""
        if refused := _key_problem(request):
            return refused
        about = {"object": "model", "created": 1_790_000_000, "owned_by": "simulator"}
        return web.json_response(
            {"object": "list", "data": [{"id": name} | about for name in MODELS]}
        )

    async def complete(self, request: web.Request) -> web.Response:
        """One completion, whole or as a stream of events."""
        if refused := _key_problem(request):
            return refused
        try:
            asked = json.loads(await request.text())
        except ValueError:
            return _error(400, "We could not parse the JSON body of your request.")
        for name in ("model", "messages"):
            if not asked.get(name):
                message = f"Missing required parameter: '{name}'."
                return _error(400, message, param=name, code="missing_required_parameter")
        model = str(asked["model"])
        if model not in MODELS:
            message = f"The model `{model}` does not exist or you do not have access to it."
            return _error(404, message, code="model_not_found")
        try:
            answer = _answer(asked)
        except BadSchema as problem:
            return _error(400, str(problem), param="response_format", code="invalid_json_schema")
        head: dict[str, Any] = {
            "id": f"chatcmpl-{hashlib.sha256(answer.text.encode()).hexdigest()[:24]}",
            "created": int(time.time()),
            "model": model,
            "service_tier": "default",
            "system_fingerprint": "fp_simulator",
        }
        usage = _usage(answer)
        finish = "length" if answer.cut else "stop"
        if asked.get("stream"):
            told = bool((asked.get("stream_options") or {}).get("include_usage"))
            return _stream(head, answer.text, finish, usage if told else None)
        said: dict[str, Any] = {
            "role": "assistant",
            "content": answer.text,
            "refusal": None,
            "annotations": [],
        }
        choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": finish}
        body = head | {"object": "chat.completion", "choices": [choice], "usage": usage}
        return web.json_response(body, headers={"x-request-id": f"req_{head['id']}"})


def _answer(asked: dict[str, Any]) -> Reply:
    instructions: list[str] = []
    prompt: list[str] = []
    for message in asked["messages"]:
        pile = instructions if message.get("role") in ("system", "developer") else prompt
        pile.append(_text(message.get("content")))
    wanted = asked.get("response_format") or {}
    schema = None
    if wanted.get("type") == "json_schema":
        schema = (wanted.get("json_schema") or {}).get("schema")
    elif wanted.get("type") == "json_object":
        schema = {"type": "object", "properties": {"text": {"type": "string"}}}
    limit = asked.get("max_completion_tokens") or asked.get("max_tokens")
    return reply("\n".join(prompt), "\n".join(instructions), limit=limit, schema=schema)


def _text(content: Any) -> str:
    """A message's text, which may come in parts."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content)
    return str(content or "")


def _usage(answer: Reply) -> dict[str, Any]:
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.reply_tokens,
        "total_tokens": answer.prompt_tokens + answer.reply_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _stream(
    head: dict[str, Any], text: str, finish: str, usage: dict[str, Any] | None
) -> web.Response:
    def chunk(delta: dict[str, Any], ended: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": ended}
        return head | {"object": "chat.completion.chunk", "choices": [choice]}

    chunks = [chunk({"role": "assistant", "content": ""})]
    chunks += [chunk({"content": piece}) for piece in pieces(text)]
    chunks.append(chunk({}, finish))
    if usage:
        chunks.append(head | {"object": "chat.completion.chunk", "choices": [], "usage": usage})
    lines = [f"data: {json.dumps(one)}\n\n" for one in chunks]
    return web.Response(
        text="".join([*lines, "data: [DONE]\n\n"]), content_type="text/event-stream"
    )


def _key_problem(request: web.Request) -> web.Response | None:
    given = request.headers.get("Authorization", "")
    if not given:
        return _error(401, "You didn't provide an API key.", code=None)
    if given != f"Bearer {OPENAI_KEY}":
        return _error(401, "Incorrect API key provided.", code="invalid_api_key")
    return None


def _error(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
) -> web.Response:
    error = {"message": message, "type": kind, "param": param, "code": code}
    return web.json_response({"error": error}, status=status)
