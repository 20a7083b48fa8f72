"""Promise 5 on the real wire: no request from here reaches where it shouldn't.

A *canary* is a server that must see no connection. 127.0.0.1 stands in for the public internet
by being allow-listed; 127.0.0.2 is the inside.
"""

import asyncio
import gzip
import json
import ssl
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from config import outbound
from config.outbound import Client, Policy
from config.outbound.transport import system_resolve
from tests.config.far_end import far_end, http, names, redirect, server_tls

pytestmark = pytest.mark.anyio

OUTSIDE = Policy(allowed_networks=(ip_network("127.0.0.1/32"),))
MIB = 1024 * 1024


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


# --- where a request may go ------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://127.1:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f000001:{port}/",
        "http://0x7f.1:{port}/",
        "http://0177.0.0.1:{port}/",
        "http://0.0.0.0:{port}/",
        "http://0:{port}/",
        "http://localhost:{port}/",
        "http://127.0.0.1.:{port}/",
        "http://[::1]:{port}/",
        "http://[::]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://[::127.0.0.1]:{port}/",
        "http://[64:ff9b::7f00:1]:{port}/",
        "http://[64:ff9b:1::7f00:1]:{port}/",
        "http://[2002:7f00:1::]:{port}/",
        "http://[2001:0:7f00:1::]:{port}/",
        "http://[fe80::1]:{port}/",
        "http://[fe80::1%25lo]:{port}/",
        "http://[fec0::1]:{port}/",
        "http://[fd00:ec2::254]:{port}/",
        "http://[ff02::1]:{port}/",
        "http://[2001:db8::1]:{port}/",
        "http://169.254.169.254:{port}/latest/meta-data/",
        "http://100.100.100.200:{port}/",
        "http://100.64.0.1:{port}/",
        "http://168.63.129.16:{port}/",
        "http://192.0.0.192:{port}/",
        "http://198.18.0.1:{port}/",
        "http://10.0.0.1:{port}/",
        "http://172.31.255.255:{port}/",
        "http://192.168.1.1:{port}/",
        "http://224.0.0.1:{port}/",
        "http://255.255.255.255:{port}/",
        "http://１２７.０.０.１:{port}/",
        "http://127。0。0。1:{port}/",
        "http://⑫7.0.0.1:{port}/",
        "http://127%2e0.0.1:{port}/",
        "http://half.test:{port}/",
        "http://cname.test:{port}/",
        "http://mapped.test:{port}/",
    ],
)
async def test_a_private_address_gets_no_connection(url: str) -> None:
    known = names(
        half=["93.184.215.14", "127.0.0.1"], cname=["10.0.0.7"], mapped=["::ffff:127.0.0.1"]
    )

    async def resolve(host: str, port: int) -> list[str]:
        return list(await (known if host.endswith(".test") else system_resolve)(host, port))

    async with far_end() as canary, Client(Policy(), resolve=resolve) as client:
        with pytest.raises(outbound.Refused) as caught:
            await client.get(url.replace("{port}", str(canary.port)), deadline=5)
    assert canary.connections == 0
    assert caught.value.maybe_sent is False


@pytest.mark.parametrize(
    "url",
    [
        "http://127.1:{port}/",
        "http://2130706433:{port}/",
        "http://127.0.0.1.:{port}/",
        "http://editor:pw@public.test:{port}/",
        "http://@127.0.0.1:{port}/",
        "http://public.test\\@127.0.0.1:{port}/",
        "http://public.test:22/",
        "http://public.test:6379/",
        "http://public.test:5432/",
        "http://public.test:0/",
        "http://public.test:99999/",
        "http://public.test:{port}/\r\nX-Injected: yes",
        "http://public.test:{port}/\tfeed",
        "http://public.test:{port}/a\\b",
        "http://public.test:{port}/\x00",
        "http:///feed",
        "http://",
        "https://[::1",
        "//public.test/feed",
        "public.test/feed",
        "",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/_FLUSHALL",
        "ftp://public.test/",
        "unix:///var/run/docker.sock",
        "data:text/plain,hello",
        "javascript:alert(1)",
        "http://public.test/" + "a" * 9000,
        "http://" + "a" * 64 + ".test:{port}/",
        "http://" + "a." * 200 + "test:{port}/",
    ],
)
async def test_a_malformed_address_is_refused_even_where_its_host_is_permitted(url: str) -> None:
    resolve = names(public=["127.0.0.1"])
    async with far_end(http()) as canary, Client(OUTSIDE, resolve=resolve) as client:
        with pytest.raises(outbound.Refused) as caught:
            await client.get(url.replace("{port}", str(canary.port)), deadline=5)
    assert canary.connections == 0
    assert caught.value.maybe_sent is False


