"""Models on our own machines through Ollama's native API.

https://docs.ollama.com/api/generate. The native one and not its OpenAI imitation, because only
there the context size can be set: Ollama cuts a prompt that doesn't fit its default context and
says nothing (ollama/ollama#3839), so `num_ctx` always goes along and what was read is checked.
"""

from typing import Any, ClassVar, Literal

from ai.providers.base import (
    Account,
    Completion,
    Rejected,
    Request,
    Truncated,
    Unusable,
    error_for_status,
    error_for_transport,
)
from config.outbound import BadBody, Client, OutboundError

_SMALLEST_CONTEXT = 4096
_LARGEST_CONTEXT = 32_768  # beyond that a desk's own machine runs out of memory


class Ollama:
    """Local models."""

    label: ClassVar[str] = "Ollama"
    needs: ClassVar[Literal["", "api_key", "base_url"]] = "base_url"
    at_home: ClassVar[bool] = True
    deadline: ClassVar[float] = 600.0  # a first call loads the model from disk

    def __init__(self, account: Account) -> None:
        self._account = account

    async def complete(self, request: Request, http: Client) -> Completion:
        """Ask once. Raises `ProviderError`; only a clean finish returns."""
        try:
            answer = await http.post(
                f"{self._account.base_url.rstrip('/')}/api/generate",
                json={
                    "model": self._account.model,
                    "system": request.system,
                    "prompt": request.prompt,
                    "stream": False,
                    "options": {
                        "num_ctx": context_for(request),
                        "num_predict": request.max_tokens,
                    },
                },
                deadline=self.deadline,
            )
        except OutboundError as error:
            raise error_for_transport("Ollama", error) from error
        if not answer.ok:
            wait = answer.headers.get("retry-after", "")
            raise error_for_status("Ollama", answer.status, wait=wait)
        try:
            return _read(answer.json(), request)
        except BadBody as error:
            raise error_for_transport("Ollama", error) from error


def context_for(request: Request) -> int:
    """The context to ask for, in tokens: question and answer with room to spare.

    Three bytes a token is fewer than prose in any script needs. Raises `Rejected` for more than
    `_LARGEST_CONTEXT`.
    """
    needed = _bytes(request) // 3 + request.max_tokens + 256
    if needed > _LARGEST_CONTEXT:
        raise Rejected("The material is too long for a local model.")
    return max(_SMALLEST_CONTEXT, -(-needed // 1024) * 1024)


def _read(answer: Any, request: Request) -> Completion:
    if not isinstance(answer, dict) or not isinstance(answer.get("response"), str):
        raise Unusable("Ollama answered without a text.")
    reason = answer.get("done_reason")
    if reason == "length":
        raise Truncated("The answer of Ollama was cut off at its longest allowed length.")
    if answer.get("done") is not True or reason not in (None, "stop") or not answer["response"]:
        raise Unusable("The answer of Ollama is incomplete.")
    read = answer.get("prompt_eval_count")
    # No tokeniser gets by with a token for sixteen bytes of prose: fewer were read than sent.
    if isinstance(read, int) and 0 < read < _bytes(request) // 16:
        raise Truncated("Ollama has read only a part of the material.")
    return Completion(
        text=answer["response"],
        model=str(answer.get("model", "")),
        input_tokens=read if isinstance(read, int) else None,
        output_tokens=answer.get("eval_count"),
        finish=reason or "done",
    )


def _bytes(request: Request) -> int:
    return len((request.system + request.prompt).encode())
