"""Decisions of publishing that need neither database nor network."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.models import Distribution
from publishing import compose, retry
from publishing.distribution import summary
from publishing.lifecycle import TERMINAL, WAYS, Status, may_become
from publishing.post import Post

NOW = datetime(2026, 11, 23, tzinfo=UTC)
RNG = random.Random(1)


def test_waits_double_and_are_jittered_within_their_bound():
    for attempt in range(1, 9):
        bound = min(retry.LONGEST_WAIT, retry.FIRST_WAIT * 2 ** (attempt - 1))
        waits = [retry.wait_before(attempt, None, RNG) for _ in range(200)]
        assert all(bound / 4 <= wait <= bound for wait in waits)
        assert len(set(waits)) > 100


def test_what_the_platform_asks_for_is_the_least():
    assert all(300 <= retry.wait_before(1, 300, RNG) <= 303 for _ in range(50))


def test_a_platform_that_asks_for_a_year_is_not_believed():
    assert retry.wait_before(1, 366 * 86400, RNG) <= retry.LONGEST_HEEDED + 3


def test_a_delivery_is_late_after_its_minutes():
    assert not retry.is_late(NOW, NOW + timedelta(minutes=60), 60)
    assert retry.is_late(NOW, NOW + timedelta(minutes=60, seconds=1), 60)


def test_terminal_states_lead_nowhere_and_all_others_lead_on():
    assert {status for status, ways in WAYS.items() if not ways} == TERMINAL
    assert set(WAYS) == set(Status)


def test_nothing_goes_back_to_pending_once_it_may_have_been_sent():
    assert not may_become("sending", "pending")
    assert not may_become("in_doubt", "pending")


@pytest.mark.parametrize(
    ("statuses", "word"),
    [
        ([], Distribution.NONE),
        (["cancelled", "missed"], Distribution.NONE),
        (["pending"], Distribution.SCHEDULED),
        (["in_doubt", "failed"], Distribution.SCHEDULED),
        (["published", "pending"], Distribution.PARTIAL),
        (["published", "failed"], Distribution.PARTIAL),
        (["published", "cancelled"], Distribution.LIVE),
        (["failed", "failed"], Distribution.FAILED),
    ],
)
def test_one_word_sums_up_a_storys_deliveries(statuses, word):
    assert summary(statuses) == word


FAMILY = "👨‍👩‍👧‍👦"


@pytest.mark.parametrize(
    ("text", "count"),
    [("abc", 3), (FAMILY, 1), ("é", 1), ("e\u0301", 1), ("नमस्ते", 3), ("🇦🇹🇩🇪", 2)],
)
def test_length_is_what_a_reader_calls_characters(text, count):
    assert compose.length(text) == count


def test_a_link_counts_what_the_platform_says():
    assert compose.length("see https://example.org/a/very/long/path", url_counts=23) == 4 + 23


def test_a_short_post_holds_title_summary_link_and_tags():
    post = Post(
        "Ferry returns", "", "", summary="It sails.", url="https://x.example/1",
        tags=("North Sea", "ferry"),
    )  # fmt: skip
    assert compose.short_text(post, 500) == (
        "Ferry returns\n\nIt sails.\n\nhttps://x.example/1\n\n#NorthSea #ferry"
    )


def test_a_long_summary_ends_at_a_sentence():
    post = Post("T", "", "", summary="One sentence here. " * 30, url="https://x.example/1")
    text = compose.short_text(post, 100, url_counts=23)
    assert compose.length(text, 23) <= 100
    assert "here.\n\nhttps://x.example/1" in text


@given(
    st.text(max_size=400), st.text(max_size=900), st.lists(st.text(max_size=20), max_size=6),
    st.booleans(), st.integers(min_value=60, max_value=600),
)  # fmt: skip
def test_a_short_post_never_exceeds_its_limit(title, summary, tags, linked, limit):
    url = "https://example.org/a-rather-long-address-of-a-story" if linked else ""
    post = Post(title, "", "", summary=summary, url=url, tags=tuple(tags))
    assert compose.length(compose.short_text(post, limit, url_counts=23), 23) <= limit


@given(st.text(max_size=50))
def test_a_hashtag_is_one_word(tag):
    for word in compose.hashtags([tag]):
        assert word.startswith("#")
        assert len(word.split()) == 1
        assert not word[1:].isdigit()
