from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.db import DatabaseError
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from articles import full_text, intake
from articles.models import Article
from articles.wire import WireCopy
from sources.models import Source
from tests.together import at_once

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


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(min_size=1, max_size=50), st.text(max_size=100), st.text(max_size=200))
def test_any_text_can_be_filed(source, external_id, title, content):
    filed = intake.file(source.pk, [WireCopy(external_id, title, content=content)])
    assert filed.new + filed.updated + filed.same + len(filed.rejected) == 1


@pytest.mark.django_db(transaction=True)
def test_two_syncs_at_once_file_each_piece_once(source):
    copies = [piece(f"c{n}") for n in range(50)]
    filed = at_once(*[partial(intake.file, source.pk, copies)] * 4)
    assert sum(each.new for each in filed) == Article.objects.count() == 50


# --- identity over time ---

NOON = datetime(2026, 5, 12, 12, tzinfo=UTC)


def report(own, title, link, at=NOON, **more):
    return WireCopy(
        own, title, url=f"https://coast.example/{link}", published_at=at,
        **({"content": f"<p>{title}.</p>"} | more),
    )  # fmt: skip


def test_a_changed_id_with_the_same_link_updates_the_item_and_is_remembered(source):
    intake.file(source.pk, [report("1", "Ferry returns", "ferry")])
    filed = intake.file(source.pk, [report("2", "Ferry is back at last", "ferry")])
    assert (filed.new, filed.updated) == (0, 1)
    item = Article.objects.get()
    assert (item.external_id, item.title) == ("1", "Ferry is back at last")
    assert item.revisions.get().title == "Ferry returns"
    changed = item.events.get(what="id_changed")
    assert (changed.data["from"], changed.data["to"]) == ("1", "2")
    assert intake.file(source.pk, [report("2", "Ferry is back at last", "ferry")]).same == 1
    assert item.events.filter(what="id_changed").count() == 1


def test_a_changed_id_and_link_with_a_similar_title_is_the_same_item(source):
    intake.file(source.pk, [report("1", "Ferry returns to Lindholm", "a")])
    later = NOON + timedelta(days=1)
    assert intake.file(source.pk, [report("2", "Ferry returned to Lindholm", "b", later)]).new == 0
    assert intake.file(source.pk, [report("3", "Ferry returned to Lindholm", "c", later + timedelta(
        days=3))]).new == 1  # fmt: skip


def test_tls_and_a_slash_in_the_id_change_nothing(source):
    intake.file(source.pk, [report("http://coast.example/1", "Ferry returns", "1")])
    filed = intake.file(source.pk, [report("https://coast.example/1/", "Ferry returns", "1")])
    assert (filed.same, Article.objects.count()) == (1, 1)


def test_entries_of_a_live_blog_stay_apart_over_many_syncs(source):
    first = report("1", "Storm reaches the coast", "live")
    second = report("2", "Harbour closed", "live")
    third = report("3", "All ferries cancelled", "live")
    intake.file(source.pk, [first])
    assert intake.file(source.pk, [second, first]).new == 1
    assert intake.file(source.pk, [third]).new == 1
    assert intake.file(source.pk, [third, second, first]).same == 3


def test_entries_that_link_to_the_homepage_stay_apart(source):
    for number, title in enumerate(("Storm reaches the coast", "Harbour closed", "Ferry gone")):
        assert intake.file(source.pk, [report(str(number), title, "")]).new == 1


def test_one_id_for_all_pieces_is_repaired_and_told(source):
    delivery = [report("x", "Storm reaches the coast", "1"), report("x", "Harbour closed", "2")]
    first = intake.file(source.pk, delivery)
    assert (first.new, len(first.warnings)) == (2, 1)
    assert intake.file(source.pk, delivery).same == 2
    third = report("x", "Ferry gone", "3")
    assert intake.file(source.pk, [third]).new == 1
    assert intake.file(source.pk, [third, *delivery]).same == 3


