"""Corrections and withdrawals travel to every channel by what it can do; each is reported."""

import pytest

from articles import desk, revise
from articles.lifecycle import State
from articles.models import Article, Distribution
from config.outbound import Client
from publishing import amend, deliver, queue
from publishing.errors import Refusal
from publishing.lifecycle import Status
from publishing.models import Delivery
from publishing.platforms import platform
from publishing.post import Job, Once, Receipt
from tests.publishing.bare import Bare

pytestmark = pytest.mark.django_db(transaction=True)
Acts, Wishes = Delivery.Acts, Delivery.Wishes


class Able(Bare):
    """A platform that remembers what it was told; tests give it abilities."""

    done: list[tuple[str, str, str]] = []
    refuses = False

    async def publish(self, job: Job, http: Client) -> Receipt:
        Able.done.append(("publish", job.remote_id, job.post.title))
        return Receipt("r1", "https://able.example/r1")

    async def _do(self, act: str, job: Job) -> Receipt:
        if Able.refuses:
            raise Refusal("It is too old.", status=400)
        Able.done.append((act, job.remote_id, job.post.title))
        return Receipt(job.remote_id, job.remote_url)


class Editor(Able):
    key, label = "editor", "Editor"

    async def edit(self, job: Job, http: Client) -> Receipt:
        return await self._do("edit", job)


class Answerer(Able):
    key, label = "answerer", "Answerer"

    async def reply(self, job: Job, http: Client) -> Receipt:
        return await self._do("reply", job)


class Remover(Editor):
    key, label = "remover", "Remover"

    async def delete(self, job: Job, http: Client) -> Receipt:
        return await self._do("delete", job)


class Eraser(Answerer):
    key, label = "eraser", "Eraser"

    async def reply(self, job: Job, http: Client) -> Receipt:
        await self._do("reply", job)
        return Receipt("r2", "https://able.example/r2")

    async def delete(self, job: Job, http: Client) -> Receipt:
        return await self._do("delete", job)


class Mute(Able):
    key, label = "mute", "Mute"


@pytest.fixture
def out(world, settings, channel, queued, by, monkeypatch):
    """A live story on a channel of each kind: `out("editor")`; what was done is emptied."""
    monkeypatch.setattr(Able, "done", [])
    monkeypatch.setattr(Able, "refuses", False)
    here = "tests.publishing.test_amend"
    settings.EXTRA_PLATFORMS = {
        each.key: f"{here}.{each.__name__}" for each in (Editor, Answerer, Remover, Eraser, Mute)
    }
    from tests.publishing import conftest

    for key in settings.EXTRA_PLATFORMS:
        monkeypatch.setitem(conftest.CHANNELS, key, ("", {}))

    def put(key):
        first = queued(channel(key))
        deliver.drain()
        assert fresh(first).status == Status.PUBLISHED
        Able.done.clear()
        return fresh(first)

    return put


def fresh(row):
    return Delivery.objects.select_related("article").get(pk=row.pk)


def corrected(story: Article, by) -> Article:
    """The story with a corrected text, approved."""
    desk.perform(story.pk, "correct", by, reason="The ferry has another name.")
    story.refresh_from_db()
    revise.save(story.pk, by, story.version, {"title": "Ferry renamed"})
    desk.submit(story.pk, by)
    return desk.approve(story.pk, by)


def amendments(first):
    return list(Delivery.objects.filter(of=first).order_by("slot"))


@pytest.mark.parametrize(
    ("key", "correction", "withdrawal"),
    [
        ("editor", Acts.EDIT, Acts.EDIT),
        ("answerer", Acts.REPLY, Acts.REPLY),
        ("remover", Acts.EDIT, Acts.DELETE),
        ("eraser", Acts.REPLY, Acts.DELETE),
        ("mute", Acts.BY_HAND, Acts.BY_HAND),
        (None, Acts.BY_HAND, Acts.BY_HAND),
    ],
)
def test_each_wish_takes_the_best_way_that_the_platform_has(out, key, correction, withdrawal):
    adapter = platform(key) if key else None
    assert amend.way(adapter, Wishes.CORRECT) == correction
    assert amend.way(adapter, Wishes.WITHDRAW) == withdrawal


def test_an_edit_is_repeated_and_an_answer_is_asked_about():
    assert amend.repeat(Acts.EDIT, Once.NONE) is amend.Repeat.AGAIN
    assert amend.repeat(Acts.REPLY, Once.KEY) is amend.Repeat.FIND_OUT
    assert amend.repeat(Acts.REPLY, Once.LOOK_UP) is amend.Repeat.ASK
    assert amend.repeat(Acts.PUBLISH, Once.NONE) is amend.Repeat.ASK


def test_a_correction_changes_the_post_that_is_there(out, by):
    first = out("editor")
    story = corrected(first.article, by)
    result = queue.enqueue(story.pk, [first.channel_id], by)[0]
    assert result.delivery is not None, result.problem
    deliver.drain()
    assert Able.done == [("edit", "r1", "Ferry renamed")]
    edit = amendments(first)[0]
    assert (edit.status, edit.wish) == (Status.PUBLISHED, Wishes.CORRECT)
    story.refresh_from_db()
    assert story.state == State.LIVE
    assert story.live_revision.title == "Ferry renamed"
    assert story.distribution == Distribution.LIVE


