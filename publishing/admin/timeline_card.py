"""What the timeline of the queue shows: which deliveries, in which cell, how. Two queries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Self
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from articles.lifecycle import Right
from publishing import agenda
from publishing.admin.standing import ICONS
from publishing.agenda import Slice
from publishing.lifecycle import TERMINAL, Status
from publishing.models import Channel, Delivery

MOST = 400  # deliveries on one timeline
_MOST_CHANNELS = 40
_IN_SIGHT = 6  # of one cell; the others unfold
_LOOKS_AGAIN = 5  # seconds
_LATE = timedelta(days=2)  # what went out longer than this after its time is found in the list
_OPEN = tuple(status for status in Status if status not in TERMINAL)
MOVABLE = (Status.PENDING, Status.RETRY)
_SHOWN: dict[str, tuple[str, tuple[Status, ...]]] = {
    "": ("All but cancelled", tuple(each for each in Status if each is not Status.CANCELLED)),
    "waiting": ("Still to go out", tuple(each for each in _OPEN if each is not Status.IN_DOUBT)),
    "out": ("Went out", (Status.PUBLISHED,)),
    "trouble": (
        "Needs a person", (Status.IN_DOUBT, Status.HELD, Status.FAILED, Status.MISSED),
    ),
    "all": ("Everything", tuple(Status)),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for."""

    of: date
    week: bool = False
    channel: int | None = None
    shown: str = ""

    @classmethod
    def read(cls, asked: Mapping[str, str]) -> Self:
        """Out of an address; what can't be read is left out."""
        try:
            of = date.fromisoformat(asked.get("day", ""))
        except ValueError:
            of = timezone.localdate()
        of = min(max(of, date(2000, 1, 3)), date(2100, 1, 1))
        channel = asked.get("channel", "")
        shown = asked.get("shown", "")
        return cls(
            of,
            asked.get("view") == "week",
            int(channel) if channel.isdecimal() and len(channel) < 10 else None,
            shown if shown in _SHOWN else "",
        )

    def query(self, **changes: Any) -> str:
        """The address's query with changes."""
        values = {
            "view": "week" if self.week else "", "day": self.of.isoformat(),
            "channel": self.channel or "", "shown": self.shown, **changes,
        }  # fmt: skip
        return urlencode({name: value for name, value in values.items() if value})

    @property
    def span(self) -> Slice:
        """All of the time that is shown."""
        zone = timezone.get_current_timezone()
        if not self.week:
            return agenda.day(self.of, zone)
        days = agenda.week(self.of, zone)
        return Slice(days[0].begin, days[-1].end)


def card(request: HttpRequest, wanted: Wanted) -> dict[str, Any]:
    """What the timeline itself shows. Two queries."""
    now, span = timezone.now(), wanted.span
    channels = list(Channel.objects.order_by("name").only("name", "is_active", "paused_reason"))
    deliveries = list(_deliveries(wanted, span, now)[: MOST + 1])
    cut = len(deliveries) > MOST
    placed = [
        (each, timezone.localtime(_stands_at(each, now)))
        for each in deliveries[:MOST]
        if span.holds(_stands_at(each, now))
    ]
    placed.sort(key=lambda each: (each[1], each[0].pk))
    busy = {each.channel_id for each, _ in placed}
    lanes = [
        each for each in channels
        if (each.pk == wanted.channel if wanted.channel else each.is_active or each.pk in busy)
    ][:_MOST_CHANNELS]  # fmt: skip
    may_move = request.user.has_perm(Right.QUEUE)
    chips = [
        (each.channel_id, moment, _chip(each, moment, now, may_move)) for each, moment in placed
    ]
    grid = _week(wanted, lanes, chips, now) if wanted.week else _day(wanted, lanes, chips, now)
    begin, page = span.begin, reverse("admin:publishing_delivery_timeline_now")
    step = timedelta(days=7 if wanted.week else 1)
    return {
        **grid,
        "deliveries": [each for each, _ in placed],
        "all_channels": channels,
        "cut": cut,
        "most": MOST,
        "week": wanted.week,
        "of": wanted.of,
        "begin": begin,
        "last": span.end - timedelta(seconds=1),
        "is_now": span.holds(now),
        "before": f"?{wanted.query(day=(wanted.of - step).isoformat())}",
        "after": f"?{wanted.query(day=(wanted.of + step).isoformat())}",
        "today": f"?{wanted.query(day=timezone.localdate().isoformat())}",
        "live_url": f"{page}?{wanted.query()}",
        "live_seconds": _LOOKS_AGAIN,
        "move_url": f"{reverse('admin:publishing_delivery_move')}?{wanted.query()}",
        "may_move": may_move,
    }


def filters(wanted: Wanted, channels: list[Channel]) -> dict[str, Any]:
    return {
        "channels": [(each.pk, each.name, each.pk == wanted.channel) for each in channels],
        "shown": [(key, label, key == wanted.shown) for key, (label, _) in _SHOWN.items()],
    }


