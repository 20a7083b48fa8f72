"""Every connector against the simulator, which speaks its service's format over HTTP."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from articles.models import WireItem
from simulator import credentials
from sources import connectors, fetching
from sources.checks import check_table
from sources.connectors.base import Fetched, checked
from sources.errors import Denied, Limited, Misconfigured, SourceError
from sources.models import Source
from sources.sync import sync
from tests.config.far_end import http
from tests.sources.asking import ask_again
from tests.sources.conftest import REDDIT, as_in_the_morning, item, reddit_options, rss
from tests.sources.services import SERVICES, everywhere


def fetch(connector: str, url: str, options=None, secrets=None, **stored):
    source = Source(
        connector=connector, api_endpoint=url, options=options or {}, credentials=secrets or {},
        **stored,
    )  # fmt: skip
    return fetching.fetch(source, timezone.now())


# --- the contract, for all of them: those that the simulator speaks, and those of wire/ ---

SIMULATED = {
    "rss": ("feed", "/feeds/rss.xml", {}, {}),
    "atom": ("feed", "/feeds/atom.xml", {}, {}),
    "json": ("feed", "/feeds/feed.json", {}, {}),
    "algolia": ("hackernews", "/hn/api/v1", {"list": "new"}, {}),
    "firebase": ("hackernews", "/hn/v0", {"backend": "firebase", "list": "new"}, {}),
    "reddit": ("reddit", "/reddit", None, REDDIT),
    "reddit rss": ("reddit", "/reddit", {"access": "rss", "subreddit": "northmark"}, {}),
}
EVERY = [*SIMULATED, *SERVICES]


def asked(name: str, url: str) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    """Connector, address, options and secrets of one of them at this server."""
    if name in SERVICES:
        return SERVICES[name].asked(url)
    connector, path, options, secrets = SIMULATED[name]
    return connector, url + path, reddit_options(url) if options is None else options, secrets


@dataclass(frozen=True)
class Asked:
    """One of the connectors, at a server of ours."""

    name: str
    url: str

    def __call__(self) -> Fetched:
        found: Fetched = fetch(*asked(self.name, self.url))
        return found

    def again(self, fetched: Fetched) -> Fetched:
        """What it reads in the answers of `fetched` when nobody is asked."""
        connector, url, options, secrets = asked(self.name, self.url)
        return ask_again(connector, fetched, url, options, secrets)


@pytest.fixture(params=EVERY)
def every(request, world, site):
    """Fetches by one of the connectors."""
    service = SERVICES.get(request.param)
    return Asked(request.param, site(service.answer) if service else world.url)


@pytest.fixture(params=EVERY)
def against(request, site):
    """Fetches by one of the connectors from a site that gives every request this answer."""
    return lambda answer: fetch(*asked(request.param, site(everywhere(answer))))


@pytest.fixture(autouse=True)
def _no_robots_remembered():
    cache.clear()


def test_every_connector_of_the_table_is_tried():
    tried = {asked(name, "https://service.example")[0] for name in EVERY}
    assert tried == set(connectors.TABLE)


def test_every_connector_says_what_to_enter_and_what_its_service_asks_for():
    for connector in connectors.connectors().values():
        assert len(connector.help) > 80, connector.key
        assert connector.minutes >= 5


def test_every_connector_brings_pieces_with_identity_title_address_and_date(every):
    fetched = every()
    assert len(fetched.copies) > 1
    assert fetched.bytes > 0
    assert len({copy.external_id for copy in fetched.copies}) == len(fetched.copies)
    for copy in fetched.copies:
        assert copy.external_id
        assert copy.title
        assert copy.url.startswith("http")
        assert copy.published_at
        assert copy.authors


def test_every_connector_brings_the_same_again(every):
    def told() -> dict[str, str]:
        as_in_the_morning()  # Lobsters wants a minute between two requests
        return {copy.external_id: copy.fingerprint() for copy in every().copies}

    assert told() == told()


@pytest.mark.parametrize("name", SERVICES)
def test_a_second_sync_of_a_service_brings_nothing_new(site, source, name):
    connector, url, options, secrets = SERVICES[name].asked(site(SERVICES[name].answer))
    known = source(url, connector, options=options, credentials=secrets)
    first = sync(known.pk)
    Source.objects.update(answer_digest="")  # the same bytes would not even be read
    as_in_the_morning()  # Lobsters wants a minute between two requests
    second = sync(known.pk, forced=True)
    assert (first.outcome, first.rejected, first.duplicate) == ("ok", 0, 0)
    assert first.new == WireItem.objects.filter(source=known).count() > 1
    assert (second.new, second.updated, second.same) == (0, 0, first.new)
    for piece in WireItem.objects.filter(source=known):
        assert piece.title
        assert piece.url
        assert piece.published_at <= timezone.now()


def test_every_connector_gives_its_answers_to_the_archive_and_reads_them_again(every):
    fetched = every()
    assert all(payload.status == 200 and payload.body for payload in fetched.payloads)
    assert every.again(fetched).copies == fetched.copies


@pytest.mark.parametrize("mode", ["429", "503", "401", "drop_before", "truncate"])
@pytest.mark.parametrize("name", SIMULATED)
def test_trouble_of_the_simulators_services_is_a_sentence(world, name, mode):
    world.faults({"mode": mode, "retry_after": 7})
    with pytest.raises(SourceError) as caught:
        fetch(*asked(name, world.url))
    assert len(str(caught.value)) > 20
    assert str(caught.value).endswith(".")
    if mode == "429":
        assert isinstance(caught.value, Limited)
        assert caught.value.retry_after == 7


@pytest.mark.parametrize(
    "status", ["304 Same", "400 Bad", "401 No", "403 No", "404 Gone", "410 Gone", "418 Teapot",
               "429 Slow", "500 Oh", "503 Busy"]
)  # fmt: skip
def test_every_connectors_trouble_is_a_sentence(against, status):
    with pytest.raises(SourceError) as caught:
        against(http(status, b"<p>Nothing here", Retry_After="7"))
    assert len(str(caught.value)) > 20
    assert str(caught.value).endswith(".")
    if status.startswith("429"):
        assert isinstance(caught.value, Limited)
        assert caught.value.retry_after == 7


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"7", b'"x"', b"{", b"\xff\xfe", b"<!doctype html><p>Hello", b"[" * 5000,
     b'{"error": {"message": []}}', b'{"access_token": [], "accessJwt": 7, "data": 7}'],
)  # fmt: skip
def test_every_connector_says_that_garbage_is_no_answer(against, body):
    with pytest.raises(SourceError) as caught:
        against(http(body=body))
    assert str(caught.value).endswith(".")


def test_every_entry_of_the_table_can_be_loaded(settings):
    assert check_table() == []
    settings.EXTRA_CONNECTORS = {
        "gone": "nowhere.at.All", "no": "sources.models.Source", "odd": connectors.TABLE["feed"],
    }  # fmt: skip
    assert [problem.hint for problem in check_table()] == list(settings.EXTRA_CONNECTORS.values())


# --- feeds ---


def test_a_feed_that_has_not_changed_is_not_sent_again(world):
    url = f"{world.url}/feeds/rss.xml"
    first = fetch("feed", url)
    again = fetch("feed", url, etag=first.etag, last_modified=first.last_modified)
    assert (again.unchanged, again.http_status, again.copies) == (True, 304, ())
    world.publish_story(outlet="rss")
    assert len(fetch("feed", url, etag=first.etag).copies) == len(first.copies) + 1


def test_a_validator_that_no_request_can_carry_is_not_kept(site):
    answer = rss(item(1)).replace(b"\r\n\r\n", b'\r\nETag: "\xc3\xa4"\r\n\r\n', 1)
    assert fetch("feed", site(answer)).etag == ""


@pytest.mark.parametrize(
    ("secrets", "header"),
    [
        ({"user": "ada", "password": "x"}, b"Authorization: Basic YWRhOng="),
        ({"token": "t0ken"}, b"Authorization: Bearer t0ken"),
    ],
)
def test_a_feed_behind_a_login(site, secrets, header):
    def answer(head: bytes) -> bytes:
        return rss(item(1)) if header in head else http("401 Unauthorized")

    url = site(answer)
    assert len(fetch("feed", url, secrets=secrets).copies) == 1
    with pytest.raises(Denied, match="Check the credentials"):
        fetch("feed", url)


# --- Hacker News ---


def test_both_services_of_hacker_news_number_and_tell_alike(world):
    algolia = fetch("hackernews", f"{world.url}/hn/api/v1", {"list": "new"})
    firebase = fetch("hackernews", f"{world.url}/hn/v0", {"backend": "firebase", "list": "new"})
    by_id = {copy.external_id: copy for copy in firebase.copies}
    shared = [copy for copy in algolia.copies if copy.external_id in by_id]
    assert len(shared) > 3
    for copy in shared:
        other = by_id[copy.external_id]
        assert (copy.title, copy.url, copy.authors) == (other.title, other.url, other.authors)
        assert copy.published_at == other.published_at


def test_firebase_stays_within_the_sources_limit_of_requests(world):
    url, options = f"{world.url}/hn/v0", {"backend": "firebase", "list": "new"}
    fetched = fetch("hackernews", url, options, rate_limit_per_minute=4)
    assert len(world.log("/hn/v0")) == 4
    assert "lets 3 be read" in fetched.warnings[0]


@pytest.mark.parametrize("name", ["top", "new", "ask", "show", "job"])
@pytest.mark.parametrize("backend", ["algolia", "firebase"])
def test_every_list_of_hacker_news(world, backend, name):
    path = "/hn/api/v1" if backend == "algolia" else "/hn/v0"
    options = {"backend": backend, "list": name}
    assert fetch("hackernews", world.url + path, options).http_status == 200


def test_hacker_news_with_few_points_is_left_out(world):
    url = f"{world.url}/hn/api/v1"
    points = [copy.metadata["points"] for copy in fetch("hackernews", url).copies]
    least = sorted(points)[len(points) // 2] + 1
    chosen = fetch("hackernews", url, {"points": least}).copies
    assert len(chosen) == sum(each >= least for each in points)


# --- Reddit ---


def test_reddit_reads_the_posts_of_a_subreddit(world):
    url = f"{world.url}/reddit"
    fetched = fetch("reddit", url, reddit_options(world.url), REDDIT)
    assert all(copy.external_id.startswith("t3_") for copy in fetched.copies)
    assert all(copy.authors[0].startswith("u/") for copy in fetched.copies)
    assert all("/comments/" in copy.metadata["discussion"] for copy in fetched.copies)


def test_both_ways_into_reddit_tell_alike(world):
    url, options = f"{world.url}/reddit", reddit_options(world.url)
    by_api = {copy.external_id: copy for copy in fetch("reddit", url, options, REDDIT).copies}
    rss = {"access": "rss", "subreddit": credentials.REDDIT_SUBREDDIT}
    shared = [copy for copy in fetch("reddit", url, rss).copies if copy.external_id in by_api]
    assert len(shared) > 3
    for copy in shared:
        other = by_api[copy.external_id]
        assert (copy.title, copy.authors) == (other.title, other.authors)
        assert copy.published_at == other.published_at
        assert copy.content == other.content
        if other.url.startswith(world.url):  # a link, and not a post of Reddit's own
            assert copy.url == other.url


def test_reddit_with_a_wrong_secret(world):
    secrets = REDDIT | {"client_secret": "wrong"}
    with pytest.raises(Denied, match="does not know this application"):
        fetch("reddit", f"{world.url}/reddit", reddit_options(world.url), secrets)


def test_reddit_without_credentials_or_subreddit(world):
    url = f"{world.url}/reddit"
    with pytest.raises(Misconfigured, match="id and secret"):
        fetch("reddit", url, reddit_options(world.url))
    with pytest.raises(Misconfigured, match="Name the subreddit"):
        fetch("reddit", url, reddit_options(world.url, subreddit=""), REDDIT)
    assert world.log("/reddit") == []


def test_a_subreddit_that_is_none_cannot_lead_elsewhere(world):
    options = reddit_options(world.url, subreddit="../../feeds/rss.xml?")
    with pytest.raises(SourceError):
        fetch("reddit", f"{world.url}/reddit", options, REDDIT)
    assert all("/feeds" not in entry["path"].replace("%2F", "") for entry in world.log("/feeds"))


def test_a_subreddit_may_be_entered_with_its_prefix(world):
    options = reddit_options(world.url, subreddit=f"r/{credentials.REDDIT_SUBREDDIT}/")
    assert fetch("reddit", f"{world.url}/reddit", options, REDDIT).copies


# --- options ---


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lsit": "new"}, "There is no option \u201clsit\u201d here; there are: backend, list"),
        ({"list": "newest"}, "\u201cList\u201d must be one of top, new"),
        ({"limit": "many"}, "must be a whole number"),
    ],
)
def test_a_wrong_option_is_named(options, words):
    with pytest.raises(Misconfigured, match=words):
        checked(options, connectors.connector("hackernews").options)


def test_options_have_defaults():
    assert checked({}, connectors.connector("hackernews").options) == {
        "backend": "algolia", "list": "top", "points": 0, "limit": 100,
    }  # fmt: skip


def test_a_connector_that_is_not_installed():
    with pytest.raises(Misconfigured, match="not installed"):
        fetch("carrier-pigeon", "https://pigeon.example")
