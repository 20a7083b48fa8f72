"""Promise 5 for WebSockets: the same judgement, limits and clock as for every request."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest
from websockets.asyncio.server import ServerConnection, serve

from config import outbound
from config.outbound import Client, Policy
from tests.config.far_end import far_end, http, names, redirect, server_tls

pytestmark = pytest.mark.anyio
OUTSIDE = Policy(allowed_networks=(ip_network("127.0.0.1/32"),))
KIB = 1024


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def listening(
    handle: Callable[[ServerConnection], Awaitable[None]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    async with serve(handle, "127.0.0.1", 0, ssl=tls, max_size=None) as server:
        yield server.sockets[0].getsockname()[1]


async def echo(socket: ServerConnection) -> None:
    async for message in socket:
        await socket.send(message)


@asynccontextmanager
async def opened(port: int, **options):
    where = f"ws://127.0.0.1:{port}/"
    async with Client(OUTSIDE) as client, client.websocket(where, **options) as socket:
        yield socket


async def hears(port: int, *words: str, **options) -> list[str]:
    """What comes back on these words, until it ends or raises."""
    heard: list[str] = []
    async with opened(port, **options) as socket:
        for each in words:
            await socket.send(each)
        while True:
            heard.append(await socket.receive())


async def test_text_goes_there_and_back():
    async with listening(echo) as port, opened(port) as socket:
        for words in ("one", "Fähre 🛥️", "x" * 100_000, ""):
            await socket.send(words)
            assert await socket.receive() == words


async def test_it_leaves_with_a_goodbye():
    left = asyncio.Event()

    async def wait(socket):
        await socket.wait_closed()
        assert socket.close_code == 1000
        left.set()

    async with listening(wait) as port:
        async with opened(port):
            pass
        await asyncio.wait_for(left.wait(), 5)


async def test_a_message_in_pieces_with_pings_between_is_one():
    async def pieces(socket):
        async def parts():
            yield "one "
            await socket.ping()
            yield "two"

        await socket.send(parts())
        await socket.wait_closed()

    async with listening(pieces) as port, opened(port) as socket:
        assert await socket.receive() == "one two"


async def test_what_is_no_text_is_passed_over():
    async def mixed(socket):
        await socket.send(b"\x00\xff")
        await socket.send("words")
        await socket.wait_closed()

    async with listening(mixed) as port, opened(port) as socket:
        assert await socket.receive() == "words"


@pytest.mark.parametrize(
    "url",
    [
        "ws://127.0.0.2:{port}/", "ws://localhost.test:{port}/", "ws://[::1]:{port}/",
        "ws://10.0.0.1/", "ws://169.254.169.254/", "ws://127.1:{port}/", "ws://user:x@127.0.0.1/",
        "http://127.0.0.1:{port}/", "file:///etc/passwd", "//127.0.0.1/", "ws:", "", "wss://",
        "ws://127.0.0.1:6379/", "ws://a\nb/", "javascript:ws://127.0.0.1/",
    ],
)  # fmt: skip
async def test_where_no_request_may_go_no_websocket_is_opened(url):
    async with far_end() as canary, far_end(host="127.0.0.2", port=canary.port):
        resolve = names(localhost=["127.0.0.1", "127.0.0.2"])
        async with Client(OUTSIDE, resolve=resolve) as client:
            with pytest.raises(outbound.Refused) as refusal:
                async with client.websocket(url.format(port=canary.port)):
                    pytest.fail("it was opened")
        assert not refusal.value.maybe_sent
        assert canary.connections == 0


async def test_the_name_is_looked_up_once_and_the_judged_address_is_called():
    asked = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    async with (
        listening(echo) as port,
        Client(OUTSIDE, resolve=resolve) as client,
        client.websocket(f"ws://relay.test:{port}/") as socket,
    ):
        await socket.send("x")
        assert await socket.receive() == "x"
    assert asked == ["relay.test"]


async def test_a_certificate_must_be_for_the_name(tmp_path):
    server, certificate = server_tls(tmp_path, "relay.test")
    trusting = ssl.create_default_context(cadata=certificate)
    where = names(relay=["127.0.0.1"], other=["127.0.0.1"])
    async with listening(echo, server) as port:
        async with Client(OUTSIDE, resolve=where, tls=trusting) as client:
            async with client.websocket(f"wss://relay.test:{port}/") as socket:
                await socket.send("x")
                assert await socket.receive() == "x"
            with pytest.raises(outbound.BadCertificate):
                async with client.websocket(f"wss://other.test:{port}/"):
                    pytest.fail("it was opened")
        async with Client(OUTSIDE, resolve=where) as client:
            with pytest.raises(outbound.BadCertificate) as refusal:
                async with client.websocket(f"wss://relay.test:{port}/"):
                    pytest.fail("it was opened")
    assert not refusal.value.maybe_sent


@pytest.mark.parametrize(
    ("answer", "status", "permanent"),
    [
        (http(), 200, True), (http("404 Not Found"), 404, True), (http("403 Forbidden"), 403, True),
        (redirect("ws://127.0.0.2/"), 302, True), (http("429 Too Many"), 429, False),
        (http("503 Unavailable"), 503, False), (b"SMTP ready\r\n\r\n", None, False),
        (http("101 Switching Protocols", Upgrade="websocket", Connection="Upgrade"), None, False),
        (http("200 OK" + "x" * 20_000), None, False),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500 + b"\r\n", None, False),
    ],
)  # fmt: skip
async def test_an_answer_that_opens_none_is_named_and_nothing_was_sent(answer, status, permanent):
    async with far_end(answer) as there:
        with pytest.raises(outbound.NoWebSocket) as refusal:
            async with opened(there.port):
                pytest.fail("it was opened")
        assert there.connections == 1
    problem = refusal.value
    assert (problem.status, problem.permanent, problem.maybe_sent) == (status, permanent, False)


async def test_one_message_and_all_together_have_a_limit():
    async def much(socket):
        for _ in range(100):
            await socket.send("x" * 10 * KIB)
        await socket.wait_closed()

    async with listening(much) as port:
        with pytest.raises(outbound.TooLarge):
            async with opened(port, max_message=5 * KIB) as socket:
                await socket.receive()
        with pytest.raises(outbound.TooLarge):
            await hears(port, max_message=20 * KIB, max_bytes=200 * KIB)


async def test_a_message_in_endless_pieces_has_the_same_limit():
    async def endless(socket):
        async def parts():
            while True:
                yield "x" * KIB

        await socket.send(parts())

    async with listening(endless) as port:
        with pytest.raises(outbound.TooLarge):
            async with opened(port, max_message=50 * KIB) as socket:
                await socket.receive()


async def test_the_clock_runs_for_the_whole_block():
    async def drip(socket):
        while True:
            await socket.send("x")
            await asyncio.sleep(0.05)

    async with listening(drip) as port:
        with pytest.raises(outbound.Unreachable, match=r"within 0\.4 seconds"):
            await hears(port, deadline=0.4)
        with pytest.raises(outbound.NoAnswer) as late:
            await hears(port, "x", deadline=0.4)
        assert late.value.maybe_sent


async def test_a_far_end_that_never_answers_the_handshake_is_left_in_time():
    async with far_end() as silent:
        with pytest.raises(outbound.Unreachable, match=r"within 0\.3 seconds"):
            async with opened(silent.port, deadline=0.3):
                pytest.fail("it was opened")


@pytest.mark.parametrize("sends", [False, True])
async def test_a_connection_that_ends_says_whether_anything_was_sent(sends):
    async def leave(socket):
        if sends:
            await socket.recv()
        await socket.close()

    async with listening(leave) as port:
        with pytest.raises(outbound.NoAnswer, match="closed the connection") as ended:
            await hears(port, *(["x"] if sends else []))
    assert ended.value.maybe_sent is sends


async def test_a_trouble_of_the_caller_is_the_callers_own():
    async with listening(echo) as port:
        with pytest.raises(TimeoutError):
            async with opened(port):
                raise TimeoutError
        with pytest.raises(KeyError):
            async with opened(port):
                raise KeyError
