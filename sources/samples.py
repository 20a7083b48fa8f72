"""Sources for a first look. Safe to load any number of times; never overwrites a source."""

from typing import Any

from django.db import transaction

from sources import timetable
from sources.models import Source

_FEEDS = (
    ("BBC News: World", "https://feeds.bbci.co.uk/news/world/rss.xml", "world"),
    ("NPR News", "https://feeds.npr.org/1001/rss.xml", "news"),
    ("NASA", "https://www.nasa.gov/feed/", "science"),
)


def load(demo_url: str | None) -> None:
    """Public sources; or, with the simulator's address, its own and quicker ones."""
    if demo_url is not None:
        _load_demo(demo_url)
        return
    _source("Hacker News", "hackernews", "https://hn.algolia.com/api/v1", section="technology")
    for name, address, section in _FEEDS:
        _source(name, "feed", address, section=section)
    _source(
        "Reddit: world news", "reddit", "https://oauth.reddit.com", section="world",
        options={"subreddit": "worldnews"}, auth_type=Source.AuthTypes.OAUTH2,
        is_active=False,
    )  # fmt: skip


def _load_demo(url: str) -> None:
    from simulator import credentials

    _source("The Lindholm Courier", "feed", f"{url}/feeds/rss.xml", minutes=1, section="region")
    _source("Northmark Wire", "feed", f"{url}/feeds/atom.xml", minutes=1, section="region")
    _source("Signal & Field", "feed", f"{url}/feeds/feed.json", minutes=1, section="world")
    _source("Hacker News", "hackernews", f"{url}/hn/api/v1", minutes=1, section="technology")
    _source(
        "Reddit: Northmark", "reddit", f"{url}/reddit", minutes=1, section="region",
        options={
            "subreddit": credentials.REDDIT_SUBREDDIT,
            "token_url": f"{url}/reddit/api/v1/access_token",
        },
        auth_type=Source.AuthTypes.OAUTH2,
        credentials={
            "client_id": credentials.REDDIT_CLIENT_ID,
            "client_secret": credentials.REDDIT_CLIENT_SECRET,
        },
    )  # fmt: skip


def _source(
    name: str, connector: str, endpoint: str, *, minutes: int | None = None, **more: Any
) -> None:
    with transaction.atomic():
        source, created = Source.objects.get_or_create(
            name=name, defaults={"connector": connector, "api_endpoint": endpoint, **more}
        )
        if created:
            timetable.keep(source, minutes)
