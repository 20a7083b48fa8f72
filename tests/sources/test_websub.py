"""WebSub: subscribing at a real small hub, being pushed to, and what forgers get."""

import hashlib
import hmac
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import example, given
from hypothesis import settings as runs
from hypothesis import strategies as st

from articles.models import WireItem
from sources import alone, websub
from sources import websub_rules as rules
from sources.models import PushedAnswer, Source, Subscription
from sources.sync import sync
from tests.config.far_end import http
from tests.sources.conftest import item, rss

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HUB, TOPIC = "https://hub.example/", "https://gazette.example/feed"


# --- decisions ---


@pytest.mark.parametrize(
    ("public", "allowed", "base"),
    [
        ("https://desk.example.org", "", "https://desk.example.org"),
        ("https://desk.example.org/", "", "https://desk.example.org"),
        ("http://desk.example.org", "", ""),
        ("http://127.0.0.1:8000", "", ""),
        ("https://127.0.0.1", "", ""),
        ("https://10.1.2.3", "", ""),
        ("https://newsdesk", "", ""),
        ("https://desk.internal", "", ""),
        ("", "", ""),
        ("http://127.0.0.1:8000", "https://hooks.example.org/", "https://hooks.example.org"),
    ],
)
def test_hubs_are_given_an_address_that_they_can_reach(public, allowed, base):
    assert rules.callback_base(public, allowed) == base


@pytest.mark.parametrize(
    ("links", "found"),
    [
        (['<https://h.example/>; rel="hub", </f>; rel="self"'],
         ("https://h.example/", "https://g.example/f")),
        (["<https://h.example/>; rel=hub", '<https://g.example/x>; rel="self next"'],
         ("https://h.example/", "https://g.example/x")),
        (['<https://a.example/>; title="x, y"; rel="hub", <https://b.example/>; rel=hub'],
         ("https://a.example/", "")),
        (["<javascript:alert(1)>; rel=hub", "<ftp://x/>; rel=self"], ("", "")),
        (["<https://h.example/>", "", "<<<", '<http://[>; rel="hub"'], ("", "")),
    ],
)  # fmt: skip
def test_link_headers_name_hub_and_topic(links, found):
    assert rules.declared(links, "https://g.example/feed") == found


@given(st.lists(st.text(alphabet='<>;,"= relhubsf:/.[]\x00é', max_size=300), max_size=4))
@example(["<" * 10_000])
@example(['<>"' * 3300])
@example(["<a>;" + " rel" * 2400])
@runs(max_examples=200, deadline=500)
def test_no_link_header_raises_or_takes_long(links):
    for address in rules.declared(links, "https://g.example/feed"):
        assert address == "" or address.startswith(("http://", "https://"))


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_a_signature_of_every_method_is_checked(method):
    good = hmac.new(b"secret", b"body", method).hexdigest()
    assert rules.signed_by("secret", f"{method}={good}", b"body")
    assert rules.signed_by("secret", f"{method.upper()}={good.upper()}", b"body")
    assert not rules.signed_by("secret", f"{method}={good}", b"body ")
    assert not rules.signed_by("other", f"{method}={good}", b"body")


@pytest.mark.parametrize("header", ["", "sha256", "sha256=", "md5=" + "0" * 32, "sha256=é", "=x"])
def test_anything_else_is_no_signature(header):
    assert not rules.signed_by("secret", header, b"body")


@pytest.mark.parametrize(
    ("seconds", "granted"),
    [
        ("864000", timedelta(days=10)),
        ("", timedelta(days=10)),
        ("x", timedelta(days=10)),
        ("-5", timedelta(days=10)),
        ("1", timedelta(minutes=1)),
        ("99999999999", timedelta(days=90)),
    ],
)
def test_a_lease_is_renewed_ahead_of_its_end(seconds, granted):
    lease = rules.lease(NOW, seconds)
    assert lease.ends == NOW + granted
    assert lease.renew == NOW + granted * 0.8


def test_a_hub_that_fails_is_asked_later_and_later_but_once_a_day():
    waits = [rules.next_try(NOW, attempts) - NOW for attempts in (1, 2, 3, 60_000)]
    minutes = [wait.total_seconds() / 60 for wait in waits]
    assert minutes == [5, 10, 20, 24 * 60]


# --- end to end, with a hub on loopback ---


@pytest.fixture
def reachable(live_server, settings) -> None:
    """A desk that hubs reach."""
    settings.WEBSUB_CALLBACK_URL = live_server.url


