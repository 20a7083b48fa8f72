"""Hostile input, number by number, each through a real sync, with a canary that must stay quiet.

What is expected stands beside each case. R: refused before connecting. E: a clean error, and the
source waits longer. C: cut off at a limit, with little memory. S: stored, and safe.
"""

import gzip
import json
import resource
import ssl
import time
import zlib
from collections.abc import Iterator

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from lxml import html as lxml_html

from articles.models import Article
from config.outbound.transport import tls_context
from sources import fetching
from sources.models import Source, SyncRun
from sources.sync import sync
from tests.config.far_end import http, redirect, server_tls
from tests.sources.conftest import item, rss
from tests.sources.hostile_documents import DOCUMENTS, MARKUP
from tests.sources.hostile_world import ALLOWED, OUTSIDE, hostile_world

pytestmark = pytest.mark.django_db
MIB = 1024 * 1024
FEED = rss(item(1))


@pytest.fixture
def world(monkeypatch, settings):
    """The hostile world; whatever happens in it, the canary hears nothing."""
    settings.OUTBOUND_ALLOWED_NETWORKS = list(ALLOWED)
    with hostile_world(monkeypatch) as world:
        yield world
        assert world.visits == 0


def sync_of(url: str, connector: str = "feed", **more) -> tuple[Source, SyncRun]:
    """A real sync of a source at this address, and the source as it stands afterwards."""
    source = Source.objects.create(
        name="Hostile", api_endpoint=url, connector=connector, rate_limit_per_minute=600_000, **more
    )
    run = sync(source.pk, forced=True)
    assert isinstance(run, SyncRun), run
    source.refresh_from_db()
    return source, run


def refused(url: str, *words: str, connector: str = "feed", **more) -> SyncRun:
    """It ended in a clean error: a sentence, a wait, and nothing stored."""
    source, run = sync_of(url, connector, **more)
    assert run.outcome == SyncRun.Outcomes.FAILED
    assert run.error_kind
    assert run.error.endswith(".")
    assert not words or any(word in run.error for word in words), run.error
    assert source.next_sync_at > timezone.now()
    assert source.next_sync_reason
    assert source.failures == 1
    assert not Article.objects.exists()
    return run


def stored(url: str, connector: str = "feed", **more) -> Article:
    """The sync worked and stored one piece."""
    _source, run = sync_of(url, connector, **more)
    assert run.outcome != SyncRun.Outcomes.FAILED, run.error
    return Article.objects.get()


