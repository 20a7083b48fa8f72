"""What a source will be like, told from what it answers now: volume, rhythm, doubts. Pure."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from articles.clean import plain_text
from articles.wire import WireCopy

_RHYTHMS = (5, 10, 15, 30, 60, 120, 240, 480, 720, 1440)  # minutes that people say
_LOOK_BACK = timedelta(days=30)
_A_SYNC = 0.5  # pieces that a sync brings on average: every second one is worth it
_SHORT = 500  # characters; below that an editor wants the page
_OLD = timedelta(days=90)
_KEYS = ("key", "apikey", "api_key", "api-key", "token", "access_token", "secret", "password")


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often to sync, and why."""

    minutes: int
    why: str


def per_day(copies: Sequence[WireCopy], now: datetime) -> float | None:
    """Pieces a day, by their dates within a month up to now; None when too few have one.

    The quiet since the newest piece counts, so that a source that fell silent shows it.
    """
    dates = [copy.published_at for copy in copies if copy.published_at is not None]
    recent = [date for date in dates if now - _LOOK_BACK <= date <= now]
    if len(dates) < 2:
        return None
    if len(recent) < 2:
        return len(recent) / _LOOK_BACK.days
    span = max(now - min(recent), timedelta(hours=1))
    return len(recent) / (span / timedelta(days=1))


def rhythm(
    volume: float | None, usual: int, fresh_for: float | None = None, listed: int = 0
) -> Rhythm:
    """The interval to suggest: by volume, never below what source or connector ask for.

    `volume` is pieces a day, `usual` the connector's minutes, `fresh_for` seconds by
    Cache-Control or ttl, `listed` how many pieces an answer holds: none may pass unseen.
    """
    if volume is None:
        minutes, why = float(usual), "as is usual for its kind; its pieces' dates tell no rhythm"
    elif volume == 0:
        minutes, why = 720.0, "it has brought nothing for a month"
    else:
        minutes = 24 * 60 / volume * _A_SYNC
        if listed:
            minutes = min(minutes, 24 * 60 / volume * listed / 2)
        why = f"for about {said(volume)}"
    least = usual / 3
    if minutes < least:
        minutes, why = float(least), f"{why}; its kind is not asked more often"
    if fresh_for and fresh_for / 60 > minutes:
        minutes = fresh_for / 60
        why = f"it asks to be left alone for {minutes:.0f} minutes"
    fitting = [each for each in _RHYTHMS if each <= minutes * 1.01]
    chosen = fitting[-1] if fitting else _RHYTHMS[0]
    if fresh_for and chosen * 60 < fresh_for:
        chosen = next((each for each in _RHYTHMS if each * 60 >= fresh_for), _RHYTHMS[-1])
    return Rhythm(chosen, why)


def said(volume: float | None) -> str:
    """A volume in words."""
    if volume is None:
        return "unknown: too few of its pieces have a date"
    if volume >= 1:
        return f"{volume:.0f} {'piece' if round(volume) == 1 else 'pieces'} a day"
    if volume * 7 >= 1:
        return f"{volume * 7:.0f} {'piece' if round(volume * 7) == 1 else 'pieces'} a week"
    return "less than a piece a week"


def doubts(copies: Sequence[WireCopy], endpoint: str, moved_to: str, now: datetime) -> list[str]:
    """What an administrator should know before saving; each a sentence."""
    found = [*_of_the_address(endpoint, moved_to)]
    if not copies:
        return [*found, "It answers, but with no piece at all."]
    ids = [copy.external_id for copy in copies]
    if len(copies) > 1 and len(set(ids)) == 1:
        found.append("All pieces carry the same id; the desk tells them apart by their addresses.")
    elif len(set(ids)) < len(ids):
        found.append(f"{len(ids) - len(set(ids))} pieces repeat the id of another.")
    found += _of_the_dates([copy.published_at for copy in copies], now)
    if all(not copy.url for copy in copies):
        found.append("No piece has an address of its own.")
    length = statistics.median(
        max(len(plain_text(copy.content)), len(plain_text(copy.summary))) for copy in copies[:20]
    )
    if not length:
        found.append("The pieces have no text of their own, only titles.")
    elif length < _SHORT:
        found.append(
            f"Texts are short (about {length:.0f} characters); “Full text from the page” says "
            "whether the desk reads on there."
        )
    return found


def _of_the_address(endpoint: str, moved_to: str) -> list[str]:
    found = []
    parts = urlsplit(moved_to or endpoint)
    if moved_to and moved_to != endpoint:
        found.append(f"The address leads to {moved_to} for good; better enter that one.")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        found.append("The address is http, not https: anybody on the way can change what comes.")
    names = {name.lower() for name, _value in parse_qsl(urlsplit(endpoint).query)}
    if key := next((name for name in _KEYS if name in names), ""):
        found.append(
            f"The address holds what looks like a key ({key}), and everybody here can read it. If "
            "it is secret, enter it among the credentials instead."
        )
    return found


def _of_the_dates(dates: Sequence[datetime | None], now: datetime) -> list[str]:
    known = [date for date in dates if date is not None]
    if not known:
        return ["No piece has a date: each is filed with the moment when it is first seen."]
    found = []
    if len(known) < len(dates):
        found.append(f"{len(dates) - len(known)} of {len(dates)} pieces have no date.")
    future = sum(date > now + timedelta(hours=1) for date in known)
    if future:
        found.append(f"{future} {'piece is' if future == 1 else 'pieces are'} dated in the future.")
    if max(known) < now - _OLD:
        found.append(f"Its newest piece is of {max(known):%d %b %Y}; it may be abandoned.")
    return found