def eventually(check: Callable[[], bool]) -> None:
    """Wait until the hub has come back to us."""
    deadline = time.monotonic() + 10
    while not check():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def live(gazette: Source) -> Subscription:
    """Sync the source, tend its subscription, and wait until the hub has verified it."""
    assert sync(gazette.pk, forced=True).outcome != "failed"
    assert websub.tend() == 1
    eventually(lambda: websub.is_live(gazette))
    return Subscription.objects.get(source=gazette)


pushed = pytest.mark.django_db(transaction=True)


@pushed
def test_a_declared_hub_is_subscribed_to_and_what_it_pushes_is_filed(world, reachable, source):
    topic = f"{world.url}/feeds/rss.xml"
    gazette = source(topic)
    subscription = live(gazette)
    eventually(lambda: len(world.hub()) == 1)
    assert (subscription.hub, subscription.topic) == (f"{world.url}/hub", topic)
    assert subscription.lease_ends > timezone.now() + timedelta(days=9)
    assert subscription.due_at < subscription.lease_ends - timedelta(days=1)

    world.publish_story(outlet="rss", title="Ferry aground")
    assert world.push(topic) == [202]
    assert not WireItem.objects.filter(title="Ferry aground").exists()  # only stored so far
    assert websub.read_pushes() == 1
    assert WireItem.objects.get(title="Ferry aground").source == gazette
    run = gazette.runs.get(cause="pushed")
    assert (run.new, run.outcome) == (1, "ok")
    assert run.answers.get().parts[0]["url"] == topic
    assert not PushedAnswer.objects.exists()
    subscription.refresh_from_db()
    assert (subscription.pushes, subscription.forged) == (1, 0)


@pushed
@pytest.mark.parametrize("method", ["sha1", "sha384", "sha512"])
def test_every_method_of_signing_is_understood(world, reachable, source, method):
    gazette = source(f"{world.url}/feeds/atom.xml")
    live(gazette)
    eventually(lambda: len(world.hub(method=method)) == 1)
    assert world.push(gazette.api_endpoint) == [202]
    assert PushedAnswer.objects.count() == 1


@pushed
def test_a_forged_push_is_acknowledged_counted_and_without_effect(world, reachable, source):
    gazette = source(f"{world.url}/feeds/rss.xml")
    subscription = live(gazette)
    eventually(lambda: len(world.hub(forge=True)) == 1)
    assert world.push(gazette.api_endpoint, body="<rss/>") == [202]
    subscription.refresh_from_db()
    assert (subscription.pushes, subscription.forged) == (0, 1)
    assert not PushedAnswer.objects.exists()


@pushed
def test_a_lease_is_renewed_before_it_ends(world, reachable, source):
    gazette = source(f"{world.url}/feeds/rss.xml")
    subscription = live(gazette)
    first, token = subscription.lease_ends, subscription.token
    assert websub.tend() == 0  # not due
    due = subscription.due_at or timezone.now()
    assert websub.tend(due + timedelta(seconds=1)) == 1
    assert websub.is_live(gazette)  # while the renewal is under way, too
    eventually(lambda: Subscription.objects.get(source=gazette).lease_ends > first)
    assert Subscription.objects.get(source=gazette).token == token


@pushed
def test_a_hub_that_does_not_push_what_it_promised_is_not_live(world, reachable, source, ada):
    gazette = source(f"{world.url}/feeds/rss.xml")
    live(gazette)
    for number in range(3):
        assert websub.is_live(gazette)
        world.publish_story(outlet="rss", title=f"Nobody pushed {number}")
        assert sync(gazette.pk, forced=True).new == 1
    assert not websub.is_live(gazette)
    console = Client()
    console.force_login(ada)
    page = console.get(f"/admin/sources/source/{gazette.pk}/change/").content.decode()
    assert "Its hub promised to push, and does not" in page
    eventually(lambda: len(world.hub()) == 1)
    assert world.push(gazette.api_endpoint) == [202]
    assert websub.is_live(gazette)


@pushed
def test_a_promise_that_ended_is_asked_for_again(world, reachable, source):
    gazette = source(f"{world.url}/feeds/rss.xml")
    subscription = live(gazette)
    ended = timezone.now() - timedelta(seconds=1)
    Subscription.objects.filter(pk=subscription.pk).update(lease_ends=ended, due_at=ended)
    assert not websub.is_live(gazette)
    assert websub.tend() == 1
    eventually(lambda: websub.is_live(gazette))


@pushed
@pytest.mark.parametrize(
    "away",
    [
        lambda source: Source.objects.filter(pk=source.pk).update(paused_reason="They asked us."),
        lambda source: Source.objects.filter(pk=source.pk).update(is_active=False),
        lambda source: (source.runs.all().delete(), source.items.all().delete(), source.delete()),
    ],
    ids=["paused", "switched off", "deleted"],
)
def test_a_source_that_goes_away_is_unsubscribed(world, reachable, source, away):
    gazette = source(f"{world.url}/feeds/rss.xml")
    live(gazette)
    eventually(lambda: len(world.hub()) == 1)
    away(gazette)
    assert websub.tend() == 1
    eventually(lambda: not Subscription.objects.exists())
    eventually(lambda: world.hub() == [])


