"""OpenAI and everything that speaks its chat completions: vLLM, llama.cpp, LM Studio and others.

https://platform.openai.com/docs/api-reference/chat. Chat completions rather than responses:
compatible servers know only those well. The SDK is imported when it is needed: that takes seconds
and tens of megabytes, which web processes and most workers do without.
"""

from typing import TYPE_CHECKING, ClassVar, Literal
from urllib.parse import urlsplit

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
    import openai
    from openai.types.chat import ChatCompletion


class OpenAI:
    """Models behind the OpenAI API."""

    label: ClassVar[str] = "OpenAI"
    needs: ClassVar[Literal["", "api_key", "base_url"]] = "api_key"
    at_home: ClassVar[bool] = False
    deadline: ClassVar[float] = 180.0

    def __init__(self, account: Account) -> None:
        self._account = account

    async def complete(self, request: Request, http: Client) -> Completion:
        """Ask once. Raises `ProviderError`; only a clean finish returns."""
        import openai

        async with sdk_client(http.policy, self.deadline) as outbound:
            api = openai.AsyncOpenAI(
                api_key=self._account.api_key,
                base_url=self._account.base_url,
                http_client=outbound,
                max_retries=0,
                timeout=self.deadline,
            )
            try:
                answer = await self._asked(api, request)
            except (openai.OpenAIError, OutboundError, ValueError) as error:
                problem = _explained(error)
            else:
                return _read(answer)
        # Raised here and not above: an exception raised while another is handled keeps it as its
        # context, and the SDK's carry the request with its Authorization header.
        raise problem

    async def _asked(self, api: "openai.AsyncOpenAI", request: Request) -> "ChatCompletion":
        # OpenAI's newer models refuse `max_tokens`; many compatible servers know only that.
        host = urlsplit(self._account.base_url).hostname or ""
        at_openai = host == "openai.com" or host.endswith(".openai.com")
        limit = {"max_completion_tokens" if at_openai else "max_tokens": request.max_tokens}
        return await api.chat.completions.create(
            model=self._account.model,
            messages=[
                {"role": "system", "content": request.system},
                {"role": "user", "content": request.prompt},
            ],
            extra_body=limit,
        )


def _read(answer: "ChatCompletion") -> Completion:
    # A compatible server may leave out what the SDK's types promise.
    if not getattr(answer, "choices", None) or answer.choices[0].message is None:
        raise Unusable("OpenAI answered without a text.")
    choice = answer.choices[0]
    if choice.finish_reason == "length":
        raise Truncated("The answer of OpenAI was cut off at its longest allowed length.")
    if choice.finish_reason == "content_filter" or choice.message.refusal:
        raise Declined("OpenAI declined to answer this.")
    if choice.finish_reason != "stop" or not choice.message.content:
        raise Unusable("The answer of OpenAI is incomplete.")
    usage = answer.usage
    return Completion(
        text=choice.message.content,
        model=answer.model,
        input_tokens=usage.prompt_tokens if usage else None,
        output_tokens=usage.completion_tokens if usage else None,
        finish=choice.finish_reason,
        request_id=answer._request_id or "",
    )


def _explained(error: Exception) -> ProviderError:
    import openai

    if isinstance(error, openai.APIStatusError):
        wait = error.response.headers.get("retry-after", "")
        return error_for_status("OpenAI", error.status_code, code=error.code or "", wait=wait)
    if isinstance(error, openai.APITimeoutError):
        return Unavailable("OpenAI did not answer in time.")
    return error_for_transport("OpenAI", error)