async def test_a_permitted_network_is_reached_and_its_neighbours_are_not() -> None:
    async with far_end(http(body=b"hello")) as server, Client(OUTSIDE) as client:
        reply = await client.get(f"http://127.0.0.1:{server.port}/")
        with pytest.raises(outbound.Refused, match="OUTBOUND_ALLOWED_NETWORKS"):
            await client.get(f"http://127.0.0.2:{server.port}/")
    assert (reply.status, reply.body, reply.ok) == (200, b"hello", True)


@pytest.mark.parametrize(
    "address",
    [
        *("8.8.8.8", "11.0.0.1", "100.128.0.1", "172.32.0.1", "192.0.1.1", "198.20.0.1"),
        *("223.255.255.254", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "2a00:1450::1"),
        *("::ffff:8.8.8.8", "64:ff9b::808:808"),
    ],
)
def test_the_public_internet_is_not_private(address: str) -> None:
    Policy().check_address("public.test", ip_address(address))


async def test_a_name_that_changes_its_answer_is_asked_once_and_pinned() -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])

    async def rebinding(host: str, port: int) -> list[str]:
        return next(answers)

    async with (
        far_end(http(body=b"outside")) as server,
        far_end(host="127.0.0.2", port=server.port) as canary,
        Client(OUTSIDE, resolve=rebinding) as client,
    ):
        reply = await client.get(f"http://rebind.test:{server.port}/")
        assert reply.body == b"outside"
        assert next(answers) == ["127.0.0.2"], "the name was looked up more than once"
    assert canary.connections == 0


async def test_the_next_address_is_tried_when_the_first_does_not_answer() -> None:
    policy = Policy(allowed_networks=(ip_network("127.0.0.0/8"),))
    resolve = names(two=["127.0.0.3", "127.0.0.1"])
    async with far_end(http(body=b"second")) as server, Client(policy, resolve=resolve) as client:
        reply = await client.get(f"http://two.test:{server.port}/")
    assert reply.body == b"second"
    assert f"Host: two.test:{server.port}".encode() in server.requests[0]


async def test_proxy_variables_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        far_end() as canary,
        far_end(http(body=b"direct")) as server,
    ):
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
        async with Client(OUTSIDE) as client:
            reply = await client.get(f"http://127.0.0.1:{server.port}/")
    assert (reply.body, canary.connections) == (b"direct", 0)


# --- redirects -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.2:{canary}/",
        "//127.0.0.2:{canary}/",
        "http://127.2:{canary}/",
        "http://inside.test:{canary}/",
        "http://me:pw@127.0.0.1:{canary}/",
        "http://127.0.0.1:6379/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://[::1/",
    ],
)
async def test_a_redirect_to_the_inside_is_refused(target: str) -> None:
    async with far_end(host="127.0.0.2") as canary:
        reply = redirect(target.replace("{canary}", str(canary.port)))
        resolve = names(inside=["127.0.0.2"])
        async with far_end(reply) as server, Client(OUTSIDE, resolve=resolve) as client:
            with pytest.raises(outbound.Refused):
                await client.get(f"http://127.0.0.1:{server.port}/")
    assert canary.connections == 0