@pushed
def test_a_hub_that_refuses_is_shown_in_words(world, reachable, source, ada):
    world.hub(deny="We push to paying readers only.")
    gazette = source(f"{world.url}/feeds/rss.xml")
    sync(gazette.pk)
    websub.tend()
    eventually(lambda: Subscription.objects.get().state == "denied")
    assert not websub.is_live(gazette)
    assert websub.tend() == 0  # not again at once
    console = Client()
    console.force_login(ada)
    page = console.get(f"/admin/sources/source/{gazette.pk}/change/").content.decode()
    assert "The hub refuses to push: We push to paying readers only." in page


@pushed
def test_while_its_hub_pushes_a_source_is_asked_less_often(world, reachable, source):
    gazette = source(f"{world.url}/feeds/rss.xml", follows_rhythm=False)
    live(gazette)
    sync(gazette.pk, forced=True)
    gazette.refresh_from_db()
    assert gazette.next_sync_at > timezone.now() + timedelta(minutes=55)
    assert "its hub pushes" in gazette.next_sync_reason.lower()


@pushed
def test_hundreds_of_hubs_are_asked_in_one_go(world, reachable, source, monkeypatch):
    monkeypatch.setattr(websub, "_HUBS_AT_ONCE", 2)
    for number in range(5):
        websub.noticed(
            source(f"https://{number}.example/"), f"{world.url}/hub", "https://t.example/"
        )
    assert websub.tend() == 5
    eventually(lambda: Subscription.objects.filter(state="live").count() == 5)


@pushed
def test_a_hub_that_fails_says_why_and_is_asked_later(site, reachable, source):
    hub = site(http("500 Oops", body=b"out of paper"))
    gazette = source(
        site(rss(item(1)).replace(b"\r\n", f"\r\nLink: <{hub}>; rel=hub\r\n".encode(), 1))
    )
    sync(gazette.pk)
    assert websub.tend() == 1
    subscription = Subscription.objects.get()
    assert subscription.reason == "The hub answered 500: out of paper."
    assert subscription.attempts == 1
    assert subscription.due_at > timezone.now() + timedelta(minutes=4)
    assert websub.tend() == 0


# --- without a hub: the callback and the rows ---


@pytest.fixture
def subscription(settings, source) -> Subscription:
    """One that was asked for and is not verified yet."""
    settings.WEBSUB_CALLBACK_URL = "https://desk.example.org"
    websub.noticed(source(TOPIC), HUB, TOPIC)
    subscription = Subscription.objects.get()
    subscription.pending = "subscribe"
    subscription.save()
    return subscription


def verify(token: str, mode: str = "subscribe", topic: str = TOPIC, **more: str):
    query = {"hub.mode": mode, "hub.topic": topic, "hub.challenge": "c4", **more}
    return Client().get(f"/websub/{token}/", query)


def push(subscription: Subscription, body: bytes, secret: str = "", **headers: str):
    secret = secret or subscription.secret.reveal()["secret"]
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Client(enforce_csrf_checks=True).post(
        f"/websub/{subscription.token}/", body, content_type="application/rss+xml",
        headers={"X-Hub-Signature": signature} | headers,
    )  # fmt: skip


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def test_a_challenge_is_answered_for_what_we_asked_for(subscription):
    answer = verify(subscription.token, **{"hub.lease_seconds": "3600"})
    assert (answer.status_code, answer.content) == (200, b"c4")
    assert answer["Content-Type"].startswith("text/plain")
    subscription.refresh_from_db()
    assert (subscription.state, subscription.pending) == ("live", "")
    assert verify(subscription.token).status_code == 404  # once is enough


@pytest.mark.parametrize(
    "wrong",
    [
        {"topic": "https://other.example/"},
        {"mode": "unsubscribe"},
        {"mode": ""},
        {"mode": "publish"},
        {"hub.challenge": ""},
        {"hub.challenge": "c" * 2001},
        {"token": "guessed"},
    ],
)
def test_a_challenge_for_anything_else_is_not_found(subscription, wrong):
    token = wrong.pop("token", subscription.token)
    assert verify(token, **wrong).status_code == 404
    subscription.refresh_from_db()
    assert subscription.state == "wanted"


def test_nobody_unsubscribes_us(subscription):
    verify(subscription.token)
    assert verify(subscription.token, "unsubscribe").status_code == 404
    assert Subscription.objects.get().state == "live"