def peak() -> int:
    """The most memory that this process has ever held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


# --- 1 to 20: addresses ---

LOOPBACKS = {
    "01-loopback": "127.0.0.1", "02-short": "127.1", "03-decimal": "2130706433",
    "04-hexadecimal": "0x7f000001", "05-octal": "0177.0.0.1", "06-this-host": "0.0.0.0",
    "07-localhost": "localhost", "08-trailing-dot": "127.0.0.1.",
    "09-ipv6-loopback": "[::1]", "10-mapped": "[::ffff:127.0.0.1]",
    "11-nat64": "[64:ff9b::7f00:1]", "12-6to4": "[2002:7f00:1::]", "13-link-local": "[fe80::1]",
    "14-site-local": "[fec0::1]", "15-cloud-metadata-v6": "[fd00:ec2::254]",
    "16-cloud-metadata": "169.254.169.254", "17-alibaba-metadata": "100.100.100.200",
    "18-oracle-metadata": "192.0.0.192", "19-carrier-nat": "100.64.0.1",
    "20-benchmarking": "198.18.0.1",
}  # fmt: skip


@pytest.mark.parametrize("host", [pytest.param(host, id=name) for name, host in LOOPBACKS.items()])
def test_hostile_input_01_to_20_private_addresses_are_refused(world, host):
    refused(f"http://{host}:{world.canary}/feed", "private", "unusual", "valid")


# --- 21 to 24: names ---


def test_hostile_input_21_a_name_with_one_private_answer_is_refused_whole(world):
    name = world.resolve("both", (OUTSIDE, "127.0.0.1"))
    refused(f"http://{name}:{world.canary}/feed", "private")


def test_hostile_input_22_a_name_that_changes_its_mind_is_asked_once_only(world):
    world.site.answer = FEED
    name = world.resolve("rebinding", (OUTSIDE,), ("127.0.0.1",))
    stored(f"http://{name}:{world.site.port}/feed")
    assert len(world.site.heads) == 1
    assert len(world.names[name]) == 1  # the second answer was never wanted


def test_hostile_input_23_an_alias_of_a_private_name_is_refused(world):
    name = world.resolve("alias", ("127.0.0.1",))
    refused(f"http://{name}:{world.canary}/feed", "private")


def test_hostile_input_24_full_width_digits_are_digits(world):
    refused(f"http://１２７.０.０.１:{world.canary}/feed")


# --- 25 to 29: redirects ---


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Again", "308 Moved"])
def test_hostile_input_25_a_redirect_inside_is_refused(world, status):
    world.site.answer = redirect(f"http://127.0.0.1:{world.canary}/latest", status)
    refused(world.site.url, "private")


def test_hostile_input_26_a_redirect_to_a_file_is_refused(world):
    world.site.answer = redirect("file:///etc/passwd")
    refused(world.site.url, "http:// and https://")


def test_hostile_input_27_a_chain_of_redirects_ends(world):
    hops = iter(range(1, 21))
    world.site.answer = lambda _head: redirect(f"/hop/{next(hops)}")
    refused(world.site.url, "redirects more than")
    assert len(world.site.heads) <= 6


def test_hostile_input_28_credentials_stay_with_the_host_they_are_for(world):
    world.site.answer = redirect(f"{world.elsewhere.url}/feed")
    world.elsewhere.answer = FEED
    stored(world.site.url, credentials={"token": "s3cret"})
    assert b"Bearer s3cret" in world.site.heads[0]
    assert b"s3cret" not in b"".join(world.elsewhere.heads)


def test_hostile_input_29_a_redirect_out_of_https_is_refused(world, tmp_path, monkeypatch):
    name = world.resolve("secure", (OUTSIDE,))
    served, certificate = server_tls(tmp_path, name)
    (tmp_path / "trusted.pem").write_text(certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    tls_context.cache_clear()
    try:
        with _https(served, redirect(f"{world.elsewhere.url}/feed")) as port:
            refused(f"https://{name}:{port}/feed", "from https to plain http")
    finally:
        tls_context.cache_clear()
    assert not world.elsewhere.heads


# --- 30 to 34: what is no address for us ---


@pytest.mark.parametrize("port", [22, 25, 5432, 6379, 11211])
def test_hostile_input_30_ports_of_other_services_are_refused(world, port):
    refused(f"http://{OUTSIDE}:{port}/", f"Port {port} is not allowed")


def test_hostile_input_31_names_and_passwords_in_the_address_are_refused(world):
    refused(f"http://user:pass@{OUTSIDE}:{world.site.port}/", "user name or password")
    assert not world.site.heads


def test_hostile_input_32_a_line_break_in_the_address_is_refused(world):
    refused(f"{world.site.url}/feed\r\nX-Injected: yes", "line break")
    assert not world.site.heads


@pytest.mark.parametrize("scheme", ["gopher", "ftp", "file", "dict", "data"])
def test_hostile_input_33_other_schemes_are_refused(world, scheme):
    refused(f"{scheme}://127.0.0.1:{world.canary}/_x", "http:// and https://")


def test_hostile_input_34_a_proxy_of_the_environment_is_not_used(world, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{world.canary}")
    world.site.answer = FEED
    stored(world.site.url)


# --- 35 to 43: sizes, and time ---


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        pytest.param("gzip", gzip.compress(bytes(300 * MIB), mtime=0), id="35-gzip-bomb"),
        pytest.param("br", b"\xff" * 481, id="36-brotli-bomb"),
        pytest.param(
            "gzip, gzip",
            gzip.compress(gzip.compress(bytes(300 * MIB), mtime=0), mtime=0),
            id="37-nested-encodings",
        ),
        pytest.param("deflate", zlib.compress(bytes(300 * MIB)), id="37-deflate-bomb"),
    ],
)
def test_hostile_input_35_to_37_bombs_are_cut_off(world, coding, body):
    world.site.answer = http(body=body, Content_Encoding=coding)
    before = peak()
    refused(world.site.url, "larger than", "not asked for")
    assert peak() - before < 80 * MIB


def test_hostile_input_38_a_length_that_lies_is_a_clean_error(world):
    answer = FEED.replace(b"Content-Length: ", b"Content-Length: 9")
    world.site.answer = lambda _head: _then_hang_up(answer)
    refused(world.site.url, "broke", "not HTTP", "completely")


def test_hostile_input_39_a_body_without_end_is_cut_off(world):
    def endless(_head: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        while True:
            yield b"10000\r\n" + b"x" * 65536 + b"\r\n"

    world.site.answer = endless
    before = peak()
    refused(world.site.url, "larger than")
    assert peak() - before < 80 * MIB


def test_hostile_input_40_a_byte_at_a_time_is_left_at_the_deadline(world, monkeypatch):
    def drip(_head: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
        while True:
            time.sleep(0.05)
            yield b"x"

    world.site.answer = drip
    monkeypatch.setattr(fetching, "LONGEST", 0.5)
    run = refused(world.site.url, "within 0.5 seconds")
    assert run.ms < 5000


def test_hostile_input_41_a_header_of_a_megabyte_is_refused(world):
    world.site.answer = http(body=b"x", X_Big="x" * MIB)
    refused(world.site.url, "headers of more than")


def test_hostile_input_42_ten_thousand_headers_are_refused(world):
    lines = b"".join(b"X-%d: 1\r\n" % number for number in range(10_000))
    world.site.answer = FEED.replace(b"\r\n\r\n", b"\r\n" + lines + b"\r\n", 1)
    refused(world.site.url, "headers")


def test_hostile_input_43_a_broken_chunk_is_a_clean_error(world):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    world.site.answer = head + b"zz\r\nnonsense\r\n"
    refused(world.site.url, "not HTTP", "broke")


# --- 44 to 54: documents ---


@pytest.mark.parametrize(
    "document", [pytest.param(text, id=name) for name, text in DOCUMENTS.items()]
)
def test_hostile_input_44_to_49_documents_that_attack_their_parser(world, document):
    body = document.replace("{canary}", str(world.canary)).encode()
    world.site.answer = http(body=body, Content_Type="application/rss+xml")
    began = time.process_time()
    source, run = sync_of(world.site.url)
    assert time.process_time() - began < 3  # far from what the attack is meant to cost
    assert "root:" not in "".join(Article.objects.values_list("title", flat=True))
    assert Article.objects.filter(title__contains="haha").count() == 0
    if run.outcome == SyncRun.Outcomes.FAILED:
        assert run.error.endswith(".")
        assert source.next_sync_at > timezone.now()


@pytest.mark.parametrize(
    ("declared", "coding"),
    [("utf-7", "utf-7"), ("utf-16", "utf-8"), ("utf-8", "utf-16"), ("nonsense", "utf-8")],
)
def test_hostile_input_50_an_encoding_that_lies_makes_no_markup(world, declared, coding):
    piece = "<item><guid>1</guid><title>+ADw-script+AD4-alert(1)</title></item>"
    text = f'<?xml version="1.0" encoding="{declared}"?><rss><channel>{piece}</channel></rss>'
    body = text.encode("utf-8" if coding == "utf-7" else coding)
    world.site.answer = http(body=body, Content_Type=f"text/xml; charset={declared}")
    sync_of(world.site.url)
    for title in Article.objects.values_list("title", flat=True):
        assert "<script" not in title


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("application/rss+xml", b"<!doctype html><p>Hello", id="51-html-as-feed"),
        pytest.param("image/png", b"\x89PNG\r\n\x1a\n<script>alert(1)</script>", id="52-image"),
        pytest.param(
            "image/svg+xml",
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            id="53-svg",
        ),
        pytest.param("application/pdf", b"GIF89a/*<script>*/=1;%PDF-1.4", id="54-polyglot"),
    ],
)
def test_hostile_input_51_to_54_what_is_no_feed_is_named_and_not_stored(world, content_type, body):
    world.site.answer = http(body=body, Content_Type=content_type)
    refused(world.site.url)


def test_hostile_input_52_to_54_enclosures_are_links_and_nothing_more(world):
    enclosure = f"<enclosure url='http://127.0.0.1:{world.canary}/x.svg' type='image/svg+xml'/>"
    world.site.answer = rss(item(1).replace("</item>", f"{enclosure}</item>"))
    piece = stored(world.site.url)
    assert piece.metadata["enclosures"][0]["type"] == "image/svg+xml"  # told, never fetched


# --- 55 to 60: markup ---


@pytest.mark.parametrize("markup", [pytest.param(text, id=name) for name, text in MARKUP.items()])
def test_hostile_input_55_to_60_markup_is_harmless_as_stored_and_as_shown(world, markup, paula):
    from html import escape

    body = markup.replace("{canary}", str(world.canary))
    world.site.answer = rss(item(1, escape(body)))
    piece = stored(world.site.url)
    harmless(piece.content)
    browser = Browser()
    browser.force_login(paula)
    page = browser.get(reverse("admin:articles_wireitem_change", args=(piece.pk,)))
    shown = lxml_html.fromstring(page.content).cssselect(".desk-prose")[0]
    harmless(lxml_html.tostring(shown, encoding="unicode"))


def test_hostile_input_59_pictures_from_elsewhere_are_not_loaded_by_opening_a_piece(world, paula):
    world.site.answer = rss(
        item(1, '&lt;p&gt;x&lt;/p&gt;&lt;img src="https://tracker.example/p.jpg" alt="A boat"&gt;')
    )
    piece = stored(world.site.url)
    browser = Browser()
    browser.force_login(paula)
    page = browser.get(reverse("admin:articles_wireitem_change", args=(piece.pk,)))
    shown = lxml_html.fromstring(page.content).cssselect(".desk-prose")[0]
    assert not shown.cssselect("img[src^=http]")
    assert shown.cssselect('a[href="https://tracker.example/p.jpg"]')
    assert "A boat" in "".join(map(str, shown.itertext()))


def test_hostile_input_60_marks_that_turn_text_around_are_gone_from_titles(world):
    world.site.answer = rss(item(1).replace("Piece 1", "\u202egnp.exe\u2066 \u200fx"))
    assert stored(world.site.url).title == "gnp.exe x"


def harmless(markup: str) -> None:
    """No script, style, frame, handler, and no link but to http, https and mailto."""
    tree = lxml_html.fragment_fromstring(markup or " ", create_parent="div")
    for element in tree.iter():
        assert element.tag not in ("script", "style", "iframe", "base", "meta", "svg", "math")
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert name != "style"
            if name in ("href", "src"):
                assert value.split(":")[0] in ("http", "https", "mailto") or value[:1] in "/#"


# --- 61 to 64: values ---


def test_hostile_input_61_nul_bytes(world):
    world.site.answer = rss(item(1).replace("Piece 1", "Pie\x00ce &#0;1"))
    source, run = sync_of(world.site.url)
    assert run.outcome == SyncRun.Outcomes.FAILED or "\x00" not in source.items.get().title


def test_hostile_input_62_half_characters(world):
    body = json.dumps({
        "version": "https://jsonfeed.org/version/1.1", "title": "x",
        "items": [{"id": "1", "title": "a\ud800b", "content_text": "\udfff"}],
    }).encode()  # fmt: skip
    world.site.answer = http(body=body, Content_Type="application/feed+json")
    _source, run = sync_of(world.site.url)
    for title in Article.objects.values_list("title", flat=True):
        assert title.encode()
    assert run.error == "" or run.error.endswith(".")


def test_hostile_input_63_a_title_of_five_megabytes_is_cut(world):
    world.site.answer = rss(item(1).replace("Piece 1", "word " * MIB))
    assert len(stored(world.site.url).title) <= 500


@pytest.mark.parametrize(
    "date",
    ["Fri, 31 Dec 9999 23:59:59 GMT", "-0044-03-15T00:00:00Z", "0001-01-01T00:00:00Z",
     "99999999999999", "1e309"],
)  # fmt: skip
def test_hostile_input_64_impossible_dates_become_the_day_it_came(world, date):
    piece = item(1).replace("</item>", f"<pubDate>{date}</pubDate></item>")
    world.site.answer = rss(piece)
    assert abs((stored(world.site.url).published_at - timezone.now()).total_seconds()) < 3600


# --- 72 and 73: JSON (70 is in tests/admin/test_csv.py, 71 in test_opml.py and test_lists.py) ---


@pytest.mark.parametrize(
    ("connector", "body"),
    [
        pytest.param("hackernews", b'{"a":' * 10_000, id="72-deep"),
        pytest.param("hackernews", b"[" * 10_000 + b"]" * 10_000, id="72-deep-and-whole"),
        pytest.param("feed", b'{"items":' + b"[" * 10_000 + b"]" * 10_000 + b"}", id="72-feed"),
        pytest.param("hackernews", b'{"hits": ' + b"9" * 5000 + b"}", id="73-integer"),
        pytest.param("feed", b'{"items": [], "x": ' + b"9" * 5000 + b"}", id="73-feed"),
    ],
)
def test_hostile_input_72_and_73_json_that_attacks_its_parser(world, connector, body):
    world.site.answer = http(body=body, Content_Type="application/json")
    _source, run = sync_of(world.site.url, connector)
    assert run.error == "" or run.error.endswith(".")
    assert not Article.objects.exists()


def test_a_worker_that_has_met_all_this_still_reads_a_feed(world):
    world.site.answer = FEED
    assert stored(world.site.url).title == "Piece 1"


def _then_hang_up(answer: bytes) -> Iterator[bytes]:
    yield answer
    raise OSError("hung up")


def _https(context: ssl.SSLContext, answer: bytes):
    import socketserver
    import threading
    from contextlib import contextmanager

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while (line := self.rfile.readline()) and line != b"\r\n":
                pass
            self.wfile.write(answer)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    @contextmanager
    def serving():
        with Server((OUTSIDE, 0), Handler) as server:
            server.socket = context.wrap_socket(server.socket, server_side=True)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                yield server.server_address[1]
            finally:
                server.shutdown()
                thread.join()

    return serving()
