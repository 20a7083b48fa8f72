"""Bluesky: posts in rich text, what hangs on them, and a session that is kept."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from sources.connectors.bluesky_text import as_html
from sources.errors import Denied, Limited, Misconfigured
from tests.config.far_end import http
from tests.sources.asking import NOW, ask, ask_older, recognised
from tests.sources.services import SERVICES, fetch, header, query, recorded

NOW_I = int(NOW.timestamp())


def test_posts_of_an_account(site):
    fog, strike = fetch("bluesky account", site(SERVICES["bluesky account"].answer)).copies
    assert fog.external_id.startswith("at://did:plc:northmark")
    assert fog.url == "https://bsky.app/profile/harbour.northmark.example/post/3mabcdefgh22a"
    assert fog.title == "Fog 🌫 & ferries: northmark.example/fog #fog"
    assert fog.authors == ("Northmark Harbour (@harbour.northmark.example)",)
    assert (fog.tags, fog.language) == (("fog",), "en")
    assert fog.metadata["enclosures"][0]["alt"] == "A pier that ends in fog."
    assert strike.url.startswith("https://bsky.app/profile/did:plc:northmark")
    assert strike.title == "Strike at the <lock>"
    assert strike.metadata["link"] == "https://northmark.example/strike"
    assert strike.metadata["quotes"] == "https://bsky.app/profile/oda.example/post/3mzzz"


def test_links_of_a_post_are_where_its_bytes_say(site):
    fog, strike = fetch("bluesky account", site(SERVICES["bluesky account"].answer)).copies
    assert fog.content == (
        '<p>Fog 🌫 &amp; ferries: <a href="https://northmark.example/fog?a=1&amp;b=2">'
        'northmark.example/fog</a> <a href="https://bsky.app/hashtag/fog">#fog</a></p><p>Ask '
        '<a href="https://bsky.app/profile/did:plc:oda00000000000000000000">@oda.example</a></p>'
    )
    assert "Strike at the &lt;lock&gt;</a>" in strike.content


@pytest.mark.parametrize(
    ("start", "end", "uri"),
    [(-1, 3, "https://x.example"), (3, 1, "https://x.example"), (0, 99, "https://x.example"),
     (True, 3, "https://x.example"), (0, 3, "javascript:alert(1)"), (0.0, 3, "https://x.example")],
)  # fmt: skip
def test_a_facet_that_makes_no_sense_links_nothing(start, end, uri):
    facet = {"index": {"byteStart": start, "byteEnd": end}, "features": [{"uri": uri}]}
    assert as_html({"text": "a <b", "facets": [facet]}) == "<p>a &lt;b</p>"


def test_facets_that_overlap_or_cut_a_character(site):
    def link(start: int, end: int) -> dict[str, Any]:
        features = [{"uri": 'https://x.example/"'}]
        return {"index": {"byteStart": start, "byteEnd": end}, "features": features}

    found = as_html({"text": "äöü", "facets": [link(2, 4), link(0, 3), link(4, 5)]})
    assert found.count("<a ") == found.count("</a>") == 2
    assert '"https://x.example/&quot;"' in found


def test_reposts_only_when_asked_for_and_what_was_taken_down_never(site):
    url = site(SERVICES["bluesky account"].answer)
    copies = fetch("bluesky account", url, options={"reposts": True}).copies
    assert len(copies) == 3
    assert copies[2].metadata["boosted_by"] == "@harbour.northmark.example"
    assert copies[2].authors == ("Oda (@oda.example)",)


def test_older_posts_by_the_services_own_cursor(site):
    service = SERVICES["bluesky account"]
    answer, heads = recorded(
        lambda head: (
            http(body=b'{"feed": [], "cursor": "x"}')
            if query(head).get("cursor")
            else service.answer(head)
        )
    )
    url = site(answer)
    first = ask_older("bluesky", url, service.options)
    assert first.older == "2026-11-21T08:00:00Z"
    second = ask_older("bluesky", url, service.options, cursor=first.older)
    assert query(heads[1])["cursor"] == first.older
    assert (second.copies, second.older) == ((), "")


def test_a_custom_feed_by_the_address_of_its_page(site):
    def answer(head: bytes) -> bytes:
        if b"resolveHandle" in head:
            return http(body=b'{"did": "did:plc:abc"}')
        return SERVICES["bluesky account"].answer(head)

    counted, heads = recorded(answer)
    url = site(counted)
    options = {"read": "feed", "feed": "https://bsky.app/profile/ada.example/feed/ferries"}
    first = ask("bluesky", url, options)
    assert query(heads[1])["feed"] == "at://did:plc:abc/app.bsky.feed.generator/ferries"
    ask("bluesky", url, options, memory=first.memory)
    assert len(heads) == 3  # the handle is not looked up again


class FakeSearch:
    """Bluesky's login and search; sessions may be ended from here."""

    def __init__(self) -> None:
        self.logins = self.renewals = 0
        self.valid = ""
        self.refresh = True

    def __call__(self, head: bytes) -> bytes:
        if b"createSession" in head:
            self.logins += 1
        elif b"refreshSession" in head:
            if not self.refresh or header(head, "Authorization") != f"Bearer r{self._number}":
                return http("400 Bad Request", b'{"error": "ExpiredToken"}')
            self.renewals += 1
        elif header(head, "Authorization") == f"Bearer {self.valid}":
            return SERVICES["bluesky search"].answer(head)
        else:
            return http("400 Bad Request", b'{"error": "ExpiredToken", "message": "It ended"}')
        self.valid = f"a.{_claims(NOW_I + 7200)}.{self._number}"
        body = {"accessJwt": self.valid, "refreshJwt": f"r{self._number}"}
        return http(body=json.dumps(body).encode())

    @property
    def _number(self) -> int:
        return self.logins


