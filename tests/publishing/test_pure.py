"""Decisions of publishing that need neither database nor network."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from articles.models import Distribution
from publishing import retry
from publishing.distribution import summary
from publishing.lifecycle import TERMINAL, WAYS, Status, may_become

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
