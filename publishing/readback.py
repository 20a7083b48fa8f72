"""Reading back what is out: how it does, and whether it is still there and unchanged.

A tick rings; the rows say what is due. Taking a row moves its next time on, so two ticks at once
ask nothing twice, and one that dies has only missed a turn. Nothing here posts anything, pauses a
channel or fails a delivery: a token may post and not be allowed to read.
"""

import asyncio
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import structlog
from asgiref.sync import async_to_sync, sync_to_async
from django.db import transaction
from django.db.models import Q

from articles import record
from articles.errors import WrongState
from articles.lifecycle import Right
from articles.record import Actor
from articles.response import MEASURES, numbered
from config.limits import take
from config.outbound import Client, OutboundError, from_settings
from config.sealed import TamperedSecret
from publishing import afterwards, claim, platforms, posts, renewal, response
from publishing.errors import PlatformError, Wait
from publishing.feeds.entries import Entries
from publishing.lifecycle import Status
from publishing.models import Delivery, Reading, Watch
from publishing.platforms.base import Counting, Platform, Watches
from publishing.post import Counts, Job, Seen

log = structlog.get_logger(__name__)

_CALL = 20.0  # seconds
_CHANNELS_AT_ONCE = 20
_FIRST_COUNT = timedelta(minutes=10)
_FIRST_LOOK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Turn:
    """What is to be asked of one post."""

    watch: Watch
    platform: Platform
    job: Job
    count: bool
    look: bool


@dataclass(frozen=True, slots=True)
class _Said:
    """What came of it."""

    counts: Counts | None = None
    seen: Seen | None = None
    problem: PlatformError | OutboundError | None = None


def read_back(limit: int = 200) -> int:
    """Ask about the posts that are due, at most `limit`; how many were asked about."""
    begin()
    turns = _take(limit)
    async_to_sync(_ask_all)(turns)
    counted = [turn.watch.delivery for turn in turns if turn.count]
    if counted:
        response.weigh({each.channel_id for each in counted}, {each.article_id for each in counted})
    return len(turns)


def begin(limit: int = 500) -> int:
    """Watch what went out since; how many are new."""
    now = claim.database_now()
    table = {key: platforms.platform(key) for key in platforms.table()}
    able = [key for key, each in table.items() if isinstance(each, Counting | Watches)]
    fresh = Delivery.objects.filter(
        act=Delivery.Acts.PUBLISH, status=Status.PUBLISHED, watch=None, platform__in=able,
        published_at__gt=now - afterwards.WATCHED_FOR,
    )  # fmt: skip
    found = [
        Watch(
            delivery_id=pk,
            count_at=at + _FIRST_COUNT if isinstance(table[platform], Counting) else None,
            look_at=at + _FIRST_LOOK if isinstance(table[platform], Watches) else None,
        )
        for pk, platform, at in fresh.exclude(remote_id="").values_list(
            "pk", "platform", "published_at"
        )[:limit]
        if at is not None
    ]
    Watch.objects.bulk_create(found, ignore_conflicts=True)
    return len(found)


def noted(delivery_id: int, by: Actor) -> Watch:
    """A person has seen what was found; `WrongState` if nothing was, or somebody has already."""
    by.must(Right.QUEUE, "answer for deliveries")
    with transaction.atomic():
        watch = (
            Watch.objects.select_for_update(of=("self",))
            .select_related("delivery__article", "delivery__channel")
            .filter(delivery_id=delivery_id, noted_by=None)
            .exclude(finding="")
            .first()
        )
        if watch is None:
            raise WrongState("There is nothing to note about this post.")
        watch.noted_by = by.user
        watch.save(update_fields=["noted_by"])
        _record(watch, "drift_noted", "", by)
    return watch


def in_words(watch: Watch) -> str:
    """How the post does, as people say it; "" while nothing is known."""
    counted = ((getattr(watch, name), name) for name in MEASURES)
    return ", ".join(numbered(number, name) for number, name in counted if number is not None)


def found_in_words(watch: Watch) -> str:
    """What is not as it was sent; "" if nothing is known of that."""
    match watch.finding:
        case Watch.Findings.GONE:
            return f"The post on {watch.delivery.channel} is gone."
        case Watch.Findings.CHANGED:
            return f"The post on {watch.delivery.channel} says something else than was sent."
    return ""