async def test_redirects_are_followed_and_reported() -> None:
    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        moved = redirect("/new?a=1", "301 Moved Permanently")
        writer.write(http(body=b"here") if b"GET /new?a=1 " in request else moved)

    async with far_end(answer) as server, Client(OUTSIDE) as client:
        base = f"http://127.0.0.1:{server.port}"
        reply = await client.get(f"{base}/old")
    assert reply.body == b"here"
    assert reply.url == f"{base}/new?a=1"
    assert reply.redirects == (outbound.Redirect(301, f"{base}/new?a=1"),)


async def test_a_location_with_an_umlaut_is_followed() -> None:
    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(http(body=b"here") if b"GET /f%C3%A4hre " in request else redirect("/fähre"))

    async with far_end(answer) as server, Client(OUTSIDE) as client:
        assert (await client.get(f"http://127.0.0.1:{server.port}/")).body == b"here"


async def test_a_chain_of_twenty_hops_is_cut_at_five() -> None:
    async with far_end(redirect("/again")) as server, Client(OUTSIDE) as client:
        with pytest.raises(outbound.TooManyRedirects):
            await client.get(f"http://127.0.0.1:{server.port}/")
    assert len(server.requests) == 6


async def test_secrets_stay_with_the_first_host() -> None:
    resolve = names(one=["127.0.0.1"], two=["127.0.0.1"])
    async with far_end(http()) as second:
        there = f"http://two.test:{second.port}/"
        async with far_end(redirect(there)) as first, Client(OUTSIDE, resolve=resolve) as client:
            await client.get(
                f"http://one.test:{first.port}/",
                headers={"authorization": "Bearer canary-1", "X-Plain": "kept"},
                secret_headers={"X-Api-Key": "canary-2"},
            )
    assert b"canary-1" in first.requests[0]
    assert b"canary-2" in first.requests[0]
    assert b"canary" not in second.requests[0]
    assert b"X-Plain: kept" in second.requests[0]


async def test_secrets_stay_with_a_redirect_on_the_same_host() -> None:
    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(http() if b" /b " in request else redirect("/b"))

    async with far_end(answer) as server, Client(OUTSIDE) as client:
        await client.get(f"http://127.0.0.1:{server.port}/a", secret_headers={"X-Api-Key": "kept"})
    assert b"X-Api-Key: kept" in server.requests[1]


async def test_https_is_never_left_for_http(tmp_path: Path) -> None:
    tls, certificate = server_tls(tmp_path, "news.test")
    trusting = ssl.create_default_context(cadata=certificate)
    async with far_end(http()) as canary:
        reply = redirect(f"http://127.0.0.1:{canary.port}/")
        async with (
            far_end(reply, tls=tls) as server,
            Client(OUTSIDE, resolve=names(news=["127.0.0.1"]), tls=trusting) as client,
        ):
            with pytest.raises(outbound.Refused, match="plain http"):
                await client.get(f"https://news.test:{server.port}/")
    assert canary.connections == 0


async def test_a_post_is_not_redirected_unless_asked() -> None:
    async with far_end(redirect("/b")) as server, Client(OUTSIDE) as client:
        reply = await client.post(f"http://127.0.0.1:{server.port}/a", json={"a": 1})
    assert (reply.status, reply.ok, len(server.requests)) == (302, False, 1)


async def test_a_body_is_not_carried_to_another_host() -> None:
    resolve = names(one=["127.0.0.1"], two=["127.0.0.1"])
    async with far_end(http()) as canary:
        reply = redirect(f"http://two.test:{canary.port}/", "307 Temporary Redirect")
        async with far_end(reply) as server, Client(OUTSIDE, resolve=resolve) as client:
            with pytest.raises(outbound.Refused) as caught:
                await client.post(
                    f"http://one.test:{server.port}/",
                    form={"client_secret": "canary"},
                    follow_redirects=True,
                )
    assert canary.connections == 0
    assert caught.value.maybe_sent, "the first host has had the request"


# --- certificates ----------------------------------------------------------------------------