def test_a_shared_id_is_found_out_later_and_the_first_item_keeps_its_text(source):
    intake.file(source.pk, [report("x", "Storm reaches the coast", "1")])
    delivery = [report("x", "Harbour closed", "2"), report("x", "Storm reaches the coast", "1")]
    assert intake.file(source.pk, delivery).new == 1
    assert intake.file(source.pk, [delivery[0]]).same == 1
    assert intake.file(source.pk, [delivery[1]]).same == 1
    assert not Article.objects.filter(revisions__isnull=False).exists()


def test_a_source_that_invents_ids_each_time_does_not_fill_the_alias_table(source):
    for number in range(25):
        filed = intake.file(source.pk, [report(f"random-{number}", "Ferry returns", "1")])
    assert filed.same == 1
    assert Article.objects.get().aliases.count() <= 21


def test_other_markup_is_no_rewrite(source):
    intake.file(source.pk, [piece(content="<p>It sails.</p>")])
    filed = intake.file(source.pk, [piece(content='<p class="x">It sails.</p><script></script>')])
    item = Article.objects.get()
    assert (filed.updated, filed.same, item.version) == (0, 1, 1)
    assert not item.revisions.exists()


def test_known_pieces_cost_one_look_up_and_no_cleaning(
    source, django_assert_num_queries, monkeypatch
):
    copies = [report(str(n), f"Piece {n}", str(n)) for n in range(20)]
    intake.file(source.pk, copies)
    monkeypatch.setattr("articles.intake.fair_copy", None)
    with django_assert_num_queries(3):  # with the transaction's two
        assert intake.file(source.pk, copies).same == 20


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.builds(
            WireCopy,
            external_id=st.text(min_size=1, max_size=4),
            title=st.text(max_size=20),
            url=st.sampled_from(["", "https://a.example/", "https://a.example/1"]) | st.text(),
            content=st.text(max_size=20),
            published_at=st.none() | st.datetimes().map(lambda each: each.replace(tzinfo=UTC)),
        ),
        max_size=6,
    )
)
def test_filing_the_same_delivery_twice_changes_nothing(db, copies):
    source = unknown()
    intake.file(source.pk, copies)
    shown = ("pk", "version", "raw_hash", "updated_at")
    before = list(source.items.order_by("pk").values(*shown))
    again = intake.file(source.pk, list(reversed(copies)))
    assert (again.new, again.updated) == (0, 0)
    assert list(source.items.order_by("pk").values(*shown)) == before


def unknown():
    """A source that nothing has come from yet, whatever other examples have filed."""
    return Source.objects.create(name=uuid4().hex, api_endpoint="https://a.example/rss")


lying = st.builds(
    WireCopy,
    external_id=st.sampled_from(["1", "2", "http://a.example/1", "https://a.example/1/"]),
    title=st.sampled_from(["Ferry returns", "Ferry returned", "Storm warning", ""]),
    url=st.sampled_from(["", "https://a.example/", "http://a.example/1", "https://a.example/2"]),
    content=st.sampled_from(["", "<p>One</p>", "<p>Two</p>"]),
    published_at=st.sampled_from([None, NOON, NOON + timedelta(days=1)]),
    firm_id=st.sampled_from([False, False, True]),
)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(lying, max_size=5), min_size=2, max_size=4))
def test_whatever_a_source_sends_one_after_the_other_the_last_delivery_is_known(db, deliveries):
    """A delivery may show that every key of a piece lies; the next one still puts it in order."""
    source = unknown()
    for copies in deliveries:
        filed = intake.file(source.pk, copies)
        assert filed.new + filed.updated + filed.same + len(filed.rejected) <= len(copies)
    last = deliveries[-1]
    assert intake.file(source.pk, list(reversed(last))).new == 0
    for copies in (last, list(reversed(last))):
        again = intake.file(source.pk, copies)
        assert (again.new, again.updated) == (0, 0)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.text("abcdefgh ", min_size=1), min_size=2, max_size=6, unique=True))
def test_pieces_with_ids_and_links_of_their_own_never_merge_in_one_delivery(db, titles):
    source = unknown()
    copies = [report(str(n), title or "x", str(n)) for n, title in enumerate(titles)]
    filed = intake.file(source.pk, copies)
    assert filed.new + len(filed.rejected) == len(copies)


