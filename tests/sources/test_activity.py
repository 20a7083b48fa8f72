"""The small picture of a source's last thirty days."""

from datetime import UTC, date, datetime, timedelta

import pytest

from articles.models import Article
from sources import activity
from sources.activity import Day, bars, days

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_the_busiest_day_is_as_high_as_the_picture_and_an_empty_one_a_line():
    drawn = bars([Day(date(2026, 11, 21), 0), Day(date(2026, 11, 22), 4), Day(NOW.date(), 1)])
    assert [bar.height for bar in drawn] == [1, 40, 10]
    assert [bar.x for bar in drawn] == [0, 8, 16]
    assert all(bar.y + bar.height == 40 for bar in drawn)
    assert drawn[2].words == "23 Nov: 1 piece"


def test_nothing_at_all_is_drawn_as_lines():
    assert {bar.height for bar in bars([Day(NOW.date(), 0)] * 3)} == {1}


@pytest.mark.django_db
def test_every_day_is_there_and_old_copy_is_not_counted(source):
    gazette = source("https://gazette.example/")
    for number, (age, old) in enumerate([(0, False), (0, False), (3, False), (3, True), (40, 0)]):
        Article.objects.create(
            kind="wire", source=gazette, external_id=str(number), title="A piece", state="new",
            created_at=NOW - timedelta(days=age), backfilled=bool(old),
        )  # fmt: skip
    found = days(gazette.pk, NOW)
    assert len(found) == activity.DAYS
    assert (found[-1], found[-4].pieces) == (Day(NOW.date(), 2), 1)
    assert sum(day.pieces for day in found) == 3
