"""The connector `json_api` against loopback services: mapping, paging, logins, bounds."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from config.outbound import Client, OutboundError, from_settings
from config.sealed import Sealed
from sources import fetching
from sources.connectors.base import Fetch, checked
from sources.connectors.json_api import JsonApi
from sources.connectors.json_paging import next_link, with_parameters, without_parameter
from sources.connectors.json_paths import BadPath, Path
from sources.errors import Denied, Misconfigured, NotAFeed, SourceError
from sources.models import Source
from tests.config.far_end import http

FIELDS = {"items": "items", "title": "title", "id": "id", "url": "url"}
KEY = "s3cret/key+of=ours"


def answer(document, status="200 OK", **headers: str) -> bytes:
    return http(status, json.dumps(document).encode(), Content_Type="application/json", **headers)


def entries(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": n, "title": f"Piece {n}", "url": f"/pieces/{n}"} for n in numbers]


def fetch(url: str, options=None, secrets=None, memory=None, **stored):
    source = Source(
        connector="json_api", api_endpoint=url, options={**FIELDS, **(options or {})},
        credentials=Sealed(secrets or {}), memory=Sealed(memory or {}), **stored,
    )  # fmt: skip
    return fetching.fetch(source, timezone.now())


def ids(fetched) -> list[str]:
    return [copy.external_id for copy in fetched.copies]


class Service:
    """A JSON service that answers by path and query, and remembers what it was asked."""

    def __init__(self, answering: Callable[[str, dict[str, str], bytes], bytes]) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._answering = answering

    def __call__(self, head: bytes) -> bytes:
        target = head.split(b" ")[1].decode()
        query = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
        self.asked.append((urlsplit(target).path, query))
        return self._answering(urlsplit(target).path, query, head)


# --- mapping ---


def test_every_field_is_found_by_its_expression(site):
    document = {"response": {"docs": [{
        "_id": 7, "headline": {"main": "Bread &amp; roses"}, "web_url": "/world/7",
        "body": "<p>Long.</p>", "abstract": "Short.", "byline": [{"name": "Ada"}, "Bo"],
        "keywords": ["bread", "roses"], "pub_date": "2026-11-20T10:00:00+01:00",
        "changed": 1795170000, "lang": "sv",
    }]}}  # fmt: skip
    url = site(answer(document))
    (copy,) = fetch(url, {
        "items": "response.docs", "id": "_id", "title": "headline.main", "url": "web_url",
        "content": "body", "summary": "abstract", "authors": "byline", "tags": "keywords",
        "published": "pub_date", "updated": "changed", "language": "lang",
    }).copies  # fmt: skip
    assert (copy.external_id, copy.title, copy.url) == ("7", "Bread & roses", f"{url}/world/7")
    assert (copy.content, copy.summary, copy.language) == ("<p>Long.</p>", "Short.", "sv")
    assert (copy.authors, copy.tags) == (("Ada", "Bo"), ("bread", "roses"))
    assert copy.published_at.isoformat() == "2026-11-20T09:00:00+00:00"
    assert int(copy.updated_at.timestamp()) == 1795170000


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("auto", 1795168800), ("auto", 1795168800000), ("auto", "1795168800"),
        ("auto", "2026-11-20T10:00:00Z"), ("seconds", "1795168800"), ("seconds", 1795168800.0),
        ("milliseconds", 1795168800000), ("text", "Fri, 20 Nov 2026 10:00:00 GMT"),
    ],
)  # fmt: skip
def test_dates_come_as_text_or_as_unix_time(site, kind, value):
    document = {"items": [{"id": 1, "title": "x", "when": value}]}
    (copy,) = fetch(site(answer(document)), {"published": "when", "dates": kind}).copies
    assert copy.published_at.isoformat() == "2026-11-20T10:00:00+00:00"


@pytest.mark.parametrize(
    "value", ["soon", True, [], {}, 1e300, "9" * 15, -1e17, None, "2024-13-45"]
)
def test_what_is_no_date_is_none(site, value):
    document = {"items": [{"id": 1, "title": "x", "when": value}]}
    (copy,) = fetch(site(answer(document)), {"published": "when"}).copies
    assert copy.published_at is None or copy.published_at.year < 33660


def test_plain_text_becomes_paragraphs_and_no_markup(site):
    document = {"items": [{"id": 1, "title": "a < b", "body": "1 < 2\n\n<script>x</script>"}]}
    (copy,) = fetch(site(answer(document)), {"content": "body", "text": "plain"}).copies
    assert copy.title == "a < b"
    assert copy.content == "<p>1 &lt; 2</p><p>&lt;script&gt;x&lt;/script&gt;</p>"


def test_an_answer_that_is_the_list_itself_needs_no_list_expression(site):
    assert ids(fetch(site(answer(entries(1, 2))), {"items": ""})) == ["1", "2"]


def test_entries_of_other_kinds_are_left_out_and_told(site):
    document: dict[str, Any] = {"items": [*entries(1), None, "text", 7, [], {"title": ""}]}
    fetched = fetch(site(answer(document)))
    assert ids(fetched) == ["1"]
    assert fetched.warnings == ("4 entries have neither id, address nor text: left out.",)


def test_more_than_five_hundred_entries_are_cut(site):
    fetched = fetch(site(answer({"items": entries(*range(700))})))
    assert len(fetched.copies) == 500
    assert "first 500 of 700" in fetched.warnings[0]


def test_half_a_surrogate_pair_is_no_end_of_the_world(site):
    body = b'{"items": [{"id": 1, "title": "Cut \\ud83d"}]}'
    (copy,) = fetch(site(http(body=body, Content_Type="application/json"))).copies
    assert copy.title == "Cut ?"


# --- expressions ---


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("data[", r"ends too early, after \u201cdata\[\u201d"),
        ("a..b", "at character 3, before \u201c.b\u201d"),
        ("first(@)", "at character 1, .* no function \u201cfirst\u201d"),
        ("join(@)", "\u201cjoin\u201d takes 2 arguments, not 1"),
        ("(" * 400, "ends too early|too deeply"),
        ("a" * 1001, "longer than 1000"),
    ],
)
def test_an_expression_is_refused_at_its_field_and_place(expression, words):
    connector = JsonApi()
    with pytest.raises(Misconfigured, match=words) as caught:
        connector.check(checked({**FIELDS, "published": expression}, connector.options))
    assert caught.value.option == "published"
    assert str(caught.value).startswith("\u201cPublished\u201d: ")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("headers", "no colon"), ("headers", "Authorization: Bearer x"), ("headers", "A b: c"),
        ("parameters", "nothing"), ("login", "header"), ("login", "oauth2"),
        ("paging", "cursor"), ("title", ""),
    ],
)  # fmt: skip
def test_other_options_are_checked_before_anything_is_sent(option, value):
    connector = JsonApi()
    with pytest.raises(Misconfigured) as caught:
        connector.check(checked({**FIELDS, option: value}, connector.options))
    assert caught.value.option


def test_an_expression_that_does_not_fit_what_came(site):
    url = site(answer({"items": [{"id": 1, "title": "x", "names": 3}]}))
    with pytest.raises(Misconfigured, match="\u201cjoin\u201d gets 3") as caught:
        fetch(url, {"authors": "join(', ', names)"})
    assert caught.value.option == "authors"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"articles": []}, "finds nothing, and should be a list.*the answer has articles"),
        ({"items": {"a": 1}}, "finds an object"),
        ([], "finds nothing"),
        ("text", "finds nothing"),
    ],
)
def test_a_list_that_is_not_there_is_named(site, document, words):
    with pytest.raises(NotAFeed, match=words):
        fetch(site(answer(document)))


# --- bounds ---


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[" * 100_000, "nested deeper"),
        (b'{"items":' + b"[" * 70 + b"]" * 70 + b"}", "nested deeper"),
        (b'{"items": [' + b"1," * 600_000 + b"1]}", "more than 500,000 values"),
        (b'{"items": [NaN]}', "should be JSON"),
        (b"<html>", "should be JSON"),
        (b"", "empty"),
        (b" " * 6_000_000, "larger"),
    ],
)
def test_documents_beyond_bounds_are_refused(site, body, words):
    with pytest.raises(SourceError, match=words):
        fetch(site(http(body=body)))


def test_an_expression_that_doubles_at_every_step_is_stopped():
    with pytest.raises(BadPath, match="more work"):
        Path("|".join(["[@,@][]"] * 60))([1, 2])


# --- paging ---


def paged(pages: dict[str, tuple[list[dict[str, Any]], str]], parameter: str):
    """A service whose page is named by a parameter; each page names the next."""

    def answering(_path: str, query: dict[str, str], _head: bytes) -> bytes:
        items, following = pages.get(query.get(parameter, ""), ([], ""))
        return answer({"items": items, "next": following})

    return Service(answering)


def test_pages_by_number(site):
    service = paged({"1": (entries(1, 2), ""), "2": (entries(3, 4), "")}, "page")
    fetched = fetch(site(service), {"paging": "page", "pages": 5})
    assert ids(fetched) == ["1", "2", "3", "4"]
    assert [query["page"] for _path, query in service.asked] == ["1", "2", "3"]
    assert len(fetched.payloads) == 3


def test_a_short_page_is_the_last(site):
    service = paged({"0": (entries(1, 2), ""), "2": (entries(3), "")}, "from")
    options = {"paging": "offset", "page_parameter": "from", "size_parameter": "n", "size": 2}
    assert ids(fetch(site(service), options)) == ["1", "2", "3"]
    assert [query for _path, query in service.asked] == [
        {"from": "0", "n": "2"}, {"from": "2", "n": "2"},
    ]  # fmt: skip


def test_pages_by_cursor_end_when_it_repeats_itself(site):
    service = paged({"": (entries(1), "abc"), "abc": (entries(2), "abc")}, "cursor")
    fetched = fetch(site(service), {"paging": "cursor", "cursor": "next", "pages": 9})
    assert ids(fetched) == ["1", "2"]
    assert len(service.asked) == 2


def test_a_cursor_may_be_the_next_pages_address(site):
    def answering(path: str, _query: dict[str, str], _head: bytes) -> bytes:
        return answer({"items": entries(len(path)), "next": "/more" if path == "/" else None})

    service = Service(answering)
    fetched = fetch(site(service) + "/", {"paging": "cursor", "cursor": "next"})
    assert ids(fetched) == ["1", "5"]


def test_pages_by_link_header(site):
    def answering(path: str, _query: dict[str, str], _head: bytes) -> bytes:
        if path == "/2":
            return answer({"items": entries(2)}, Link='</1>; rel="prev"')
        return answer({"items": entries(1)}, Link='</9>; rel="last", </2>; title="a,b"; rel=next')

    fetched = fetch(site(Service(answering)) + "/1", {"paging": "link"})
    assert ids(fetched) == ["1", "2"]


def test_the_way_on_never_leads_to_another_host(site):
    canary = Service(lambda *_: answer({"items": entries(9)}))
    elsewhere = site(canary)

    def answering(*_) -> bytes:
        return answer({"items": entries(1), "next": elsewhere}, Link=f'<{elsewhere}>; rel="next"')

    url = site(Service(answering))
    secrets = {"token": KEY}
    for options in ({"paging": "link"}, {"paging": "cursor", "cursor": "next"}):
        assert ids(fetch(url, {**options, "login": "bearer"}, secrets)) == ["1"]
    assert canary.asked == []


def test_no_more_requests_than_the_source_allows(site):
    service = Service(lambda _p, query, _h: answer({"items": entries(int(query["page"]))}))
    fetched = fetch(site(service), {"paging": "page", "pages": 20}, rate_limit_per_minute=4)
    assert len(service.asked) == 4
    assert fetched.older == "5"


def test_older_pages_are_reached_from_where_reading_stopped(site):
    service = Service(lambda _p, query, _h: answer({"items": entries(int(query["page"]))}))
    connector, url = JsonApi(), site(service)
    options = checked({**FIELDS, "paging": "page", "pages": 1}, connector.options)

    async def go_on(cursor: str):
        async with Client(from_settings()) as client:
            return await connector.older(Fetch(endpoint=url, options=options), client, cursor)

    page = fetch(url, {"paging": "page", "pages": 1})
    for expected in ("2", "3"):
        page = async_to_sync(go_on)(page.older)
        assert ids(page) == [expected]


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ('<https://a.example/2>; rel="next"', "https://a.example/2"),
        ("<?page=2>; rel=next", "?page=2"),
        ('</1>; rel="prev", </3>; rel="last next"', "/3"),
        ('<a,b;c>; REL="Next"', "a,b;c"),
        ('</x>; title="; rel=next"', ""),
        ("</x>; rel=prefetch", ""),
        ("<<<<" * 5000, ""),
        ("", ""),
    ],
)
def test_link_headers(header, target):
    assert next_link([header]) == target


def test_parameters_are_replaced_and_taken_away():
    url = with_parameters("https://a.example/x?page=1&q=a%20b", {"page": "2"})
    assert url == "https://a.example/x?q=a+b&page=2"
    assert without_parameter("https://a.example/x?q=a%20b&k%65y=1&key=2", "key") == (
        "https://a.example/x?q=a%20b"
    )


# --- logins ---


@pytest.mark.parametrize(
    ("login", "secrets", "header"),
    [
        ({"login": "basic"}, {"user": "ada", "password": "x"},
         b"Authorization: Basic " + base64.b64encode(b"ada:x")),
        ({"login": "bearer"}, {"token": KEY}, f"Authorization: Bearer {KEY}".encode()),
        ({"login": "header", "login_name": "X-Api-Key"}, {"token": KEY},
         f"X-Api-Key: {KEY}".encode()),
    ],
)  # fmt: skip
def test_logins_by_header(site, login, secrets, header):
    def answering(_path, _query, head: bytes) -> bytes:
        return answer({"items": entries(1)}) if header in head else answer({}, "401 No")

    url = site(Service(answering))
    assert ids(fetch(url, login, secrets)) == ["1"]
    with pytest.raises(Denied):
        fetch(url, login, dict.fromkeys(secrets, "wrong"))
    with pytest.raises(Misconfigured, match="is missing in the credentials"):
        fetch(url, login)


def test_a_query_key_is_sent_and_seen_nowhere_else(site, caplog, capfd):
    """Not in what is returned (and so archived and stored), nor in errors, nor in logs."""

    def answering(path: str, query: dict[str, str], _head: bytes) -> bytes:
        if query.get("api_key") != KEY:
            return answer({"error": f"bad key {query}"}, "403 Forbidden")
        following = with_parameters("/2", {"api_key": KEY}) if path == "/1" else ""
        items = [{"id": path, "title": f"Key {KEY}", "url": following}]
        return answer({"items": items, "next": following}, X_Request=f"/1?key={KEY}")

    service = Service(answering)
    url = f"{site(service)}/1?q=1"
    options = {"login": "query", "login_name": "api_key", "paging": "cursor", "cursor": "next"}
    fetched = fetch(url, options, {"token": KEY})
    assert [path for path, _query in service.asked] == ["/1", "/2"]
    assert all(query["api_key"] == KEY for _path, query in service.asked)
    told = repr(fetched) + "".join(repr((p.url, p.headers, p.body)) for p in fetched.payloads)
    with pytest.raises(SourceError) as caught:
        fetch(url, options, {"token": KEY + "?"})
    told += str(caught.value) + caplog.text + "".join(capfd.readouterr())
    for spelling in (KEY, "s3cret", "s3cret%2Fkey"):
        assert spelling not in told


def test_a_query_key_stays_out_of_the_words_of_a_broken_connection(site):
    options = {"login": "query", "login_name": "key"}
    with pytest.raises(SourceError) as caught:
        fetch(site(b""), options, {"token": KEY})
    assert "s3cret" not in str(caught.value)
    assert isinstance(caught.value.__cause__, OutboundError)


class Tokens:
    """A service with OAuth 2: its tokens end when it says so."""

    IN_HEADER = b"Authorization: Basic " + base64.b64encode(b"desk:pass+w%2Frd") + b"\r\n"
    IN_BODY = b"&client_id=desk&client_secret=pass+w%2Frd"

    def __init__(self) -> None:
        self.given: list[str] = []
        self.valid: set[str] = set()
        self.reads = 0
        self.proof = self.IN_HEADER
        self.refuses = False

    def __call__(self, request: bytes) -> bytes:
        if request.startswith(b"POST"):
            if self.proof not in request:
                return answer({"error": "invalid_client"}, "401 Unauthorized")
            self.given.append(f"token-number-{len(self.given)}")
            self.valid = set() if self.refuses else {self.given[-1]}
            return answer({"access_token": self.given[-1], "expires_in": 3600})
        self.reads += 1
        if not any(f"Bearer {token}\r\n".encode() in request for token in self.valid):
            return answer({}, "401 Unauthorized")
        return answer({"items": entries(1)})


OAUTH = {"client_id": "desk", "client_secret": "pass w/rd"}


@pytest.fixture
def token_site(site) -> tuple[Tokens, str]:
    """Such a service, and its address."""
    service = Tokens()
    return service, site(service)


def oauth(url: str) -> dict[str, str]:
    return {"login": "oauth2", "token_url": f"{url}/token"}


def test_an_oauth2_token_is_kept_until_it_ends(token_site):
    service, url = token_site
    first = fetch(url, oauth(url), OAUTH)
    assert ids(first) == ["1"]
    assert first.memory["token"] == "token-number-0"
    again = fetch(url, oauth(url), OAUTH, memory=dict(first.memory))
    assert (ids(again), again.memory, service.given) == (["1"], None, ["token-number-0"])
    ended = {**first.memory, "ends": timezone.now().timestamp() + 30}
    assert fetch(url, oauth(url), OAUTH, memory=ended).memory["token"] == "token-number-1"


def test_a_token_that_is_refused_is_renewed_once(token_site):
    service, url = token_site
    memory = dict(fetch(url, oauth(url), OAUTH).memory)
    service.valid = set()
    assert fetch(url, oauth(url), OAUTH, memory=memory).memory["token"] == "token-number-1"
    service.valid, service.refuses = set(), True
    reads = service.reads
    with pytest.raises(Denied):
        fetch(url, oauth(url), OAUTH, memory=memory)
    assert service.reads == reads + 2


def test_other_credentials_make_a_token_void(token_site):
    service, url = token_site
    memory = dict(fetch(url, oauth(url), OAUTH).memory)
    fetch(url, {**oauth(url), "scope": "news"}, OAUTH, memory=memory)
    assert len(service.given) == 2
    with pytest.raises(Denied, match="refuses the client id and secret"):
        fetch(url, oauth(url), {**OAUTH, "client_secret": "another"}, memory=memory)


def test_a_service_that_wants_the_client_in_the_body_gets_it_there(token_site):
    service, url = token_site
    service.proof = Tokens.IN_BODY
    assert ids(fetch(url, oauth(url), OAUTH)) == ["1"]


# --- conditional requests, and reading again ---


def test_an_answer_that_has_not_changed_is_not_read_again(site):
    def answering(request: bytes) -> bytes:
        if b'If-None-Match: "one"' in request:
            return http("304 Not Modified")
        return answer({"items": entries(1)}, ETag='"one"')

    url = site(answering)
    first = fetch(url)
    again = fetch(url, etag=first.etag)
    assert (first.etag, again.unchanged, again.copies) == ('"one"', True, ())


def test_archived_answers_can_be_read_again_with_other_expressions(site):
    fetched = fetch(site(answer({"items": entries(1, 2)})))
    connector = JsonApi()
    options = checked({**FIELDS, "title": "url"}, connector.options)
    again = connector.read_again(Fetch(endpoint="", options=options), fetched.payloads)
    assert [copy.title for copy in again.copies] == ["/pieces/1", "/pieces/2"]
    assert ids(again) == ids(fetched)


def test_an_answer_that_can_not_be_read_is_kept_for_the_archive(site):
    with pytest.raises(NotAFeed) as caught:
        fetch(site(answer({"oops": 1})))
    assert caught.value.payload.body == b'{"oops": 1}'
