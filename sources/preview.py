"""What a source would bring, before anything is saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asgiref.sync import async_to_sync
from django.utils import timezone

from articles.canonical import canonical_url
from articles.clean import one_line, plain_text
from articles.models import Article
from articles.wire import WireCopy
from config.outbound import Client, OutboundError, from_settings
from sources import fetching, forecast, robots
from sources.connectors.answers import host_of
from sources.connectors.base import Fetched
from sources.errors import SourceError
from sources.models import Source

SHOWN = 5
_WORDS = 200  # characters of a piece's text


@dataclass(frozen=True, slots=True)
class Sample:
    """One piece as it would be filed, plain text throughout."""

    title: str
    url: str
    published_at: datetime | None
    author: str
    words: str  # how its text begins
    known: bool  # from this source already
    elsewhere: bool  # another source brought the same page


@dataclass(frozen=True, slots=True)
class Preview:
    """A look at a source. Nothing of it is stored."""

    title: str  # what the source calls itself
    count: int
    known: int  # how many of them we have from this source already
    elsewhere: int  # how many more are here from other sources, by their canonical address
    first: tuple[Sample, ...]
    per_day: float | None  # pieces, by their dates
    minutes: int  # the interval to suggest
    minutes_why: str
    robots: str  # what the site lets programs read, in words; "" when it was not asked
    moved_to: str
    pushed: bool  # it names a hub that tells of news at once (WebSub)
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        pieces = "1 piece" if self.count == 1 else f"{self.count} pieces"
        return f"{self.title or 'It'} answers with {pieces}, {self.known} of them known already."

    @property
    def volume(self) -> str:
        """The pieces a day, in words."""
        return forecast.said(self.per_day)


def preview(source: Source, *, ask_robots: bool = False) -> Preview:
    """Fetch the source as a sync would; raises `SourceError` with what is wrong.

    `ask_robots` costs a request more, once a day and site.
    """
    now = timezone.now()
    connector = fetching.connector_of(source)
    fetched = fetching.fetch(source, now, whole=True)
    copies = fetched.copies
    known, elsewhere = _here_already(source, copies)
    volume = forecast.per_day(copies, now)
    rhythm = forecast.rhythm(volume, connector.minutes, fetched.pace.fresh_for, len(copies))
    return Preview(
        title=one_line(fetched.title, 100),
        count=len(copies),
        known=len(known),
        elsewhere=len(elsewhere - known),
        first=tuple(
            _sample(copy, index in known, index in elsewhere)
            for index, copy in enumerate(copies[:SHOWN])
        ),
        per_day=volume,
        minutes=rhythm.minutes,
        minutes_why=rhythm.why,
        robots=_robots(source, copies) if ask_robots else "",
        moved_to=fetched.moved_to,
        pushed=bool(fetched.hub),
        warnings=_warnings(source, fetched, now),
    )


def _sample(copy: WireCopy, known: bool, elsewhere: bool) -> Sample:
    text = plain_text((copy.summary or copy.content)[:20_000])
    return Sample(
        title=one_line(copy.title, 150),
        url=canonical_url(copy.url),
        published_at=copy.published_at,
        author=one_line(", ".join(copy.authors[:3]), 100),
        words=one_line(text, _WORDS),
        known=known,
        elsewhere=elsewhere,
    )


def _here_already(source: Source, copies: Sequence[WireCopy]) -> tuple[set[int], set[int]]:
    """Which of them (by their place) this source brought, and which another source did."""
    ids = [copy.external_id.replace("\x00", "") for copy in copies]
    pages = [canonical_url(copy.url) for copy in copies]
    own: set[str] = set()
    if source.pk is not None:
        stored = Article.objects.filter(source=source, external_id__in=ids)
        own = set(stored.values_list("external_id", flat=True))
    others = Article.objects.filter(canonical_url__in=set(pages) - {""}, source__isnull=False)
    if source.pk is not None:
        others = others.exclude(source=source)
    here = set(others.values_list("canonical_url", flat=True))
    return (
        {index for index, each in enumerate(ids) if each in own},
        {index for index, each in enumerate(pages) if each in here},
    )


def _warnings(source: Source, fetched: Fetched, now: datetime) -> tuple[str, ...]:
    doubts = forecast.doubts(fetched.copies, source.api_endpoint, fetched.moved_to, now)
    doubts += _led_away(source, fetched)
    twin = (
        Source.objects.filter(
            api_endpoint=source.api_endpoint, connector=source.connector, options=source.options
        )
        .exclude(pk=source.pk)
        .first()
    )
    same = [f"“{twin}” reads the same already."] if twin else []
    return tuple(dict.fromkeys([*same, *doubts, *fetched.warnings]))


def _led_away(source: Source, fetched: Fetched) -> list[str]:
    """A redirect to another host that is not for good: perhaps a login, perhaps a parking page."""
    if fetching.connector_of(source).endpoint or fetched.moved_to or not fetched.payloads:
        return []  # a service's own address is only where its requests begin
    here, there = host_of(source.api_endpoint), host_of(fetched.payloads[0].url)
    return [] if here == there else [f"The address redirects to {there} for now."]


def _robots(source: Source, copies: Sequence[WireCopy]) -> str:
    """robots.txt is about pages: the page itself, or those that full text would be read from."""
    if fetching.connector_of(source).obeys_robots:
        return "The site lets programs read this page."  # else there were no pieces
    page = next((canonical_url(copy.url) for copy in copies if copy.url), "")
    if not page:
        return "Not asked: no piece has a page of its own."
    try:
        allowed = async_to_sync(_allowed)(page)
    except (OutboundError, SourceError) as problem:
        return f"Could not be asked: {problem}"
    if allowed:
        return "Feeds and interfaces are made for programs; its pages may be read by them, too."
    return (
        "Feeds and interfaces are made for programs, but its pages ask them to stay away: no full "
        "text from there."
    )


async def _allowed(page: str) -> bool:
    async with Client(from_settings()) as http:
        return await robots.allowed(page, http)