async def test_the_pinned_connection_is_verified_under_the_name(tmp_path: Path) -> None:
    tls, certificate = server_tls(tmp_path, "news.test")
    trusting = ssl.create_default_context(cadata=certificate)
    resolve = names(news=["127.0.0.1"], other=["127.0.0.1"])
    async with (
        far_end(http(body=b"secure"), tls=tls) as server,
        Client(OUTSIDE, resolve=resolve, tls=trusting) as client,
    ):
        reply = await client.get(f"https://news.test:{server.port}/")
        assert reply.body == b"secure"
        with pytest.raises(outbound.BadCertificate, match=r"other\.test is not valid: .*mismatch"):
            await client.get(f"https://other.test:{server.port}/")


async def test_an_unknown_or_expired_certificate_is_named(tmp_path: Path) -> None:
    stale, certificate = server_tls(tmp_path, "news.test", expired=True)
    trusting = ssl.create_default_context(cadata=certificate)
    resolve = names(news=["127.0.0.1"])
    async with far_end(http(), tls=stale) as server:
        address = f"https://news.test:{server.port}/"
        async with Client(OUTSIDE, resolve=resolve, tls=trusting) as client:
            with pytest.raises(outbound.BadCertificate, match="expired"):
                await client.get(address)
        async with Client(OUTSIDE, resolve=resolve) as client:
            with pytest.raises(outbound.BadCertificate, match=r"news\.test") as caught:
                await client.post(address, content=b"story")
    assert caught.value.maybe_sent is False
    assert server.requests == []


async def test_plain_http_behind_https_is_unreachable() -> None:
    async def not_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(http("400 Bad Request"))
        writer.close()

    server = await asyncio.start_server(not_tls, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Client(OUTSIDE) as client:
        with pytest.raises(outbound.Unreachable, match="secure connection"):
            await client.get(f"https://127.0.0.1:{port}/", deadline=3)


# --- how much is read ------------------------------------------------------------------------


async def test_gzip_is_read() -> None:
    packed = gzip.compress(b"first ") + gzip.compress(b"second")
    answer = http(body=packed, Content_Encoding="gzip")
    async with far_end(answer) as server, Client(OUTSIDE) as client:
        reply = await client.get(f"http://127.0.0.1:{server.port}/")
    assert reply.body == b"first second"
    assert b"Accept-Encoding: gzip\r\n" in server.requests[0]


async def test_a_gzip_bomb_is_cut_before_it_is_in_memory() -> None:
    bomb = gzip.compress(bytes(100 * MIB), compresslevel=6)
    assert len(bomb) < MIB
    async with (
        far_end(http(body=bomb, Content_Encoding="gzip")) as server,
        Client(OUTSIDE) as client,
    ):
        tracemalloc.start()
        try:
            with pytest.raises(outbound.TooLarge, match="1,048,576"):
                await client.get(f"http://127.0.0.1:{server.port}/", max_bytes=MIB)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 6 * MIB


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "gzip, gzip", "gzip;q=1", "x" * 90])
async def test_a_coding_that_was_not_offered_is_refused(coding: str) -> None:
    answer = http(body=b"\x1f\x8b" * 200, Content_Encoding=coding)
    async with far_end(answer) as server, Client(OUTSIDE) as client:
        with pytest.raises(outbound.BadBody):
            await client.get(f"http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize(
    "body",
    [b"not gzip at all", gzip.compress(b"a" * 5000, mtime=0)[:-12]],
    ids=["not-gzip", "cut-short"],
)
async def test_broken_gzip_is_a_bad_body(body: bytes) -> None:
    answer = http(body=body, Content_Encoding="gzip")
    async with far_end(answer) as server, Client(OUTSIDE) as client:
        with pytest.raises(outbound.BadBody):
            await client.get(f"http://127.0.0.1:{server.port}/")


async def test_an_endless_chunked_body_is_cut() -> None:
    async def endless(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"1000\r\n" + b"a" * 0x1000 + b"\r\n")
            await writer.drain()

    async with far_end(endless) as server, Client(OUTSIDE) as client:
        with pytest.raises(outbound.TooLarge):
            await client.get(f"http://127.0.0.1:{server.port}/", max_bytes=MIB, deadline=10)


