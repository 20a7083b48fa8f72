"""One request from here to there, under the rules of a `Policy`."""

import asyncio
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

import httpcore
import httpx

from config.outbound.body import ACCEPT_ENCODING, read_body
from config.outbound.errors import (
    OutboundError,
    Refused,
    TooLarge,
    TooManyRedirects,
    Unreachable,
)
from config.outbound.policy import Policy, effective_port
from config.outbound.progress import Progress, translated
from config.outbound.reply import Headers, Redirect, Response
from config.outbound.transport import (
    CONNECT_SECONDS,
    PinnedBackend,
    Resolve,
    connected,
    system_resolve,
    tls_context,
)
from config.outbound.websocket import WebSocket, opened

MIB = 1024 * 1024
_SAFE_METHODS = ("GET", "HEAD")
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_HEADERS = 200  # of a reply; h11 limits their total size to 100 KiB
_OUR_HEADERS = frozenset(
    ("host", "content-length", "transfer-encoding", "connection", "accept-encoding", "te")
)
_SECRET_HEADERS = frozenset(("authorization", "cookie", "proxy-authorization"))


class Client:
    """Sends requests; connections that only read stay open a few seconds for the next one.

    Belongs to one event loop: open it inside the coroutine that uses it. Keeps no cookies.
    ``resolve`` and ``tls`` replace name look-up and trusted certificates, for tests.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        resolve: Resolve = system_resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.policy = policy
        backend = PinnedBackend(
            policy,
            resolve,
            httpcore.AnyIOBackend(),
            (httpcore.ConnectError, httpcore.ConnectTimeout),
        )
        self._backend = backend
        self._tls = tls or tls_context()
        self.tls = tls or tls_context()  # for those who `connect` and then speak TLS
        self._reading, self._writing = (
            httpcore.AsyncConnectionPool(
                ssl_context=self.tls,
                max_connections=100,
                max_keepalive_connections=kept,
                keepalive_expiry=5.0,
                retries=0,
                network_backend=backend,
            )
            # A connection left open may be closing already, or hold bytes that answer nothing:
            # a POST on it would end in doubt, or with another request's receipt.
            for kept in (20, 0)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._reading.aclose()
        await self._writing.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        secret_headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        json: object | None = None,
        form: Mapping[str, str] | None = None,
        deadline: float = 20.0,
        max_bytes: int = 10 * MIB,
        follow_redirects: bool | None = None,
    ) -> Response:
        """The answer, whatever its status, read to the end.

        At most one of ``content``, ``json`` and ``form`` is the body. ``secret_headers`` are
        sent to the first host only, as are Authorization and Cookie in ``headers``. ``deadline``
        is in seconds and total. Redirects are followed for GET and HEAD unless
        ``follow_redirects`` says otherwise; one that is not followed is returned as it is.
        Raises a subclass of `OutboundError`.
        """
        method = method.upper()
        if follow_redirects is None:
            follow_redirects = method in _SAFE_METHODS
        started = time.monotonic()
        hop = _Hop(
            method,
            self.policy.check_url(url, params),
            {"User-Agent": self.policy.user_agent, "Accept": "*/*", **_checked(headers)},
            _checked(secret_headers),
            *_encoded(content, json, form),
        )
        progress = Progress(hop.url.host)
        try:
            async with asyncio.timeout(deadline):
                response = await self._follow(
                    hop, progress, max_bytes, self.policy.max_redirects if follow_redirects else 0
                )
        except TimeoutError as error:
            raise progress.out_of_time(deadline) from error
        except OutboundError as error:
            # After a hop, even "refused" or "unreachable" is about the second request only.
            if method not in _SAFE_METHODS and progress.sent:
                error.maybe_sent = True
            raise
        return replace(response, elapsed=time.monotonic() - started)

    async def judged(self, url: str) -> tuple[str, int, str]:
        """Host, port and a judged address of it, for a program that connects by itself.

        That program must connect to this very address and follow no redirect. Raises `Refused`
        or `Unreachable`.
        """
        parsed = self.policy.check_url(url)
        host, port = parsed.raw_host.decode("ascii"), effective_port(parsed)
        [address, *_others] = await self._backend.judged(host, port)
        return host, port, str(address)

    async def connect(
        self, host: str, port: int, *, own_ports: frozenset[int] = frozenset()
    ) -> socket.socket:
        """A connection to a judged address of ``host``, for a protocol other than HTTP.

        ``own_ports`` are that protocol's, allowed although HTTP may not go there. Whoever speaks
        over it follows no redirect. Raises `Refused` or `Unreachable`.
        """
        if set(host) & set("/?#@"):
            raise Refused("The host's name must be a name only, without a path or an @.")
        name = f"[{host}]" if ":" in host else host
        parsed = self.policy.check_url(f"http://{name}:{80 if port in own_ports else port}/")
        known = parsed.raw_host.decode("ascii")
        try:
            async with asyncio.timeout(2 * CONNECT_SECONDS):
                return await connected(known, port, await self._backend.judged(known, port))
        except TimeoutError as error:
            raise Unreachable(f"{known} could not be reached in time.") from error

    def websocket(
        self,
        url: str,
        *,
        deadline: float = 20.0,
        max_message: int = MIB,
        max_bytes: int = 10 * MIB,
    ) -> AbstractAsyncContextManager[WebSocket]:
        """A WebSocket to a ws:// or wss:// address, open for the length of an ``async with``.

        The rules are those of http:// and https://. ``deadline`` is in seconds, total, and for the
        whole block. Of what comes back one message may hold ``max_message`` bytes, and everything
        together ``max_bytes``; nothing is compressed. A redirect is not followed (`NoWebSocket`).
        Raises a subclass of `OutboundError`, with ``maybe_sent`` once anything was sent.
        """
        return opened(
            url, self.policy, self._backend, self._tls,
            deadline=deadline, max_message=max_message, max_bytes=max_bytes,
        )  # fmt: skip

    async def get(self, url: str, **options: Any) -> Response:
        """`request` with GET; takes its options."""
        return await self.request("GET", url, **options)

    async def post(self, url: str, **options: Any) -> Response:
        """`request` with POST; takes its options."""
        return await self.request("POST", url, **options)

    async def _follow(
        self, hop: "_Hop", progress: "Progress", max_bytes: int, most_hops: int
    ) -> Response:
        redirects: list[Redirect] = []
        while True:
            response = await self._exchange(hop, progress, max_bytes)
            location = response.headers.get_all("location")
            if not most_hops or response.status not in _REDIRECTS or not location:
                return replace(response, redirects=tuple(redirects))
            if len(redirects) == most_hops:
                raise TooManyRedirects(
                    f"{hop.url.host} redirects more than {most_hops} times, perhaps in a circle."
                )
            hop = hop.redirected(response.status, _joined(hop.url, location[0]), self.policy)
            progress.host = hop.url.host
            redirects.append(Redirect(response.status, str(hop.url)))

    async def _exchange(self, hop: "_Hop", progress: "Progress", max_bytes: int) -> Response:
        host = hop.url.host
        pool = self._reading if hop.method in _SAFE_METHODS else self._writing
        with translated(host, progress):
            reply = await pool.handle_async_request(hop.message(progress))
            try:
                if len(reply.headers) > _MOST_HEADERS:
                    raise TooLarge(f"{host} answered with more than {_MOST_HEADERS} headers.")
                headers = Headers(tuple((_decoded(n), _decoded(v)) for n, v in reply.headers))
                body = await read_body(
                    reply.aiter_stream(),
                    coding=headers.get("content-encoding", ""),
                    length=headers.get("content-length", "") if hop.method != "HEAD" else "",
                    max_bytes=max_bytes,
                    host=host,
                )
            finally:
                await reply.aclose()
        return Response(reply.status, headers, body, str(hop.url))


@dataclass(frozen=True, slots=True)
class _Hop:
    """One request on the way, and how it changes when the far end sends us on."""

    method: str
    url: httpx.URL
    headers: Mapping[str, str]
    secrets: Mapping[str, str]
    content: bytes | None
    content_type: str

    def message(self, progress: "Progress") -> httpcore.Request:
        fields = {**self.headers, **self.secrets, "Accept-Encoding": ACCEPT_ENCODING}
        if self.content is not None:
            if self.content_type and not any(name.lower() == "content-type" for name in fields):
                fields["Content-Type"] = self.content_type
            fields["Content-Length"] = str(len(self.content))
        return httpcore.Request(
            self.method,
            httpcore.URL(
                scheme=self.url.raw_scheme,
                host=self.url.raw_host,
                port=self.url.port,
                target=self.url.raw_path,
            ),
            headers=[("Host", self.url.netloc.decode("ascii")), *fields.items()],
            content=self.content,
            extensions={"timeout": {"connect": CONNECT_SECONDS}, "trace": progress.note},
        )

    def redirected(self, status: int, target: str, policy: Policy) -> "_Hop":
        """The next request. Raises `Refused` where a redirect must not lead."""
        url = policy.check_url(target)
        if self.url.scheme == "https" and url.scheme == "http":
            raise Refused(f"{self.url.host} redirects from https to plain http.")
        hop = replace(self, url=url)
        if status == 303 or (status in (301, 302) and self.method == "POST"):
            method = "HEAD" if self.method == "HEAD" else "GET"
            hop = replace(hop, method=method, content=None, content_type="")
        if _same_place(self.url, url):
            return hop
        if hop.content is not None:
            raise Refused(f"{self.url.host} redirects what we send to another host, {url.host}.")
        public = {n: v for n, v in self.headers.items() if n.lower() not in _SECRET_HEADERS}
        return replace(hop, headers=public, secrets={})


def _decoded(field: bytes) -> str:
    # RFC 9110 promises ASCII only; a Location with an umlaut comes as UTF-8, older ones as Latin-1.
    try:
        return field.decode()
    except UnicodeDecodeError:
        return field.decode("latin-1")


def _joined(base: httpx.URL, location: str) -> str:
    try:
        return str(base.join(location))
    except (httpx.InvalidURL, ValueError) as error:
        raise Refused(f"{base.host} redirects to something that is not an address.") from error


def _same_place(old: httpx.URL, new: httpx.URL) -> bool:
    ports = (effective_port(old), effective_port(new))
    return old.host == new.host and (ports[0] == ports[1] or ports == (80, 443))


def _checked(headers: Mapping[str, str] | None) -> dict[str, str]:
    """The headers, if they can be sent as they are. Names a bad one, never its value."""
    for name, value in (headers or {}).items():
        if name.lower() in _OUR_HEADERS:
            raise ValueError(f"{name} is set by config.outbound itself")
        if not (name + value).isascii() or not (name + value).replace("\t", "").isprintable():
            raise Refused(
                f"The header {name!a} contains a line break or a character outside ASCII. "
                "Check the credentials for stray characters."
            )
    return dict(headers or {})


def _encoded(
    content: bytes | None, json: object | None, form: Mapping[str, str] | None
) -> tuple[bytes | None, str]:
    """The body's bytes and its default Content-Type."""
    if sum(body is not None for body in (content, json, form)) > 1:
        raise ValueError("give one of content, json and form")
    if json is None and form is None:
        return content, ""
    # httpx knows both encodings; the address is a placeholder.
    message = httpx.Request("POST", "http://localhost", json=json, data=form)
    return message.read(), message.headers.get("content-type", "application/x-www-form-urlencoded")
