"""LinkedIn, Threads and a Page through the queue: a lost answer leaves exactly one post."""

from datetime import timedelta

import pytest
from django.utils import timezone

from publishing import deliver
from publishing.lifecycle import Status
from publishing.models import Channel, Delivery
from publishing.platforms import threads_containers
from tests.publishing import conftest
from tests.publishing.walled import SmallLinkedIn, SmallPage, SmallThreads
from tests.publishing.wire import speaking

pytestmark = pytest.mark.django_db(transaction=True)

LONG = "".join(f"<p>On day {number} the ferry sails again, and the harbour fills up.</p>"
               for number in range(25))  # fmt: skip


def fresh(delivery):
    return Delivery.objects.get(pk=delivery.pk)


def go_on(delivery):
    """Let the wait before the next attempt pass."""
    Delivery.objects.filter(pk=delivery.pk).exclude(next_attempt_at=None).update(
        next_attempt_at=timezone.now()
    )
    Channel.objects.update(waits_until=None)
    deliver.drain()
    return fresh(delivery)


@pytest.fixture
def connected(channel, monkeypatch):
    """A channel to a small platform: `connected("threads", platform.url, form="thread")`."""
    monkeypatch.setattr(threads_containers, "_BETWEEN_LOOKS", 0.01)

    def connect(platform, url, **options):
        monkeypatch.setitem(conftest.CHANNELS, platform, ("", {}))
        now = timezone.now()
        return channel(
            platform, options={"url": url, **options}, credentials={"token": "T"},
            renewed_at=now, token_expires_at=now + timedelta(days=60),
        )  # fmt: skip

    return connect


@pytest.fixture
def linkedin():
    with speaking(SmallLinkedIn()) as platform:
        yield platform


@pytest.fixture
def threads():
    with speaking(SmallThreads()) as platform:
        yield platform


@pytest.fixture
def page():
    with speaking(SmallPage()) as platform:
        yield platform


def test_a_post_to_linkedin_goes_out_once(connected, queued, linkedin):
    delivery = queued(connected("linkedin", linkedin.url, organization="5"))
    deliver.drain()
    delivery = fresh(delivery)
    assert delivery.status == Status.PUBLISHED
    assert [delivery.remote_id] == list(linkedin.posts)


@pytest.mark.parametrize("way", ["lose", "fail"])
def test_a_lost_answer_of_linkedin_is_looked_up(connected, queued, linkedin, way):
    getattr(linkedin, way).add("POST /rest/posts")
    delivery = queued(connected("linkedin", linkedin.url, organization="5"))
    deliver.drain()
    assert fresh(delivery).status == Status.IN_DOUBT
    delivery = go_on(delivery)
    assert (delivery.status, delivery.confirmed_by) == (Status.PUBLISHED, "look_up")
    assert [delivery.remote_id] == list(linkedin.posts)


def test_a_request_that_linkedin_never_got_is_sent_again_after_two_looks(
    connected, queued, linkedin
):
    linkedin.refuse.add("POST /rest/posts")
    delivery = queued(connected("linkedin", linkedin.url, organization="5"))
    deliver.drain()
    assert go_on(delivery).status == Status.IN_DOUBT
    assert not linkedin.posts
    assert go_on(delivery).status == Status.PUBLISHED
    assert len(linkedin.posts) == 1


def test_a_list_that_lags_is_put_right_by_the_refusal_that_names_the_post(
    connected, queued, linkedin, monkeypatch
):
    linkedin.lose.add("POST /rest/posts")
    delivery = queued(connected("linkedin", linkedin.url, organization="5"))
    deliver.drain()
    [(urn, post)] = linkedin.posts.items()
    author, post["author"] = post["author"], "lists lag"
    go_on(delivery)
    delivery = go_on(delivery)
    post["author"] = author
    assert (delivery.status, delivery.remote_id) == (Status.PUBLISHED, urn)
    assert delivery.confirmed_by == "look_up"
    assert len(linkedin.posts) == 1


def test_where_linkedin_lets_us_not_read_a_person_is_asked_and_nothing_is_sent(
    connected, queued, linkedin
):
    linkedin.may_be_read = False
    linkedin.lose.add("POST /rest/posts")
    delivery = queued(connected("linkedin", linkedin.url, organization="5"))
    deliver.drain()
    delivery = go_on(delivery)
    assert (delivery.status, delivery.next_attempt_at) == (Status.IN_DOUBT, None)
    assert "please look" in delivery.error_message
    assert len(linkedin.posts) == 1


@pytest.mark.parametrize("route", ["POST /v1.0/me/threads", "POST /v1.0/me/threads_publish"])
@pytest.mark.parametrize("way", ["lose", "fail", "refuse"])
def test_a_lost_answer_of_threads_leaves_one_post(connected, queued, threads, route, way):
    getattr(threads, way).add(route)
    delivery = queued(connected("threads", threads.url))
    deliver.drain()
    maybe = route.endswith("publish")
    assert fresh(delivery).status == (Status.IN_DOUBT if maybe else Status.RETRY)
    delivery = go_on(delivery)
    assert delivery.status == Status.PUBLISHED
    assert list(threads.posts) == [delivery.remote_id]
    assert delivery.remote_url.startswith("https://threads.example/")


def test_a_thread_that_broke_in_the_middle_goes_on_there(connected, queued, threads):
    delivery = queued(connected("threads", threads.url, form="thread"), content=LONG)
    publish = threads._publish

    def losing(container):
        answer = publish(container)
        if len(threads.posts) == 2:
            threads.lose.add("POST /v1.0/me/threads_publish")
        return answer

    threads._publish = losing
    deliver.drain()
    assert fresh(delivery).status == Status.IN_DOUBT
    assert len(threads.posts) == 2
    delivery = go_on(delivery)
    assert delivery.status == Status.PUBLISHED
    texts = [post["text"] for post in threads.posts.values()]
    assert [text[:2] for text in texts] == [f"{n}/" for n in range(1, len(texts) + 1)]
    chain = [post.get("replied_to", {}).get("id") for post in threads.posts.values()]
    assert chain == [None, *list(threads.posts)[:-1]]
    assert delivery.parts == list(threads.posts)


@pytest.mark.parametrize("step", ["draft", "flip"])
@pytest.mark.parametrize("way", ["lose", "fail", "refuse"])
def test_a_lost_answer_of_a_page_leaves_one_post_that_is_seen(connected, queued, page, step, way):
    getattr(page, way).add("POST /v25.0/5/feed" if step == "draft" else "POST /v25.0/5_101")
    delivery = queued(connected("facebook_page", page.url, page_id="5"))
    deliver.drain()
    assert fresh(delivery).status == (Status.RETRY if step == "draft" else Status.IN_DOUBT)
    delivery = go_on(delivery)
    assert delivery.status == Status.PUBLISHED
    assert [each["id"] for each in page.public] == [delivery.remote_id]


def test_a_version_that_linkedin_drops_pauses_the_channel_and_a_newer_one_sends_what_waited(
    connected, queued, linkedin
):
    linkedin.oldest = "202610"
    to = connected("linkedin", linkedin.url, organization="5", version="202510")
    delivery = queued(to)
    deliver.drain()
    to.refresh_from_db()
    assert "API version" in to.paused_reason
    assert fresh(delivery).status == Status.RETRY
    options = to.options | {"version": "202610"}
    Channel.objects.filter(pk=to.pk).update(options=options, paused_reason="")
    assert go_on(delivery).status == Status.PUBLISHED
    assert len(linkedin.posts) == 1