# --- the same page from several sources ---


@pytest.fixture
def inland(db):
    return Source.objects.create(
        name="Inland", connector="feed", api_endpoint="https://inland.example/rss"
    )


def test_a_page_that_another_source_brought_first_is_marked_and_kept(source, inland):
    intake.file(source.pk, [report("1", "Ferry returns", "ferry?utm_source=rss")])
    filed = intake.file(inland.pk, [WireCopy("a", "Ferry!", url="http://coast.example/ferry/")])
    assert (filed.new, filed.duplicate) == (1, 1)
    copy = Article.objects.get(source=inland)
    assert copy.duplicate_of == Article.objects.get(source=source)


def test_homepages_and_live_blogs_are_no_duplicates(source, inland):
    intake.file(source.pk, [report("1", "One", "live"), report("2", "Two", "live")])
    intake.file(source.pk, [report("3", "Three", "")])
    filed = intake.file(
        inland.pk, [report("a", "Another", "live"), report("b", "Something else", "")]
    )
    assert (filed.new, filed.duplicate) == (2, 0)


def test_a_page_that_comes_back_after_weeks_is_news_again(source, inland):
    intake.file(source.pk, [report("1", "Ferry returns", "ferry")])
    Article.objects.update(created_at=timezone.now() - timedelta(days=15))
    assert intake.file(inland.pk, [report("a", "Ferry returns", "ferry")]).duplicate == 0


def test_the_third_source_points_to_the_first(source, inland):
    third = Source.objects.create(
        name="Hills", connector="feed", api_endpoint="https://hills.example/rss"
    )
    for each in (source, inland, third):
        intake.file(each.pk, [report("1", "Ferry returns", "ferry")])
    first = Article.objects.get(source=source)
    assert first.copies.count() == 2


# --- where guessing would cost a text ---

MONDAY = (
    "The council met late, the ferry was on time, and the harbour stayed open all night, though "
    "the wind was strong and the waves came over the pier twice before four in the morning."
)
TUESDAY = (
    "Schools close at noon today while snow ploughs clear the main road towards the hills; buses "
    "run once an hour until six and nobody should drive without a shovel and a warm blanket."
)


def test_a_title_that_comes_every_day_is_a_new_piece_every_day(source):
    intake.file(source.pk, [report("1", "Morning briefing", "mon", content=MONDAY)])
    next_day = NOON + timedelta(days=1)
    filed = intake.file(
        source.pk, [report("2", "Morning briefing", "tue", next_day, content=TUESDAY)]
    )
    assert (filed.new, filed.updated) == (1, 0)


def test_entries_of_a_live_blog_that_come_one_by_one_stay_apart(source):
    first = report("1", "Harbour stays open", "live", content=MONDAY)
    second = report("2", "Schools close at noon", "live", content=TUESDAY)
    for copy in (first, second, first, second):
        intake.file(source.pk, [copy])
    assert Article.objects.count() == 2
    assert not Article.objects.filter(revisions__isnull=False).exists()


def test_the_text_of_the_page_outlives_noise_in_the_feed(source):
    opening = report("1", "Ferry returns", "1", content="<p>It sails again.</p>")
    intake.file(source.pk, [opening])
    item = Article.objects.get()
    whole = f"<p>It sails again.</p><p>{MONDAY}</p>"
    full_text.fill_in(item.pk, raw_hash=item.raw_hash, content=whole, page=item.url)
    noisy = replace(opening, content='<p class="x">It sails again.</p>')
    assert intake.file(source.pk, [noisy]).updated == 0
    item.refresh_from_db()
    assert MONDAY.strip() in item.content
    assert item.metadata["full_text"]["from"] == item.url
    rewritten = replace(opening, content="<p>It does not sail.</p>")
    assert intake.file(source.pk, [rewritten]).updated == 1
    item.refresh_from_db()
    assert item.content == "<p>It does not sail.</p>"