def _deliveries(wanted: Wanted, span: Slice, now: datetime) -> QuerySet[Delivery]:
    inside = Q(scheduled_at__gte=span.begin, scheduled_at__lt=span.end)
    out = Q(
        status=Status.PUBLISHED, published_at__gte=span.begin, published_at__lt=span.end,
        scheduled_at__gte=span.begin - _LATE, scheduled_at__lt=span.end + _LATE,
    )  # fmt: skip
    again = Q(
        status__in=(Status.RETRY, Status.IN_DOUBT),
        next_attempt_at__gte=span.begin, next_attempt_at__lt=span.end,
    )  # fmt: skip
    found = (inside & ~Q(status=Status.PUBLISHED)) | out | again
    if span.holds(now):
        found |= Q(status__in=_OPEN, scheduled_at__lt=span.begin)
    rows = Delivery.objects.filter(found, status__in=_SHOWN[wanted.shown][1])
    if wanted.channel:
        rows = rows.filter(channel_id=wanted.channel)
    return (
        rows.select_related("article", "channel")
        .only(
            "status", "act", "scheduled_at", "published_at", "next_attempt_at", "error_message",
            "article__title", "channel__name",
        )
        .order_by("scheduled_at", "pk")
    )  # fmt: skip


def _stands_at(delivery: Delivery, now: datetime) -> datetime:
    return agenda.stands_at(
        delivery.status, delivery.scheduled_at, now,
        published=delivery.published_at, next_attempt=delivery.next_attempt_at,
    )  # fmt: skip


def _chip(delivery: Delivery, moment: datetime, now: datetime, may_move: bool) -> dict[str, Any]:
    due = timezone.localtime(delivery.scheduled_at)
    overdue = delivery.status in _OPEN and delivery.scheduled_at < now - timedelta(minutes=1)
    return {
        "pk": delivery.pk,
        "url": reverse("admin:publishing_delivery_change", args=(delivery.pk,)),
        "time": due if overdue else moment,
        "overdue": overdue,
        "title": delivery.article.title,
        "channel": delivery.channel.name,
        "channel_id": delivery.channel_id,
        "act": "" if delivery.act == Delivery.Acts.PUBLISH else delivery.get_act_display(),
        "status": delivery.status,
        "state": delivery.get_status_display(),
        "icon": ICONS[delivery.status],
        "said": delivery.error_message,
        "movable": may_move and delivery.status in MOVABLE,
        "seen": delivery.scheduled_at.isoformat(),
    }


_Chips = list[tuple[int, datetime, dict[str, Any]]]


def _day(wanted: Wanted, lanes: list[Channel], chips: _Chips, now: datetime) -> dict[str, Any]:
    """Hours down, channels across."""
    hours = agenda.hours(wanted.of, timezone.get_current_timezone())
    cells: dict[tuple[int | None, int], list[dict[str, Any]]] = {}
    for channel_id, moment, chip in chips:
        cells.setdefault((agenda.which(moment, hours), channel_id), []).append(chip)
    busy = {number for number, _ in cells}
    columns = [
        {"label": each.name, "url": _channel_url(each), "note": _note(each)} for each in lanes
    ]
    rows = [
        {
            "label": f"{hour.begin:%H:%M}",
            "now": hour.holds(now),
            "quiet": hour.end <= now and number not in busy,
            "cells": [
                _cell(f"hour:{hour.begin.isoformat()}", lane.pk, cells.get((number, lane.pk), []),
                      past=hour.end <= now, name=f"h{number}c{lane.pk}")
                for lane in lanes
            ],
        }
        for number, hour in enumerate(hours)
    ]  # fmt: skip
    return {"columns": columns, "rows": rows}


def _week(wanted: Wanted, lanes: list[Channel], chips: _Chips, now: datetime) -> dict[str, Any]:
    """Channels down, days across."""
    days = agenda.week(wanted.of, timezone.get_current_timezone())
    cells: dict[tuple[int | None, int], list[dict[str, Any]]] = {}
    for channel_id, moment, chip in chips:
        cells.setdefault((agenda.which(moment, days), channel_id), []).append(chip)
    columns = [
        {
            "label": f"{day.begin:%a} {day.begin.day} {day.begin:%b}",
            "url": f"?{wanted.query(view='', day=day.begin.date().isoformat())}",
            "now": day.holds(now),
        }
        for day in days
    ]
    rows = [
        {
            "label": lane.name,
            "url": _channel_url(lane),
            "note": _note(lane),
            "cells": [
                _cell(f"day:{day.begin.date().isoformat()}", lane.pk,
                      cells.get((number, lane.pk), []), past=day.end <= now,
                      name=f"d{number}c{lane.pk}")
                | {"now": day.holds(now)}
                for number, day in enumerate(days)
            ],
        }
        for lane in lanes
    ]  # fmt: skip
    return {"columns": columns, "rows": rows}


def _cell(
    to: str, channel_id: int, chips: list[dict[str, Any]], *, past: bool, name: str
) -> dict[str, Any]:
    # What waits comes before what is done, where not everything is in sight.
    if len(chips) > _IN_SIGHT:
        chips = sorted(chips, key=lambda chip: chip["status"] in TERMINAL)
    return {
        "to": to, "channel_id": channel_id, "past": past, "name": name,
        "chips": sorted(chips[:_IN_SIGHT], key=_clock), "more": chips[_IN_SIGHT:],
    }  # fmt: skip


def _clock(chip: dict[str, Any]) -> datetime:
    time: datetime = chip["time"]
    return time


def _channel_url(channel: Channel) -> str:
    return reverse("admin:publishing_channel_change", args=(channel.pk,))


def _note(channel: Channel) -> str:
    if not channel.is_active:
        return "off"
    return "paused" if channel.paused_reason else ""
