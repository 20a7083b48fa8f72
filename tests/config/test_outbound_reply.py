"""Reading answers, and the seam to the settings and the AI SDKs."""

import asyncio
import gzip
import subprocess
import sys
from datetime import UTC, datetime
from ipaddress import ip_network

import httpx2
import pytest
from django.conf import LazySettings

from config import outbound
from config.outbound import Headers, Policy, Response, sdk_client
from tests.config.far_end import far_end, http, names

OUTSIDE = Policy(allowed_networks=(ip_network("127.0.0.1/32"),))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def response(body: bytes = b"", **headers: str) -> Response:
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(200, Headers(fields), body, "https://example.org/")


def test_headers_match_in_any_case_and_keep_repeats() -> None:
    headers = Headers((("Link", "<a>"), ("LINK", "<b>"), ("ETag", '"1"')))
    assert headers["link"] == "<a>, <b>"
    assert headers.get_all("Link") == ["<a>", "<b>"]
    assert headers.get("etag") == '"1"'
    assert "Etag" in headers
    assert headers.get("missing") is None


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("", "Fähre".encode(), "Fähre"),
        ("text/html; charset=iso-8859-1", "Fähre".encode("latin-1"), "Fähre"),
        ('text/html; charset="UTF-8"', "Fähre".encode(), "Fähre"),
        ("text/html; charset=no-such", "Fähre".encode(), "Fähre"),
        ("text/html; charset=zip", b"plain", "plain"),
        ("text/html; charset=\x00", b"plain", "plain"),
        ("text/plain", b"broken \xff", "broken �"),
    ],
)
def test_text_follows_the_charset_and_never_fails(
    content_type: str, body: bytes, text: str
) -> None:
    assert response(body, Content_Type=content_type).text() == text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff\xfe\xfa",
        b"[NaN]",
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"1" * 5_000,
    ],
    ids=["empty", "html", "bytes", "nan", "deep-list", "deep-object", "5000-digits"],
)
def test_json_that_is_not_fit_is_a_bad_body(body: bytes) -> None:
    with pytest.raises(outbound.BadBody):
        response(body).json()


def test_json_is_read() -> None:
    assert response(b'{"id": 12345678901234567890}').json() == {"id": 12345678901234567890}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "120"}, 120.0),
        (
            {
                "Retry_After": "Mon, 23 Nov 2026 10:01:30 GMT",
                "Date": "Mon, 23 Nov 2026 10:00:00 GMT",
            },
            90.0,
        ),
        (
            {
                "Retry_After": "Mon, 23 Nov 2026 09:00:00 GMT",
                "Date": "Mon, 23 Nov 2026 10:00:00 GMT",
            },
            0.0,
        ),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "-5"}, None),
        ({"Retry_After": "9" * 400}, None),
        ({}, None),
    ],
)
def test_retry_after_counts_on_the_far_ends_clock(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert response(b"", **headers).retry_after == seconds


def test_the_date_is_aware() -> None:
    reply = response(Date="Mon, 23 Nov 2026 10:00:00 GMT")
    assert reply.http_date == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert response(Date="yesterday").http_date is None


def test_the_settings_become_the_policy(settings: LazySettings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["10.1.0.0/16"]
    settings.OUTBOUND_USER_AGENT = "Desk/9"
    policy = outbound.from_settings()
    assert policy.allowed_networks == (ip_network("10.1.0.0/16"),)
    assert policy.user_agent == "Desk/9"


def test_importing_it_needs_neither_django_nor_the_sdks_client() -> None:
    check = (
        "import sys, config.outbound\n"
        "assert not {'django', 'celery', 'httpx2', 'httpcore2', 'openai'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], check=True)


@pytest.mark.anyio
async def test_the_sdks_client_is_under_the_same_guard() -> None:
    resolve = names(inside=["127.0.0.2"], api=["127.0.0.1"])
    async with (
        far_end(http(body=b'{"ok": true}')) as server,
        far_end(host="127.0.0.2", port=server.port) as canary,
        sdk_client(OUTSIDE, 5, resolve=resolve) as client,
    ):
        reply = await client.post(f"http://api.test:{server.port}/v1/chat", json={})
        assert reply.json() == {"ok": True}
        for url in (f"http://inside.test:{server.port}/", f"http://127.0.0.2:{server.port}/"):
            with pytest.raises(outbound.Refused):
                await client.get(url)
        with pytest.raises(outbound.Refused):
            await client.get("http://api.test:6379/")
        with pytest.raises(outbound.Unreachable):
            await client.get("http://gone.test/")
    assert canary.connections == 0


@pytest.mark.anyio
async def test_the_sdks_client_ignores_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    async with far_end() as canary, far_end(http(body=b"direct")) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{canary.port}")
        async with sdk_client(OUTSIDE, 5) as client:
            assert (await client.get(f"http://127.0.0.1:{server.port}/")).text == "direct"
    assert canary.connections == 0


@pytest.mark.anyio
async def test_the_sdks_client_has_a_total_deadline_and_a_limit() -> None:
    async def drip(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"a")
            await asyncio.sleep(0.05)

    async def flood(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while not writer.is_closing():
            writer.write(bytes(1 << 20))
            await writer.drain()

    async with far_end(drip) as server, sdk_client(OUTSIDE, 0.3) as client:
        with pytest.raises(httpx2.ReadTimeout):
            await client.get(f"http://127.0.0.1:{server.port}/")
    async with far_end(flood) as server, sdk_client(OUTSIDE, 10) as client:
        with pytest.raises(outbound.TooLarge):
            await client.get(f"http://127.0.0.1:{server.port}/")


@pytest.mark.anyio
async def test_the_sdks_client_unpacks_nothing() -> None:
    bomb = gzip.compress(bytes(1 << 20))
    answer = http(body=bomb, Content_Encoding="gzip")
    async with far_end(answer) as server, sdk_client(OUTSIDE, 5) as client:
        with pytest.raises(outbound.BadBody):
            await client.get(f"http://127.0.0.1:{server.port}/")
    assert b"accept-encoding: identity" in server.requests[0].lower()