def test_a_push_too_large_is_refused(subscription, monkeypatch):
    monkeypatch.setattr(websub, "LARGEST_PUSH", 10)
    assert push(subscription, b"x" * 11).status_code == 413
    assert not PushedAnswer.objects.exists()


def test_the_same_push_twice_waits_once(subscription):
    for _ in range(2):
        assert push(subscription, body_of(rss(item(1)))).status_code == 202
    assert PushedAnswer.objects.count() == 1


def test_too_many_pushes_that_nobody_reads_are_put_off(subscription, monkeypatch):
    monkeypatch.setattr(websub, "_WAITING", 2)
    answers = [push(subscription, b"%d" % number) for number in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 503]
    assert answers[-1]["Retry-After"] == "120"


def test_a_push_for_a_subscription_that_we_leave_is_gone(subscription):
    Subscription.objects.update(state="leaving")
    assert push(subscription, b"<rss/>").status_code == 410


def test_a_pushed_body_that_is_no_feed_is_a_failed_run_with_its_bytes(subscription):
    push(subscription, b"<html>sorry</html>")
    assert websub.read_pushes() == 1
    gazette = Source.objects.get()
    run = gazette.runs.get()
    assert (run.cause, run.outcome, run.error_kind) == ("pushed", "failed", "not_a_feed")
    assert gazette.answers.get().failed
    assert (gazette.failures, gazette.last_error) == (0, "")  # it is not the source's fault
    assert not PushedAnswer.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_push_during_a_sync_is_read_afterwards(subscription):
    import threading

    from django.db import connection

    push(subscription, body_of(rss(item(1))))
    held, done = threading.Event(), threading.Event()

    def syncing() -> None:
        with alone.alone(subscription.source_id):
            held.set()
            done.wait(10)
        connection.close()

    worker = threading.Thread(target=syncing)
    worker.start()
    assert held.wait(10)
    assert websub.read_pushes() == 0
    done.set()
    worker.join()
    waiting = PushedAnswer.objects.get()
    assert waiting.attempts == 0
    PushedAnswer.objects.update(leased_until=None)
    assert websub.read_pushes() == 1
    assert WireItem.objects.get().title == "Piece 1"


def test_a_push_that_a_dead_worker_left_is_read_when_its_lease_is_over(subscription):
    push(subscription, body_of(rss(item(1))))
    PushedAnswer.objects.update(leased_until=timezone.now() + timedelta(minutes=1))
    assert websub.read_pushes() == 0
    PushedAnswer.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert websub.read_pushes() == 1


def test_pushes_for_a_paused_source_are_dropped(subscription):
    push(subscription, body_of(rss(item(1))))
    Source.objects.update(paused_reason="They asked us.")
    assert websub.read_pushes() == 0
    assert not PushedAnswer.objects.exists()
    assert not WireItem.objects.exists()


# --- what a sync notes ---


def test_a_desk_that_hubs_cannot_reach_subscribes_nowhere(source, settings):
    settings.PUBLIC_URL, settings.WEBSUB_CALLBACK_URL = "http://127.0.0.1:8000", ""
    websub.noticed(source(TOPIC), HUB, TOPIC)
    assert not Subscription.objects.exists()


def test_a_hub_that_names_no_topic_is_asked_for_the_source_s_address(subscription, source):
    other = source("https://other.example/feed")
    websub.noticed(other, HUB, "")
    assert Subscription.objects.get(source=other).topic == "https://other.example/feed"


def test_the_same_hub_again_changes_nothing(subscription):
    websub.noticed(subscription.source, HUB, TOPIC)
    assert Subscription.objects.get() == subscription


def test_another_hub_means_leaving_the_first(subscription):
    websub.noticed(subscription.source, "https://other.example/", TOPIC)
    states = dict(Subscription.objects.values_list("hub", "state"))
    assert states == {HUB: "leaving", "https://other.example/": "wanted"}


def test_no_hub_any_more_means_leaving_it(subscription):
    websub.noticed(subscription.source, "", "")
    assert Subscription.objects.get().state == "leaving"


def test_a_source_that_names_another_hub_each_time_does_not_pile_them_up(subscription):
    for number in range(20):
        Subscription.objects.update(pending="subscribe")
        websub.noticed(subscription.source, f"https://h{number}.example/", TOPIC)
    assert Subscription.objects.count() <= 4


def test_the_secret_is_sealed_and_nowhere_else(subscription):
    from django.db import connection

    secret = subscription.secret.reveal()["secret"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM websub_subscriptions")
        assert secret not in cursor.fetchone()[0]
    assert secret not in repr(subscription.__dict__)