def test_where_a_post_cannot_be_changed_a_note_says_what_was_wrong(out, by):
    first = out("answerer")
    story = corrected(first.article, by)
    queue.enqueue(story.pk, [first.channel_id], by)
    deliver.drain()
    assert Able.done == [("reply", "r1", "Correction: Ferry renamed")]


def test_the_same_correction_is_not_sent_twice(out, by):
    first = out("editor")
    story = corrected(first.article, by)
    queue.enqueue(story.pk, [first.channel_id], by)
    assert "already" in queue.enqueue(story.pk, [first.channel_id], by)[0].problem
    deliver.drain()
    assert "already" in queue.enqueue(story.pk, [first.channel_id], by)[0].problem


def test_a_kill_takes_every_post_away_by_itself(out, by):
    first = out("remover")
    desk.perform(first.article_id, "kill", by, reason="It was wrong.")
    assert amend.withdraw() == 1
    assert amend.withdraw() == 0  # its withdrawal is on its way
    deliver.drain()
    assert Able.done[0][:2] == ("delete", "r1")
    assert amendments(first)[0].status == Status.PUBLISHED
    first.article.refresh_from_db()
    assert (first.article.state, first.article.distribution) == (State.KILLED, Distribution.NONE)


def corrected_then_killed(first, by):
    story = corrected(first.article, by)
    queue.enqueue(story.pk, [first.channel_id], by)
    deliver.drain()
    Able.done.clear()
    desk.perform(first.article_id, "kill", by, reason="It was wrong.")
    queued = amend.withdraw()
    deliver.drain()
    return queued


def test_a_note_that_corrected_a_post_is_taken_away_with_it(out, by):
    first = out("eraser")
    assert corrected_then_killed(first, by) == 2
    assert amend.withdraw() == 0
    assert [(act, number) for act, number, _ in Able.done] == [("delete", "r2"), ("delete", "r1")]
    first.article.refresh_from_db()
    assert first.article.distribution == Distribution.NONE


def test_a_note_that_can_not_be_taken_away_stays_beside_what_is_said_of_the_post(out, by):
    first = out("answerer")
    assert corrected_then_killed(first, by) == 1
    [(act, number, title)] = Able.done
    assert (act, number) == ("reply", "r1")
    assert title.startswith("Withdrawn: ")


def test_where_a_post_can_only_be_changed_it_says_that_it_was_withdrawn(out, by):
    first = out("editor")
    desk.perform(first.article_id, "kill", by, reason="It was wrong.")
    amend.withdraw()
    deliver.drain()
    act, _remote, title = Able.done[0]
    assert act == "edit"
    assert title.startswith("Withdrawn: ")


def test_a_platform_that_can_do_nothing_makes_a_task_for_a_person(out, by):
    first = out("mute")
    desk.perform(first.article_id, "kill", by, reason="It was wrong.")
    amend.withdraw()
    task = amendments(first)[0]
    assert (task.act, task.status) == (Acts.BY_HAND, Status.HELD)
    assert "https://able.example/r1" in task.error_message
    deliver.drain()
    assert not Able.done
    with pytest.raises(Exception, match="task for a person"):
        queue.release(task.pk, by)
    amend.done(task.pk, by)
    assert fresh(task).status == Status.PUBLISHED
    assert fresh(task).confirmed_by == "person"
    assert first.article.events.filter(what="done_by_hand").exists()


def test_a_change_that_is_refused_becomes_a_persons_task(out, by, monkeypatch):
    first = out("remover")
    monkeypatch.setattr(Able, "refuses", True)
    desk.perform(first.article_id, "kill", by, reason="It was wrong.")
    amend.withdraw()
    deliver.drain()
    failed, task = amendments(first)
    assert (failed.act, failed.status) == (Acts.DELETE, Status.FAILED)
    assert (task.act, task.status) == (Acts.BY_HAND, Status.HELD)
    assert "too old" in task.error_message


def test_a_withdrawal_is_neither_late_nor_kept_by_an_embargo(out, by):
    from datetime import timedelta

    from django.utils import timezone

    first = out("remover")
    desk.perform(first.article_id, "kill", by, reason="It was wrong.")
    amend.withdraw()
    Article.objects.update(embargo_until=timezone.now() + timedelta(days=1))
    Delivery.objects.filter(of=first).update(scheduled_at=timezone.now() - timedelta(days=9))
    deliver.drain()
    assert amendments(first)[0].status == Status.PUBLISHED


def test_what_was_never_out_is_only_cancelled_by_a_kill(out, channel, by, queued):
    first = out("remover")
    later = queue.enqueue(first.article_id, [channel("mute").pk], by)[0].delivery
    desk.perform(first.article_id, "kill", by, reason="It was wrong.")
    amend.withdraw()
    deliver.drain()
    assert fresh(later).status == Status.CANCELLED
    assert Delivery.objects.filter(of=later).count() == 0
