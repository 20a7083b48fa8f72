"""Anthropic's Messages API, https://docs.claude.com/en/api/messages.

The SDK is imported when it is needed, see `ai.providers.openai`.
"""

from typing import TYPE_CHECKING, ClassVar, Literal

from ai.providers.base import (
    Account,
    Completion,
    Declined,
    ProviderError,
    Request,
    Truncated,
    Unavailable,
    Unusable,
    error_for_status,
    error_for_transport,
)
from config.outbound import Client, OutboundError, sdk_client

if TYPE_CHECKING:
    import anthropic
    from anthropic.types import Message, Usage


class Anthropic:
    """Claude models."""

    label: ClassVar[str] = "Anthropic"
    needs: ClassVar[Literal["", "api_key", "base_url"]] = "api_key"
    at_home: ClassVar[bool] = False
    deadline: ClassVar[float] = 180.0

    def __init__(self, account: Account) -> None:
        self._account = account

    async def complete(self, request: Request, http: Client) -> Completion:
        """Ask once. Raises `ProviderError`; only a clean finish returns."""
        import anthropic

        async with sdk_client(http.policy, self.deadline) as outbound:
            # Without an explicit key the SDK would look for profiles on disk.
            api = anthropic.AsyncAnthropic(
                api_key=self._account.api_key,
                base_url=self._account.base_url,
                http_client=outbound,
                max_retries=0,
                timeout=self.deadline,
            )
            try:
                answer = await self._asked(api, request)
            except (anthropic.AnthropicError, OutboundError, ValueError) as error:
                problem = _explained(error)
            else:
                return _read(answer)
        # Raised here and not above, see `ai.providers.openai`.
        raise problem

    async def _asked(self, api: "anthropic.AsyncAnthropic", request: Request) -> "Message":
        return await api.messages.create(
            model=self._account.model,
            system=request.system,
            messages=[{"role": "user", "content": request.prompt}],
            max_tokens=request.max_tokens,
        )


def _read(answer: "Message") -> Completion:
    reason = getattr(answer, "stop_reason", None)
    if reason in ("max_tokens", "model_context_window_exceeded"):
        raise Truncated("The answer of Anthropic was cut off at its longest allowed length.")
    if reason == "refusal":
        raise Declined("Anthropic declined to answer this.")
    # An HTML page comes out of the SDK as a str, and an empty object without its fields.
    blocks = getattr(answer, "content", None) or ()
    text = "".join(block.text for block in blocks if block.type == "text")
    if reason not in ("end_turn", "stop_sequence") or not text:
        raise Unusable("The answer of Anthropic is incomplete.")
    return Completion(
        text=text,
        model=answer.model,
        input_tokens=_all_input(answer.usage) if answer.usage else None,
        output_tokens=answer.usage.output_tokens if answer.usage else None,
        finish=reason,
        request_id=answer._request_id or "",
    )


def _all_input(usage: "Usage") -> int:
    """`input_tokens` leaves out what was read from or written to the provider's cache."""
    cached = (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
    return usage.input_tokens + cached


def _explained(error: Exception) -> ProviderError:
    import anthropic

    if isinstance(error, anthropic.APIStatusError):
        wait = error.response.headers.get("retry-after", "")
        return error_for_status("Anthropic", error.status_code, code=error.type or "", wait=wait)
    if isinstance(error, anthropic.APITimeoutError):
        return Unavailable("Anthropic did not answer in time.")
    return error_for_transport("Anthropic", error)
