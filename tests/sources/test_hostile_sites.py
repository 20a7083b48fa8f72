"""Sites that answer badly, or not at all: each ends with a sentence that says what to do."""

import gzip
import time

import pytest
from django.utils import timezone

from sources import fetching
from sources.errors import SourceError
from sources.models import Source
from tests.config.far_end import http, redirect, server_tls
from tests.sources.conftest import item, rss

MIB = 1024 * 1024
BOMB = gzip.compress(bytes(40 * MIB), mtime=0)


def trouble(url: str, connector: str = "feed") -> str:
    """The sentence of a fetch that fails."""
    with pytest.raises(SourceError) as caught:
        fetching.fetch(Source(connector=connector, api_endpoint=url), timezone.now())
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert caught.value.kind
    return sentence


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (http(body=b"<!doctype html><p>Hi"), "web page, not a feed"),
        (http("404 Not Found"), "nothing at this address (404)"),
        (http("410 Gone"), "nothing for good (410)"),
        (http("403 Forbidden"), "refuses access (403)"),
        (http("418 I'm a teapot"), "answered 418"),
        (http("500 Oops"), "trouble of its own (500)"),
        (http(), "empty"),
        (http(body=b"nonsense"), "can't be read as XML"),
        (http(body=b"not gzip", Content_Encoding="gzip"), "compressed answer"),
        (http(body=gzip.compress(b"x" * 999, mtime=0)[:-20], Content_Encoding="gzip"), "cut short"),
        (http(body=b"x", Content_Encoding="br"), "not asked for (br)"),
        (http(body=BOMB, Content_Encoding="gzip"), "larger than"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n", "larger than"),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", "not HTTP"),
        (b"", "broke"),
        (redirect("/again"), "redirects more than"),
        (redirect("ftp://files.example/feed"), "Only http:// and https://"),
    ],
)  # fmt: skip
def test_a_sites_trouble_is_said(site, answer, words):
    assert words in trouble(site(answer))


def test_a_site_whose_certificate_nobody_signed(site, tmp_path):
    tls, _certificate = server_tls(tmp_path, "localhost")
    assert "certificate of localhost is not valid" in trouble(site(rss(item(1)), tls=tls))


def test_a_site_that_nobody_runs():
    assert "localhost" in trouble("http://localhost:49151/feed")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/", "http://[::1]/", "http://169.254.169.254/latest/", "http://10.0.0.1/"]
)  # fmt: skip
def test_private_addresses_are_refused_unless_allowed(settings, url):
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    assert "private" in trouble(url) or "not allowed" in trouble(url)


def test_a_redirect_to_a_private_address_is_refused(site):
    assert "169.254.169.254" in trouble(site(redirect("http://169.254.169.254/latest/meta-data")))


def test_a_site_that_drips_is_left(site, monkeypatch):
    def drip(_head: bytes):
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
        for _ in range(400):
            time.sleep(0.05)
            yield b"x"

    monkeypatch.setattr(fetching, "LONGEST", 0.4)
    began = time.monotonic()
    assert "not through within 0.4 seconds" in trouble(site(drip))
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("body", [b"[1]", b'"x"', b"null", b'{"hits": 5}', b"[" * 100_000, b"NaN"])
def test_a_service_that_answers_other_json_than_it_should(site, body):
    assert trouble(site(http(body=body)), "hackernews")


def test_hits_that_are_no_hits_are_left_out(site):
    body = b'{"hits": [1, {}, {"objectID": {}}, {"objectID": "5", "title": 7}, {"objectID": "6",'
    body += b' "title": "Good", "points": "many", "created_at_i": "x", "author": null}]}'
    source = Source(connector="hackernews", api_endpoint=site(http(body=body)))
    (copy,) = fetching.fetch(source, timezone.now()).copies
    assert (copy.external_id, copy.title, copy.metadata["points"]) == ("6", "Good", 0)
