"""Ollama's generate. https://github.com/ollama/ollama/blob/main/docs/api.md"""

import json
import time
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from simulator.credentials import OLLAMA_MODEL
from simulator.model import Reply, last, pieces, reply, tokens
from simulator.schema import BadSchema

MODELS = (f"{OLLAMA_MODEL}:latest", "gemma3:4b", "qwen3:4b")
CONTEXT = 4096  # tokens, unless options.num_ctx says otherwise; more prompt than that is cut off


class Ollama:
    """`/ollama/api`, which asks for no key."""

    def routes(self) -> list[web.RouteDef]:
        """What it answers to."""
        return [
            web.post("/ollama/api/generate", self.generate),
            web.get("/ollama/api/tags", self.tags),
            web.get("/ollama/api/version", self.version),
        ]

    def refusal(self, status: int, retry_after: float) -> web.Response:
        """An error as Ollama says it."""
        busy = "server busy, please try again.  maximum pending requests exceeded"
        return web.json_response({"error": busy if status == 503 else "refused"}, status=status)

    async def version(self, request: web.Request) -> web.Response:
        """The server's."""
        return web.json_response({"version": "0.13.0"})

    async def tags(self, request: web.Request) -> web.Response:
        """The models that are there."""
        details = {"format": "gguf", "parameter_size": "4B", "quantization_level": "Q4_K_M"}
        about = {"modified_at": "2026-10-01T08:00:00Z", "size": 2_600_000_000, "details": details}
        models = [{"name": name, "model": name, "digest": "0" * 64} | about for name in MODELS]
        return web.json_response({"models": models})

    async def generate(self, request: web.Request) -> web.Response:
        """One completion; a stream of lines unless `stream` is false."""
        try:
            asked = json.loads(await request.text())
        except ValueError:
            return web.json_response({"error": "invalid JSON"}, status=400)
        model = str(asked.get("model", ""))
        if model not in MODELS and f"{model}:latest" not in MODELS:
            return web.json_response({"error": f"model '{model}' not found"}, status=404)
        started = time.perf_counter_ns()
        try:
            answer = _answer(asked)
        except BadSchema as problem:
            return web.json_response({"error": f"invalid format: {problem}"}, status=400)
        end = _end(answer, time.perf_counter_ns() - started)
        if asked.get("stream", True):
            lines: list[dict[str, Any]] = [
                {"response": piece, "done": False} for piece in pieces(answer.text)
            ]
            lines.append({"response": ""} | end)
            text = "".join(json.dumps(_head(model) | line) + "\n" for line in lines)
            return web.Response(text=text, content_type="application/x-ndjson")
        return web.json_response(_head(model) | {"response": answer.text} | end)


def _answer(asked: dict[str, Any]) -> Reply:
    options = asked.get("options") or {}
    system, prompt = str(asked.get("system") or ""), str(asked.get("prompt") or "")
    room = int(options.get("num_ctx") or CONTEXT)
    prompt = last(prompt, max(1, room - tokens(system)))  # silently, as Ollama does it
    wanted = asked.get("format")
    if wanted == "json":
        wanted = {"type": "object", "properties": {"text": {"type": "string"}}}
    predict = int(options.get("num_predict") or -1)
    return reply(prompt, system, limit=predict if predict > 0 else None, schema=wanted or None)


def _head(model: str) -> dict[str, Any]:
    return {"model": model, "created_at": datetime.now(UTC).isoformat().replace("+00:00", "Z")}


def _end(answer: Reply, nanoseconds: int) -> dict[str, Any]:
    return {
        "done": True,
        "done_reason": "length" if answer.cut else "stop",
        "context": [],
        "total_duration": nanoseconds,
        "load_duration": 0,
        "prompt_eval_count": answer.prompt_tokens,
        "prompt_eval_duration": nanoseconds // 2,
        "eval_count": answer.reply_tokens,
        "eval_duration": nanoseconds // 2,
    }