async def test_a_declared_length_over_the_limit_is_not_even_read() -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"
    async with far_end(reply) as server, Client(OUTSIDE) as client:
        with pytest.raises(outbound.TooLarge):
            await client.get(f"http://127.0.0.1:{server.port}/", deadline=5)


async def test_a_body_shorter_than_declared_is_no_answer() -> None:
    async def cut(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        writer.close()

    async with far_end(cut) as server, Client(OUTSIDE) as client:
        with pytest.raises(outbound.NoAnswer) as caught:
            await client.post(f"http://127.0.0.1:{server.port}/", content=b"story")
    assert caught.value.maybe_sent


async def test_surplus_bytes_are_not_taken_for_the_receipt_of_the_next_post() -> None:
    surplus = http(body=b"receipt") + http(body=b"smuggled")
    async with far_end(surplus) as server, Client(OUTSIDE) as client:
        address = f"http://127.0.0.1:{server.port}/"
        bodies = [(await client.post(address, content=b"story")).body for _ in range(2)]
    assert bodies == [b"receipt", b"receipt"]
    assert server.connections == 2


async def test_reads_share_a_connection() -> None:
    async with far_end(http(body=b"one")) as server, Client(OUTSIDE) as client:
        for _ in range(3):
            await client.get(f"http://127.0.0.1:{server.port}/")
    assert (server.connections, len(server.requests)) == (1, 3)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * MIB + b"\r\n\r\n", outbound.TooLarge),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 10_000 + b"\r\n", outbound.TooLarge),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
            outbound.NoAnswer,
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab", outbound.NoAnswer),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nab", outbound.NoAnswer),
        (b"220 mail.example ESMTP\r\n\r\n", outbound.NoAnswer),
    ],
    ids=["1-MB-header", "10000-headers", "invalid-chunk", "two-lengths", "negative", "not-http"],
)
async def test_a_malformed_answer_is_a_clean_error(reply: bytes, error: type[Exception]) -> None:
    async with far_end(reply) as server, Client(OUTSIDE) as client:
        with pytest.raises(error):
            await client.get(f"http://127.0.0.1:{server.port}/", deadline=5)


async def test_head_and_empty_answers_have_no_body_to_unpack() -> None:
    answer = http("304 Not Modified", Content_Encoding="gzip")
    async with far_end(answer) as server, Client(OUTSIDE) as client:
        address = f"http://127.0.0.1:{server.port}/"
        assert (await client.request("HEAD", address)).body == b""
        assert (await client.get(address)).status == 304


# --- how long it takes -----------------------------------------------------------------------


