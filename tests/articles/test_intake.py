import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connections
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from articles import intake
from articles.models import Article
from articles.wire import WireCopy
from sources.models import Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(db):
    return Source.objects.create(
        name="Coast Wire", connector="feed", api_endpoint="https://coast.example/rss"
    )


def piece(external_id="c1", title="Ferry returns", **more):
    return WireCopy(external_id, title, **({"content": "<p>It sails.</p>"} | more))


def test_a_piece_is_filed_once_however_often_it_comes(source):
    first = intake.file(source.pk, [piece()])
    second = intake.file(source.pk, [piece()])
    assert (first.new, second.new, second.same) == (1, 0, 1)
    assert Article.objects.count() == 1


def test_a_rewritten_piece_is_updated_and_its_former_text_kept(source):
    intake.file(source.pk, [piece()])
    filed = intake.file(source.pk, [piece(title="Ferry does not return")])
    item = Article.objects.get()
    assert (filed.updated, item.title, item.version) == (1, "Ferry does not return", 2)
    assert item.revisions.get().title == "Ferry returns"


def test_a_score_that_moved_is_no_rewrite(source):
    intake.file(source.pk, [piece(metadata={"points": 1})])
    assert intake.file(source.pk, [piece(metadata={"points": 200})]).same == 1


def test_the_same_identity_in_two_sources_is_two_items(source):
    other = Source.objects.create(
        name="Inland", connector="feed", api_endpoint="https://inland.example/rss"
    )
    intake.file(source.pk, [piece()])
    assert intake.file(other.pk, [piece()]).new == 1


def test_a_piece_twice_in_one_delivery_counts_once(source):
    filed = intake.file(source.pk, [piece(), piece()])
    assert (filed.new, filed.duplicate) == (1, 1)


def test_what_has_no_identity_or_no_words_is_rejected_and_named(source):
    filed = intake.file(source.pk, [piece(external_id=""), WireCopy("x", " "), piece()])
    assert filed.new == 1
    assert [reason for _id, reason in filed.rejected] == [
        "no usable identity",
        "neither title nor text",
    ]


def test_an_untitled_post_is_titled_by_its_first_words(source):
    intake.file(source.pk, [piece(title="", content="<p>The pier is closed until Friday.</p>")])
    assert Article.objects.get().title == "The pier is closed until Friday."


def test_script_in_a_feed_never_reaches_the_database(source):
    intake.file(source.pk, [piece(content="<p>A</p><script>alert(1)</script>", title="<b>T</b>")])
    item = Article.objects.get()
    assert (item.title, item.content) == ("T", "<p>A</p>")


@pytest.mark.parametrize(
    "moment", [None, datetime(9999, 12, 31, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)]
)
def test_a_date_nobody_can_believe_becomes_the_time_of_arrival(source, moment):
    intake.file(source.pk, [piece(published_at=moment)])
    assert abs(Article.objects.get().published_at - timezone.now()) < timedelta(minutes=1)


def test_an_error_leaves_nothing_half_filed(source):
    with pytest.raises(DatabaseError):
        intake.file(source.pk, [piece(), piece("c2")], section="x" * 61)
    assert not Article.objects.exists()


@pytest.mark.parametrize(
    "hostile",
    [
        piece(title="a\x00b\ud800"),
        piece(metadata={"n": 10**5000, "k\x00": ["\x00", {"d": "\udfff"}]}),
        piece(title="x" * 5_000_000),
        piece(authors=("a" * 10_000,) * 50, tags=("t" * 10_000,) * 50),
        piece(url="javascript:alert(1)"),
        piece(url="https://example.org/" + "a" * 5000),
        piece(language="x" * 500),
    ],
)
def test_hostile_copy_is_stored_safe(source, hostile):
    assert intake.file(source.pk, [hostile]).new == 1
    item = Article.objects.get()
    assert "\x00" not in item.title
    assert "javascript" not in item.url


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=50), st.text(max_size=100), st.text(max_size=200))
def test_any_text_can_be_filed(source, external_id, title, content):
    filed = intake.file(source.pk, [WireCopy(external_id, title, content=content)])
    assert filed.new + filed.updated + filed.same + len(filed.rejected) == 1


@pytest.mark.django_db(transaction=True)
def test_two_syncs_at_once_file_each_piece_once(source):
    copies = [piece(f"c{n}") for n in range(50)]
    filed: list[intake.Filed] = []

    def sync() -> None:
        try:
            filed.append(intake.file(source.pk, copies))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=sync) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(filed) == 4
    assert sum(each.new for each in filed) == Article.objects.count() == 50
