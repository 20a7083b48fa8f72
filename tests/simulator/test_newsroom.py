"""Time moves the news, the seed decides it."""

from datetime import UTC, datetime, timedelta

from simulator.newsroom import AT_START, DAY, Newsroom
from simulator.stories import FEEDS, Outlet, written_events


class Clock:
    """A clock that tests set forward."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def titles(newsroom: Newsroom) -> list[str]:
    return [report.title for outlet in Outlet for report in newsroom.reports(outlet)]


def test_every_outlet_begins_with_a_day_of_reports() -> None:
    clock = Clock()
    newsroom = Newsroom(seed=4, pace=20, clock=clock)
    for outlet in Outlet:
        reports = newsroom.reports(outlet)
        assert len(reports) >= AT_START
        assert all(clock.now - DAY <= report.published_at < clock.now for report in reports)


def test_a_report_comes_every_pace_seconds_and_not_before() -> None:
    clock = Clock()
    newsroom = Newsroom(seed=4, pace=20, clock=clock)
    at_start = len(titles(newsroom))
    clock.now += timedelta(seconds=19)
    assert len(titles(newsroom)) == at_start
    clock.now += timedelta(seconds=1)
    assert len(titles(newsroom)) == at_start + 1
    clock.now += timedelta(hours=2)
    assert len(titles(newsroom)) == at_start + 361


def test_the_seed_alone_decides_order_and_words() -> None:
    one, same, other = (Newsroom(seed=seed, pace=0, clock=Clock()) for seed in (1, 1, 2))
    for newsroom in (one, same, other):
        for _ in range(100):
            newsroom.publish_now()
    assert titles(one) == titles(same)
    assert titles(one) != titles(other)


def test_slugs_stay_unique_when_titles_repeat() -> None:
    newsroom = Newsroom(seed=1, pace=0, clock=Clock())
    slugs = {newsroom.publish_now(title="Rain again").slug for _ in range(5)}
    assert len(slugs) == 5


def test_events_are_told_by_several_outlets_in_different_words() -> None:
    events = written_events()
    shared = [
        event
        for event in events
        if len({telling.html for telling in event.tellings if telling.outlet in FEEDS}) > 1
    ]
    assert len(shared) >= 10
    for event in events:
        assert len({telling.title for telling in event.tellings}) == len(event.tellings)


def test_links_lead_to_a_report_that_is_out() -> None:
    newsroom = Newsroom(seed=9, pace=0, clock=Clock())
    linking = [one for one in newsroom.reports(Outlet.HACKERNEWS) if one.links_to]
    assert linking
    assert all(newsroom.find(one.links_to) for one in linking)