async def _drip_body(request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    await _drip(writer)


async def _drip_headers(request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    await _drip(writer)


async def _silence(request: bytes, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def _drip(writer: asyncio.StreamWriter) -> None:
    while not writer.is_closing():
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("answer", [_drip_body, _drip_headers, _silence])
async def test_the_deadline_is_total(
    answer: Callable[[bytes, asyncio.StreamWriter], Awaitable[None]],
) -> None:
    async with far_end(answer) as server, Client(OUTSIDE) as client:
        started = time.monotonic()
        with pytest.raises(outbound.NoAnswer, match=r"within 0\.4 seconds") as caught:
            await client.post(f"http://127.0.0.1:{server.port}/", content=b"story", deadline=0.4)
        assert time.monotonic() - started < 10
    assert caught.value.maybe_sent


async def test_the_deadline_covers_redirects_together() -> None:
    async def slowly_on(request: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.15)
        writer.write(redirect("/again"))

    async with far_end(slowly_on) as server, Client(OUTSIDE) as client:
        with pytest.raises(outbound.NoAnswer):
            await client.get(f"http://127.0.0.1:{server.port}/", deadline=0.4)


async def test_a_name_server_that_hangs_is_cut_and_nothing_was_sent() -> None:
    async def hang(host: str, port: int) -> list[str]:
        await asyncio.sleep(5)
        return []

    async with Client(OUTSIDE, resolve=hang) as client:
        with pytest.raises(outbound.Unreachable) as caught:
            await client.post("http://slow.test/", content=b"story", deadline=0.2)
    assert not caught.value.maybe_sent


async def test_refused_connections_and_unknown_names_say_so() -> None:
    async with far_end() as server:
        pass  # closed again: nobody listens on that port
    async with Client(OUTSIDE, resolve=names()) as client:
        with pytest.raises(outbound.Unreachable, match=f"127.0.0.1, port {server.port}"):
            await client.get(f"http://127.0.0.1:{server.port}/")
        with pytest.raises(outbound.Unreachable, match=r"The name gone\.test"):
            await client.get("http://gone.test/")


async def test_a_hundred_at_once_share_one_client() -> None:
    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(http(body=b"ok"))

    async with far_end(answer) as server, Client(OUTSIDE) as client:
        address = f"http://127.0.0.1:{server.port}/"
        replies = await asyncio.gather(*(client.get(address) for _ in range(100)))
    assert [reply.body for reply in replies] == [b"ok"] * 100


async def test_requests_cut_at_the_deadline_leave_room_for_others() -> None:
    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        if b"/slow" in request:
            await asyncio.sleep(1)
        writer.write(http(body=b"ok"))

    async with far_end(answer) as server, Client(OUTSIDE) as client:
        base = f"http://127.0.0.1:{server.port}"
        cut = await asyncio.gather(
            *(client.get(f"{base}/slow", deadline=0.3) for _ in range(120)),
            return_exceptions=True,
        )
        reply = await client.get(f"{base}/", deadline=2)
    # More than the pool holds: some waited for a connection and sent nothing.
    kinds = [type(error) for error in cut]
    assert kinds.count(outbound.NoAnswer) + kinds.count(outbound.Unreachable) == 120
    assert reply.body == b"ok"


# --- what is sent ----------------------------------------------------------------------------


async def test_each_kind_of_body_arrives_with_its_type() -> None:
    async with far_end(http()) as server, Client(OUTSIDE) as client:
        address = f"http://127.0.0.1:{server.port}/x?a=1"
        await client.post(address, json={"title": "Fähre"}, params={"b": "ä&"})
        await client.post(address, form={"a": "1 2"})
        await client.post(address, content=b"\x00raw", headers={"Content-Type": "image/png"})
        await client.request("DELETE", address)
    as_json, as_form, raw, bare = server.requests
    assert b"POST /x?a=1&b=%C3%A4%26 " in as_json
    assert b"Content-Type: application/json" in as_json
    assert json.loads(as_json.partition(b"\r\n\r\n")[2]) == {"title": "Fähre"}
    assert b"application/x-www-form-urlencoded" in as_form
    assert as_form.endswith(b"\r\n\r\na=1+2")
    assert b"image/png" in raw
    assert raw.endswith(b"\x00raw")
    assert b"Content-Type" not in bare


@pytest.mark.parametrize("value", ["key\r\nX-Injected: 1", "schlüssel", "zero\x00", "tail\n"])
async def test_a_header_that_cannot_be_sent_is_named_without_its_value(value: str) -> None:
    async with far_end(http()) as canary, Client(OUTSIDE) as client:
        with pytest.raises(outbound.Refused, match="'X-Key'") as caught:
            await client.get(f"http://127.0.0.1:{canary.port}/", secret_headers={"X-Key": value})
    assert value not in str(caught.value)
    assert canary.requests == []


async def test_cookies_are_not_kept() -> None:
    async with far_end(http(Set_Cookie="session=1")) as server, Client(OUTSIDE) as client:
        for _ in range(2):
            reply = await client.get(f"http://127.0.0.1:{server.port}/")
    assert reply.headers.get_all("set-cookie") == ["session=1"]
    assert "session=1" not in repr(reply)
    assert b"cookie" not in server.requests[1].lower()
