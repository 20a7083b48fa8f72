"""A WebSocket (RFC 6455) under the same guard as every request: judged, pinned, bounded, timed."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpcore
import httpx
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus, PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from config.outbound.errors import NoAnswer, NoWebSocket, OutboundError, Refused, TooLarge
from config.outbound.policy import Policy, effective_port
from config.outbound.progress import Progress, translated
from config.outbound.transport import CONNECT_SECONDS, PinnedBackend

_SCHEMES = {"ws": "http", "wss": "https"}
_CHUNK = 64 * 1024
_GOODBYE = 1.0  # seconds for telling the far end that we leave
_BROKEN = (httpcore.NetworkError, httpcore.TimeoutException)


class WebSocket:
    """An open connection that carries text. For one task at a time; made by `opened` only."""

    def __init__(
        self,
        stream: httpcore.AsyncNetworkStream,
        protocol: ClientProtocol,
        progress: Progress,
        max_bytes: int,
    ) -> None:
        self._stream = stream
        self._protocol = protocol
        self._progress = progress
        self._left = max_bytes
        self._messages: deque[str] = deque()
        self._pieces: list[bytes] = []
        self._text = True
        self._ended = ""

    async def send(self, message: str) -> None:
        """Send one text message. From here on the far end may have acted. Raises `NoAnswer`."""
        self._progress.sent = True
        if self._ended:
            raise NoAnswer(self._ended)
        self._protocol.send_text(message.encode())
        await self._flush()

    async def receive(self) -> str:
        """The next text message; pings are answered on the way.

        Raises `NoAnswer` when the far end closes, breaks off or sends what is no text, and
        `TooLarge` when one message or all of them are more than was allowed.
        """
        while not self._messages:
            if self._ended:
                raise self._broken(self._ended)
            await self._more()
        return self._messages.popleft()

    async def shake_hands(self, user_agent: str) -> None:
        """Ask for a WebSocket. Raises `NoWebSocket` if the answer is anything else."""
        request = self._protocol.connect()
        request.headers["User-Agent"] = user_agent
        self._protocol.send_request(request)
        await self._flush()
        while self._protocol.state.name == "CONNECTING" and not self._protocol.handshake_exc:
            await self._more()
        problem = self._protocol.handshake_exc
        if isinstance(problem, InvalidStatus):
            raise NoWebSocket(self._progress.host, problem.response.status_code)
        if problem is not None:
            raise NoWebSocket(self._progress.host) from problem

    async def leave(self) -> None:
        """Say goodbye, if the far end still listens; its answer is not waited for."""
        if self._ended or self._protocol.state.name != "OPEN":
            return
        self._protocol.send_close(1000)
        try:
            async with asyncio.timeout(_GOODBYE):
                await self._flush()
        except (TimeoutError, OutboundError):
            return

    async def _more(self) -> None:
        """Take in what has come."""
        try:
            data = await self._stream.read(_CHUNK)
        except _BROKEN as error:
            raise self._broken(f"The connection to {self._progress.host} broke.") from error
        self._left -= len(data)
        if self._left < 0:
            raise self._too_large()
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        await self._flush()
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take(event)
        problem = self._protocol.parser_exc
        if isinstance(problem, PayloadTooBig):
            raise self._too_large() from problem
        if (problem is not None or not data) and not self._ended:
            self._ended = f"{self._progress.host} broke off, or does not speak WebSocket."

    def _take(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            self._ended = f"{self._progress.host} closed the connection."
            return
        if frame.opcode in (Opcode.PING, Opcode.PONG):
            return
        if frame.opcode is not Opcode.CONT:
            self._pieces, self._text = [], frame.opcode is Opcode.TEXT
        self._pieces.append(bytes(frame.data))
        if not frame.fin:
            return
        whole = b"".join(self._pieces)
        self._pieces = []
        if self._text:  # RFC 6455 wants it to be UTF-8; what isn't is for its reader to refuse
            self._messages.append(whole.decode(errors="replace"))

    async def _flush(self) -> None:
        try:
            for data in self._protocol.data_to_send():
                if data:  # b"" asks to close the sending half, which `leave` and the end do
                    await self._stream.write(data)
        except _BROKEN as error:
            raise self._broken(f"The connection to {self._progress.host} broke.") from error

    def _broken(self, words: str) -> NoAnswer:
        return NoAnswer(words, maybe_sent=self._progress.sent)

    def _too_large(self) -> TooLarge:
        words = f"{self._progress.host} sends more than is allowed."
        return TooLarge(words, maybe_sent=self._progress.sent)


@asynccontextmanager
async def opened(
    url: str,
    policy: Policy,
    backend: PinnedBackend,
    tls: ssl.SSLContext,
    *,
    deadline: float,
    max_message: int,
    max_bytes: int,
) -> AsyncIterator[WebSocket]:
    """A connection for the length of the block; see `config.outbound.Client.websocket`."""
    address = policy.check_url(_as_http(url))
    progress = Progress(address.host)
    try:
        async with asyncio.timeout(deadline) as clock:
            stream = await _connected(address, backend, tls, progress)
            try:
                protocol = ClientProtocol(
                    parse_uri(str(address.copy_with(scheme=_ws(address)))), max_size=max_message
                )
                socket = WebSocket(stream, protocol, progress, max_bytes)
                await socket.shake_hands(policy.user_agent)
                yield socket
                await socket.leave()
            finally:
                await stream.aclose()
    except TimeoutError as error:
        if not clock.expired():
            raise
        raise progress.out_of_time(deadline) from error


async def _connected(
    address: httpx.URL, backend: PinnedBackend, tls: ssl.SSLContext, progress: Progress
) -> httpcore.AsyncNetworkStream:
    host = address.raw_host.decode("ascii")
    with translated(address.host, progress):
        stream = await backend.connect_tcp(host, effective_port(address), CONNECT_SECONDS)
        if address.scheme == "http":
            return stream
        try:
            return await stream.start_tls(tls, server_hostname=host)
        except BaseException:
            await stream.aclose()
            raise


def _as_http(url: str) -> str:
    """The address under the scheme whose rules hold for it, too."""
    scheme, separator, rest = url.partition("://")
    known = _SCHEMES.get(scheme.lower())
    if not (known and separator):
        raise Refused("Only ws:// and wss:// addresses can be used for this.")
    return f"{known}://{rest}"


def _ws(address: httpx.URL) -> str:
    return "wss" if address.scheme == "https" else "ws"
