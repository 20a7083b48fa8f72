"""The outlets' newsroom: which reports exist now. Time is the only thing that moves it."""

import random
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html import escape
from typing import ClassVar

from simulator.stories import FEEDS, Event, Outlet, Telling, briefs, written_events

AT_START = 8  # reports an outlet has at least when the simulator starts
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Report:
    """A published report of one outlet."""

    number: int  # counts up over all outlets
    outlet: Outlet
    slug: str  # of its page, /stories/{slug}
    title: str  # plain text
    author: str
    section: str
    tags: tuple[str, ...]
    html: str  # empty for a post that only links
    links_to: str  # slug of the report it links to; empty for one with a text of its own
    published_at: datetime
    updated_at: datetime
    revision: int = 1

    @property
    def page(self) -> str:
        """The path of what a reader opens."""
        return f"/stories/{self.links_to or self.slug}"

    @property
    def summary(self) -> str:
        """The first paragraph as plain text."""
        first = self.html.split("</p>", 1)[0]
        return re.sub(r"<[^>]+>", "", first).strip()


class Newsroom:
    """Publishes reports over time: a day's worth at start, then one every `pace` seconds.

    The order and the words depend on `seed` alone. A `pace` of 0 publishes nothing by itself.
    """

    remembers: ClassVar[tuple[str, ...]] = ("version", "_reports", "_by_outlet", "_told")

    def __init__(
        self, seed: int = 1, pace: float = 20, clock: Callable[[], datetime] | None = None
    ) -> None:
        self.seed = seed
        self.pace = pace
        self._clock = clock or (lambda: datetime.now(UTC))
        self.reopen()

    def reopen(self) -> None:
        """Starts over: yesterday's reports, and the live ones from now on."""
        self.version = 0  # changes with every publication and every update
        self.opened_at = self._clock()
        self._reports: dict[str, Report] = {}
        self._by_outlet: dict[Outlet, list[Report]] = {outlet: [] for outlet in Outlet}
        self._coming = self._in_order()
        self._live = 0  # reports since then
        self._told = 0  # how far the news have come, in tellings
        self._file_yesterday()

    def resume(self) -> None:
        """Goes on after a pause in which nothing happened: what was told is not told again."""
        self.opened_at = self._clock()
        self._live = 0
        self._coming = self._in_order()
        for _ in range(self._told):
            next(self._coming)

    def reports(self, outlet: Outlet) -> list[Report]:
        """What an outlet has published so far, newest first."""
        self.catch_up()
        return self._by_outlet[outlet][::-1]

    def find(self, slug: str) -> Report | None:
        """The report of a slug, as it reads now."""
        self.catch_up()
        return self._reports.get(slug)

    def catch_up(self) -> None:
        """Publishes what the clock has made due."""
        if self.pace <= 0:
            return
        now = self._clock()
        while (due := self.opened_at + timedelta(seconds=self.pace * (self._live + 1))) <= now:
            self._live += 1
            self._file(*self._next(), at=due)

    def publish_now(
        self,
        outlet: Outlet | None = None,
        *,
        title: str = "",
        author: str = "",
        html: str = "",
        section: str = "",
        tags: tuple[str, ...] = (),
    ) -> Report:
        """Publishes the next report at once, on the outlet and with the words given, if any."""
        self.catch_up()
        event, telling = self._next()
        while outlet not in (None, telling.outlet):
            event, telling = self._next()
        words = replace(
            telling,
            title=title or telling.title,
            author=author or telling.author,
            html=html or telling.html,
        )
        event = replace(event, section=section or event.section, tags=tags or event.tags)
        return self._file(event, words, at=self._clock())

    def update(self, slug: str, title: str = "", html: str = "") -> Report:
        """A new version of a published report; without new words, a paragraph is added.

        Raises KeyError when no such report was published.
        """
        self.catch_up()
        old = self._reports[slug]
        revision = old.revision + 1
        added = f"{old.html}\n<p>Update {old.revision}: the newsroom has added details.</p>"
        new = replace(
            old,
            title=title or old.title,
            html=html or (added if old.html else ""),
            updated_at=self._clock(),
            revision=revision,
        )
        self._reports[slug] = new
        shelf = self._by_outlet[old.outlet]
        shelf[shelf.index(old)] = new
        self.version += 1
        return new

    def last_change(self, outlet: Outlet) -> datetime:
        """When an outlet last published or updated something."""
        return max((report.updated_at for report in self.reports(outlet)), default=self.opened_at)

    def _next(self) -> tuple[Event, Telling]:
        self._told += 1
        return next(self._coming)

    def _in_order(self) -> Iterator[tuple[Event, Telling]]:
        rng = random.Random(self.seed)  # noqa: S311 - the order of invented news
        events = written_events()
        rng.shuffle(events)
        for event in events:
            yield from ((event, telling) for telling in event.tellings)
        for event in briefs(rng):
            yield from ((event, telling) for telling in event.tellings)

    def _file_yesterday(self) -> None:
        """Fills the last day until every outlet has enough, evenly and a little irregularly."""
        waiting: list[tuple[Event, Telling]] = []
        have = dict.fromkeys(Outlet, 0)
        while min(have.values()) < AT_START:
            event, telling = self._next()
            have[telling.outlet] += 1
            waiting.append((event, telling))
        rng = random.Random(self.seed)  # noqa: S311 - irregular minutes
        step = DAY / (len(waiting) + 1)
        for position, (event, telling) in enumerate(waiting, 1):
            late = timedelta(seconds=rng.randrange(int(step.total_seconds() * 0.8)))
            at = self.opened_at - DAY + step * position + late - step * 0.1
            self._file(event, telling, at=at.replace(microsecond=0))

    def _file(self, event: Event, telling: Telling, *, at: datetime) -> Report:
        report = Report(
            number=len(self._reports) + 1,
            outlet=telling.outlet,
            slug=self._free_slug(telling.title),
            title=telling.title,
            author=telling.author,
            section=event.section,
            tags=event.tags,
            html=telling.html,
            links_to="" if telling.html else self._told_by_a_feed(event),
            published_at=at,
            updated_at=at,
        )
        if not report.html and not report.links_to:
            report = replace(report, html=f"<p>{escape(report.title)}</p>")
        self._reports[report.slug] = report
        self._by_outlet[report.outlet].append(report)
        self.version += 1
        return report

    def _told_by_a_feed(self, event: Event) -> str:
        titles = {telling.title for telling in event.tellings if telling.outlet in FEEDS}
        slugs = (slug for slug, report in self._reports.items() if report.title in titles)
        return next(slugs, "")

    def _free_slug(self, title: str) -> str:
        ascii_title = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
        slug = (
            re.sub(r"[^a-z0-9]+", "-", ascii_title.lower()).strip("-")[:70].rstrip("-") or "story"
        )
        number = 2
        free = slug
        while free in self._reports:
            free = f"{slug}-{number}"
            number += 1
        return free
