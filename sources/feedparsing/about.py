"""What a feed says about itself beside its pieces: hub, own address, pace, older pages. Pure."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from sources.feedparsing import Feed
from sources.feedparsing.links import absolute
from sources.feedparsing.texts import words
from sources.feedparsing.vocabulary import Fields

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DECLARING = frozenset({"link", "ttl", "sy:updateperiod", "skiphours", "skipdays", "generator"})
_PERIODS = {
    "hourly": 3600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000,
}  # fmt: skip


def with_declared(feed: Feed, head: Fields, url: str) -> Feed:
    """`feed` with what its channel or feed element says; `url` is where the document came from.

    WebSub §4 (hub, self); RSS 2.0 (ttl, skipHours, skipDays); the syndication module of RSS 1.0
    (updatePeriod, updateFrequency); RFC 5005 (prev-archive, next).
    """
    if _DECLARING.isdisjoint(head):
        return feed
    links = _links(head, url)
    return replace(
        feed,
        hub=links.get("hub", ""),
        topic=links.get("self", ""),
        ttl=_ttl(head),
        skip_hours=frozenset(
            int(hour) % 24
            for hour in _listed(head, "skiphours")
            if re.fullmatch(r"\d|0\d|1\d|2[0-4]", hour)
        ),
        skip_days=frozenset(
            _DAYS.index(day.lower()) for day in _listed(head, "skipdays") if day.lower() in _DAYS
        ),
        older=links.get("prev-archive") or links.get("next") or _next_of_wordpress(feed, head, url),
    )


def with_declared_in_json(feed: Feed, body: dict[str, Any], url: str) -> Feed:
    """The same from a JSON Feed's object: hubs, feed_url, next_url."""
    hubs = body.get("hubs")
    named = (
        [each.get("url") for each in hubs if isinstance(each, dict)]
        if isinstance(hubs, list)
        else []
    )
    own, following = body.get("feed_url"), body.get("next_url")
    return replace(
        feed,
        hub=next((absolute(url, hub) for hub in named if isinstance(hub, str)), ""),
        topic=absolute(url, own) if isinstance(own, str) else "",
        older=absolute(url, following) if isinstance(following, str) and following else "",
    )


def _links(head: Fields, base: str) -> dict[str, str]:
    """Atom's links by their relation, of each the first."""
    found: dict[str, str] = {}
    for link in head.get("link", ())[:100]:
        if href := link.get("href"):
            for relation in link.get("rel", "alternate").lower().split()[:5]:
                found.setdefault(relation, absolute(base, href))
    return found


def _ttl(head: Fields) -> float | None:
    """Seconds between two changes, as announced; None when nothing is."""
    minutes = _text(head, "ttl")
    if re.fullmatch(r"\d{1,6}", minutes):
        return int(minutes) * 60.0
    period = _PERIODS.get(_text(head, "sy:updateperiod").lower())
    if period is None:
        return None
    frequency = _text(head, "sy:updatefrequency")
    return period / max(1, int(frequency) if re.fullmatch(r"\d{1,6}", frequency) else 1)


def _next_of_wordpress(feed: Feed, head: Fields, url: str) -> str:
    """The next page of a WordPress feed: it declares none, and answers `paged` all the same.

    https://developer.wordpress.org/advanced-administration/wordpress/feeds/
    """
    if "wordpress" not in _text(head, "generator").lower() or not feed.entries:
        return ""
    try:
        parts = urlsplit(url)
        fields = dict(parse_qsl(parts.query, keep_blank_values=True, max_num_fields=50))
    except ValueError:
        return ""
    page = fields.get("paged", "1")
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"\d{1,5}", page):
        return ""
    fields["paged"] = str(int(page) + 1)
    return urlunsplit(parts._replace(query=urlencode(fields), fragment=""))


def _listed(head: Fields, word: str) -> list[str]:
    """The texts within an element such as skipHours."""
    return [words(each) for outer in head.get(word, ())[:1] for each in list(outer)[:24]]


def _text(head: Fields, word: str) -> str:
    return words(head[word][0])[:200] if word in head else ""