def _claims(end: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"exp": end}).encode()).decode().rstrip("=")


@pytest.fixture
def search(site):
    """A search with a login of its own."""
    far = FakeSearch()
    return far, site(far)


def test_a_session_is_kept(search):
    far, url = search
    first = fetch("bluesky search", url)
    assert len(first.copies) == 2  # replies, too: the search chose them
    assert first.memory
    assert first.memory["until"] == NOW_I + 7200
    fetch("bluesky search", url, memory=first.memory)
    assert (far.logins, far.renewals) == (1, 0)


def test_a_session_is_renewed_ahead_of_its_end(search):
    far, url = search
    memory = fetch("bluesky search", url).memory
    fetch("bluesky search", url, memory=memory, now=NOW + timedelta(seconds=7150))
    assert (far.logins, far.renewals) == (1, 1)


def test_a_session_that_ended_before_its_time_is_renewed_once(search):
    far, url = search
    memory = fetch("bluesky search", url).memory
    far.valid = "another"
    fetch("bluesky search", url, memory=memory)
    assert (far.logins, far.renewals) == (1, 1)


def test_a_session_that_can_not_be_renewed_is_begun_anew(search):
    far, url = search
    memory = fetch("bluesky search", url).memory
    far.valid, far.refresh = "another", False
    fetch("bluesky search", url, memory=memory)
    assert far.logins == 2


def test_another_password_is_another_session(search):
    far, url = search
    memory = fetch("bluesky search", url).memory
    secrets = {"identifier": "harbour.northmark.example", "password": "new-password"}
    fetch("bluesky search", url, memory=memory, secrets=secrets)
    assert far.logins == 2


def test_neither_password_nor_session_is_in_the_archive_or_the_address(site):
    answer, heads = recorded(FakeSearch())
    fetched = fetch("bluesky search", site(answer))
    kept = b"".join(payload.body for payload in fetched.payloads)
    assert b"abcd-efgh" not in kept
    assert fetched.memory
    assert fetched.memory["access"].encode() not in kept
    assert all(b"abcd-efgh" not in head.split(b"\r\n")[0] for head in heads)


def test_a_wrong_app_password(site):
    with pytest.raises(Denied, match="does not take this handle"):
        fetch("bluesky search", site(http("401 No", b'{"error": "AuthenticationRequired"}')))


def test_too_many_logins_are_a_question_of_patience(site):
    head = {
        "RateLimit_Remaining": "0", "RateLimit_Reset": "1795349100",
        "Date": "Sun, 22 Nov 2026 12:00:00 GMT",
    }  # fmt: skip
    with pytest.raises(Limited) as caught:
        fetch("bluesky search", site(http("429 Too Many", b"{}", **head)))
    assert caught.value.retry_after == 300


@pytest.mark.parametrize(
    ("options", "secrets", "words"),
    [
        ({"read": "search", "query": "x"}, {}, "needs a handle and an app password"),
        ({"read": "search"}, {}, "what to search for"),
        ({"read": "feed", "feed": "https://bsky.app/profile/x"}, {}, "custom feed's address"),
        ({"actor": "not a handle"}, {}, "Name the account"),
    ],
)
def test_bluesky_without_what_it_needs(options, secrets, words):
    with pytest.raises(Misconfigured, match=words):
        ask("bluesky", "https://bsky.example", options, secrets)


def test_an_account_that_bluesky_does_not_know(site):
    answer = http("400 Bad Request", b'{"error": "InvalidRequest", "message": "Profile not found"}')
    with pytest.raises(Misconfigured, match="Profile not found"):
        fetch("bluesky account", site(answer))


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("https://bsky.app/profile/ada.example", {"read": "author", "actor": "ada.example"}),
        ("https://bsky.app/profile/did:plc:abc", {"read": "author", "actor": "did:plc:abc"}),
        ("https://bsky.app/profile/ada.example/feed/x",
         {"read": "feed", "feed": "https://bsky.app/profile/ada.example/feed/x"}),
        ("https://bsky.app/search?q=night+ferry", {"read": "search", "query": "night ferry"}),
        ("https://bsky.app/hashtag/ferry", {"read": "search", "query": "#ferry"}),
        ("https://bsky.app/profile/ada.example/post/3m", None),
        ("https://bsky.app/", None),
    ],
)  # fmt: skip
def test_pages_of_bluesky_are_recognised(url, options):
    found = recognised("bluesky", url)
    assert (found.options if found else None) == options