def _take(limit: int) -> list[_Turn]:
    """The posts that are due, each with its next time moved on."""
    now = claim.database_now()
    with transaction.atomic():
        due = list(
            Watch.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(Q(count_at__lte=now) | Q(look_at__lte=now))
            .filter(delivery__channel__is_active=True, delivery__channel__paused_reason="")
            .select_related(
                "delivery__article", "delivery__channel", "delivery__revision", "delivery__of"
            )
            .order_by("id")[:limit]
        )
        turns = [turn for watch in due if (turn := _turn(watch, now)) is not None]
        Watch.objects.bulk_update(due, ["count_at", "look_at"])
    return turns


def _turn(watch: Watch, now: datetime) -> _Turn | None:
    """What to ask now, with the next time noted on the watch; None when there is no more to ask."""
    delivery = watch.delivery
    count = watch.count_at is not None and watch.count_at <= now
    look = watch.look_at is not None and watch.look_at <= now
    age = now - (delivery.published_at or now)
    if count:
        watch.count_at = _after(now, afterwards.until_count(age, watch.failures))
    if look:
        watch.look_at = _after(now, afterwards.until_look(age, watch.failures))
    withdrawn = delivery.amendments.filter(
        wish=Delivery.Wishes.WITHDRAW, status=Status.PUBLISHED
    ).exists()
    if withdrawn or delivery.platform not in platforms.table():
        watch.count_at = watch.look_at = None
        return None
    try:
        secrets = delivery.channel.credentials.reveal()
    except TamperedSecret:
        return None
    platform = platforms.platform(delivery.platform)
    job = Job(
        post=posts.of_delivery(delivery),
        options=delivery.channel.options,
        credentials=secrets,
        made_at=delivery.created_at,
        draft_id=delivery.remote_draft_id,
        parts=tuple(delivery.parts),
        remote_id=delivery.remote_id,
        remote_url=delivery.remote_url,
        pages=Entries(delivery) if platform.on_our_pages else None,
        key=str(delivery.marker),
    )
    return _Turn(watch, platform, job, count, look)


def _after(now: datetime, wait: timedelta | None) -> datetime | None:
    return None if wait is None else now + wait


async def _ask_all(turns: list[_Turn]) -> None:
    """Channel by channel, so that none is asked two things at once; many channels at a time."""
    by_channel: dict[int, list[_Turn]] = defaultdict(list)
    for turn in turns:
        by_channel[turn.watch.delivery.channel_id].append(turn)
    places = asyncio.Semaphore(_CHANNELS_AT_ONCE)

    async def one_channel(mine: list[_Turn]) -> None:
        async with places:
            for turn in mine:
                await _one(turn, http)

    async with Client(from_settings()) as http:
        await asyncio.gather(*(one_channel(mine) for mine in by_channel.values()))


async def _one(turn: _Turn, http: Client) -> None:
    channel = turn.watch.delivery.channel
    wait = await sync_to_async(take)(
        f"readback:{channel.pk}", channel.rate_limit_per_minute, burst=10
    )
    if wait:  # a post that is out doesn't mind; what waits to go out comes first
        await asyncio.sleep(min(wait, 5.0))
    try:
        async with asyncio.timeout(_CALL):
            said = await _ask(turn, http)
    except TimeoutError:
        said = _Said(problem=Wait(f"No answer within {_CALL:.0f} seconds."))
    except (PlatformError, OutboundError) as problem:
        said = _Said(problem=problem)
    except Exception:
        log.exception("readback.adapter_failed", delivery=turn.watch.delivery_id)
        said = _Said(problem=Wait("The adapter failed; see the desk's log."))
    await sync_to_async(_keep)(turn, said)


async def _ask(turn: _Turn, http: Client) -> _Said:
    platform, job = turn.platform, turn.job
    channel_id = turn.watch.delivery.channel_id
    fresh = await renewal.fresh(channel_id, platform, job.credentials, http, refused=False)
    job = replace(job, credentials=fresh)
    seen = counts = None
    if turn.look and isinstance(platform, Watches):
        seen = await platform.seen(job, http)
    if turn.count and isinstance(platform, Counting) and (seen is None or seen.there):
        try:
            counts = await platform.counts(job, http)
        except (PlatformError, OutboundError) as problem:
            # A Bluesky PDS has no counts of its own; what was seen there holds all the same.
            return _Said(seen=seen, problem=problem)
    return _Said(counts, seen)


