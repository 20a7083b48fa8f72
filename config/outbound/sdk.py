"""The same guard for the SDKs of AI providers, which bring an HTTP client of their own kind."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, cast

from config.outbound.errors import BadBody, TooLarge
from config.outbound.policy import Policy
from config.outbound.transport import (
    CONNECT_SECONDS,
    PinnedBackend,
    Resolve,
    system_resolve,
    tls_context,
)

if TYPE_CHECKING:
    import httpx2

_MOST_BYTES = 10 * 1024 * 1024


def sdk_client(
    policy: Policy, deadline: float, *, resolve: Resolve = system_resolve
) -> "httpx2.AsyncClient":
    """An ``httpx2.AsyncClient`` for ``AsyncOpenAI(http_client=…)`` and ``AsyncAnthropic``.

    Same rules as `Client`: judged and pinned addresses, no proxies from the environment, no
    redirects, a total ``deadline`` in seconds for each request, at most 10 MiB of answer. Give
    the SDK ``max_retries=0``: retrying is the caller's decision. `OutboundError` comes through
    as it is (openai) or as the ``__cause__`` of an APIConnectionError (anthropic). httpx2 is
    imported here and not above because only AI tasks need it.
    """
    import httpcore2
    import httpx2

    class Guarded(httpx2.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            policy.check_url(str(request.url))
            ends = asyncio.get_running_loop().time() + deadline
            try:
                async with asyncio.timeout_at(ends):
                    response = await super().handle_async_request(request)
            except TimeoutError as error:
                raise httpx2.ReadTimeout(_late(request.url.host, deadline)) from error
            if response.headers.get("content-encoding", "identity") != "identity":
                await response.aclose()
                raise BadBody(f"{request.url.host} compressed its answer without being asked to.")
            response.stream = Bounded(cast(Any, response.stream), request.url.host, ends)
            return response

    class Bounded(httpx2.AsyncByteStream):
        def __init__(self, chunks: httpx2.AsyncByteStream, host: str, ends: float) -> None:
            self._chunks, self._host, self._ends = chunks, host, ends

        async def __aiter__(self) -> AsyncIterator[bytes]:
            received = 0
            chunks = aiter(self._chunks)
            while True:
                try:
                    async with asyncio.timeout_at(self._ends):
                        chunk = await anext(chunks, None)
                except TimeoutError as error:
                    raise httpx2.ReadTimeout(_late(self._host, deadline)) from error
                if chunk is None:
                    return
                received += len(chunk)
                if received > _MOST_BYTES:
                    raise TooLarge(f"The answer of {self._host} is larger than 10 MiB.")
                yield chunk

        async def aclose(self) -> None:
            await self._chunks.aclose()

    transport = Guarded(verify=tls_context(), trust_env=False)
    # The transport offers no way to pass a network backend; a test holds this attribute.
    transport._pool = httpcore2.AsyncConnectionPool(
        ssl_context=tls_context(),
        max_connections=20,
        keepalive_expiry=5.0,
        retries=0,
        network_backend=cast(
            Any,  # httpcore2's backend interface is httpcore's under another name
            PinnedBackend(
                policy,
                resolve,
                cast(Any, httpcore2.AnyIOBackend()),
                (httpcore2.ConnectError, httpcore2.ConnectTimeout),
            ),
        ),
    )
    return httpx2.AsyncClient(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(deadline, connect=CONNECT_SECONDS),
        headers={"User-Agent": policy.user_agent, "Accept-Encoding": "identity"},
    )


def _late(host: str, deadline: float) -> str:
    return f"{host} did not answer completely within {deadline:g} seconds."
