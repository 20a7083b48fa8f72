"""Opening connections: resolve once, judge every answer, connect to what was judged."""

import asyncio
import functools
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

import certifi
import httpcore

from config.outbound.errors import Unreachable
from config.outbound.policy import Address, Policy

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host name and port to its addresses as text; `OSError` if there are none."""

CONNECT_SECONDS = 10.0  # for all addresses of a host together, TLS not counted
_MOST_ADDRESSES = 4  # how many of a host's addresses are tried in turn


async def system_resolve(host: str, port: int) -> list[str]:
    """The addresses the operating system knows for ``host``, in its order of preference."""
    # A pool of our own: asyncio's default one is small, and the end of an event loop waits
    # for it, so one dead name server would hold up everything past any deadline.
    found = await asyncio.get_running_loop().run_in_executor(
        _resolver_threads(os.getpid()),
        functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM),
    )
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@functools.cache
def tls_context() -> ssl.SSLContext:
    """The process's TLS settings. Loading the certificates costs too much to do it per client."""
    return ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or certifi.where())


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """Connects to an address it has judged itself, so that no second look-up can differ.

    The TLS name stays the host's: httpcore passes it to ``start_tls`` on its own.
    """

    def __init__(
        self,
        policy: Policy,
        resolve: Resolve,
        sockets: httpcore.AsyncNetworkBackend,
        connect_errors: tuple[type[Exception], ...],
    ) -> None:
        self._policy = policy
        self._resolve = resolve
        self._sockets = sockets
        self._connect_errors = connect_errors

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A stream to one of the host's addresses. Raises `Refused` or `Unreachable`."""
        addresses = (await self.judged(host, port))[:_MOST_ADDRESSES]
        seconds = min(CONNECT_SECONDS, timeout or CONNECT_SECONDS) / len(addresses)
        failure: Exception | None = None
        for address in addresses:
            try:
                return await self._sockets.connect_tcp(
                    str(address), port, seconds, local_address, socket_options
                )
            except self._connect_errors as error:
                failure = error
        raise Unreachable(
            f"Nothing answers at {host}, port {port}. Check the address; or the server is down."
        ) from failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never: a socket file is not outside."""
        raise NotImplementedError("outbound requests go over TCP only")

    async def sleep(self, seconds: float) -> None:
        """Wait; asked for by httpcore between retries, of which we make none."""
        await asyncio.sleep(seconds)

    async def judged(self, host: str, port: int) -> list[Address]:
        """Every address of the host, all of them permitted: one bad answer refuses the name."""
        try:
            answers = [ip_address(host)]
        except ValueError:
            answers = await self._looked_up(host, port)
        for address in answers:
            self._policy.check_address(host, address)
        return answers

    async def _looked_up(self, host: str, port: int) -> list[Address]:
        try:
            answers = [ip_address(text) for text in await self._resolve(host, port)]
        except (OSError, UnicodeError) as error:  # UnicodeError: a label too long for IDNA
            raise Unreachable(
                f"The name {host} could not be found. Check how it is spelled, and whether this "
                "machine reaches the internet."
            ) from error
        if not answers:
            raise Unreachable(f"The name {host} has no address.")
        return answers


async def connected(host: str, port: int, addresses: Sequence[Address]) -> socket.socket:
    """A connected, non-blocking socket to the first of the judged addresses that answers."""
    loop = asyncio.get_running_loop()
    tried = addresses[:_MOST_ADDRESSES]
    failure: OSError | None = None
    for address in tried:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            async with asyncio.timeout(CONNECT_SECONDS / len(tried)):
                await loop.sock_connect(sock, (str(address), port))
            return sock
        except OSError as error:  # TimeoutError is one of them
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
    raise Unreachable(f"Nothing answers at {host}, port {port}.") from failure


@functools.cache
def _resolver_threads(_process: int) -> ThreadPoolExecutor:
    # Keyed by process: a forked worker inherits the pool's object but not its threads.
    return ThreadPoolExecutor(max_workers=32, thread_name_prefix="resolve")