@transaction.atomic
def _keep(turn: _Turn, said: _Said) -> None:
    watch = Watch.objects.select_for_update(of=("self",)).get(pk=turn.watch.pk)
    watch.delivery = turn.watch.delivery
    now = claim.database_now()
    if said.problem is not None:
        watch.failures = min(watch.failures + 1, 1000)
        log.info("readback.failed", delivery=watch.delivery_id, error=str(said.problem))
    else:
        watch.failures = 0
    if said.counts is not None:
        _count(watch, said.counts, now)
    if said.seen is not None:
        _look(watch, said.seen, now)
    watch.save()


def _count(watch: Watch, counts: Counts, now: datetime) -> None:
    told = {name: number for name, number in asdict(counts).items() if number is not None}
    before = {name: getattr(watch, name) for name in told}
    for name, number in told.items():
        setattr(watch, name, number)
    watch.counted_at = now
    if told and told != before:
        Reading.objects.create(watch=watch, at=now, **told)


def _look(watch: Watch, seen: Seen, now: datetime) -> None:
    watch.looked_at = now
    if not seen.there:
        watch.missed += 1
        if watch.missed < 2:
            watch.look_at = now + afterwards.LOOK_TWICE
        else:
            watch.count_at = watch.look_at = None
            _found(watch, Watch.Findings.GONE, now)
        return
    watch.missed = 0
    words = afterwards.words_hash(seen.text)
    if words and not _under_change(watch.delivery):
        _compare(watch, seen.text, words, now)


def _compare(watch: Watch, text: str, words: str, now: datetime) -> None:
    """Hold what stands there against what was last confirmed as sent.

    The first look at a text of ours, the first one or a correction, can only find out whether it
    is ours at all (`afterwards.is_foreign` says why); from then on the words have to stay.
    """
    last, watch.words_hash = watch.words_hash, words
    said = _last_sent(watch.delivery)
    known = watch.said_id == said.pk and watch.said_hash
    if not known:
        watch.said_hash = "" if _is_foreign(text, said) else words
    if words == watch.said_hash:
        if watch.said_id is not None:  # put right: by a correction of ours, or by somebody
            watch.finding = Watch.Findings.NONE
    elif words != last:
        _found(watch, Watch.Findings.CHANGED, now)
    watch.said = said


def _last_sent(delivery: Delivery) -> Delivery:
    """The delivery whose text has to stand there: the last correction that arrived, or itself."""
    corrections = delivery.amendments.filter(
        act__in=(Delivery.Acts.EDIT, Delivery.Acts.BY_HAND), status=Status.PUBLISHED,
        wish=Delivery.Wishes.CORRECT,
    )  # fmt: skip
    last = corrections.select_related("article", "channel", "revision").order_by("slot").last()
    return last or delivery


def _under_change(delivery: Delivery) -> bool:
    """Whether a correction of ours may be there already without being confirmed yet."""
    under_way = (Status.CLAIMED, Status.SENDING, Status.IN_DOUBT)
    return delivery.amendments.filter(act=Delivery.Acts.EDIT, status__in=under_way).exists()


def _is_foreign(text: str, said: Delivery) -> bool:
    """Whether the post isn't made of the words that were sent; a person's own words are trusted."""
    if said.act == Delivery.Acts.BY_HAND:
        return False
    sent = posts.of_delivery(said)
    return afterwards.is_foreign(
        text, (sent.title, sent.text, sent.summary, *sent.tags, *sent.authors)
    )


def _found(watch: Watch, finding: Watch.Findings, now: datetime) -> None:
    watch.finding, watch.found_at, watch.noted_by = finding, now, None
    _record(watch, "drifted", found_in_words(watch), Actor.desk())


def _record(watch: Watch, what: str, words: str, by: Actor) -> None:
    data = {"delivery": watch.delivery_id, "channel": watch.delivery.channel.name}
    article = watch.delivery.article
    record.note(article, what, by, reason=words, data={**data, "finding": watch.finding})
