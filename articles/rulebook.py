"""Carrying rules out: on new items as they come in, over stored ones on request, and back again.

Making and running rules is triage (DESIGN §4): a rule does nothing that an editor can't do with
the wire's own buttons, under its name on the record, and it can be undone. So editors need no
administrator for it.
"""

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from articles import desk, record, revise, rules
from articles.canonical import host_of
from articles.errors import WrongState
from articles.lifecycle import Kind, Right, State
from articles.lifecycle import transition as step_for
from articles.models import Article, Event, Rule, RuleRun
from articles.record import Actor
from articles.rules import Change, Definition, Facts, TooSlow

log = structlog.get_logger(__name__)

MOST_LOOKED_AT = 20_000  # stored items, the newest of the days asked for
MOST_CHANGED = 1000  # of one run; apply, and try again for the rest
_OPEN = (State.NEW, State.SHORTLISTED)  # nobody has decided on these for good
_SECONDS_TO_TRY = 10.0  # a person waits for the answer
_TRIES_KEPT = timedelta(days=1)  # runs that were never applied


def at_intake(source_id: int, items: Sequence[int], now: datetime) -> int:
    """Apply the active rules to new items, in the caller's transaction; how many it changed.

    A rule with a pattern that takes too long is left out for the rest of the delivery, and its
    page says so.
    """
    if not items or not _any_rule():
        return 0
    active = list(
        Rule.objects.filter(Q(source=None) | Q(source=source_id), is_active=True)
        .prefetch_related("conditions")
        .order_by("position", "pk")
    )
    said = {rule: rule.definition() for rule in active}
    batch = Event.new_batch()
    touched = 0
    new = Article.objects.filter(pk__in=items).select_related("source")
    for item in new.defer("metadata", "search").order_by("pk"):
        piece, before = facts(item), item.version
        for rule in list(said):
            try:
                met = rules.meets(piece, said[rule], now)
            except TooSlow as problem:
                _leave_out(rule, problem)
                del said[rule]
                continue
            found = rules.change(piece, said[rule].actions) if met else Change()
            if found:
                _carry_out(item, found, rule.pk, rule.name, Actor.desk(), batch)
                piece = rules.changed(piece, found)
        touched += item.version != before
    return touched


def try_out(rule: Rule, days: int, by: Actor, now: datetime) -> RuleRun:
    """Look for what `rule` would change among the items of the last `days`; nothing is changed.

    The run holds what was found, `MOST_CHANGED` at most, and how many of the newest items it had
    the time to look at. Raises `NotAllowed`, or `WrongState`
    for a rule that takes too long or does nothing.
    """
    by.must(Right.TRIAGE, "run rules")
    definition = rule.definition()
    if not definition.conditions:
        raise WrongState("The rule has no condition yet. Give it one and save.")
    stored = Article.objects.filter(
        kind=Kind.WIRE, state__in=_OPEN, created_at__gte=now - timedelta(days=days)
    )
    if definition.source is not None:
        stored = stored.filter(source=definition.source)
    looked_at = matched = 0
    found: list[dict[str, Any]] = []
    names = _names()
    newest = stored.select_related("source").defer("metadata", "search").order_by("-pk")
    began = time.monotonic()
    for item in newest[:MOST_LOOKED_AT].iterator(chunk_size=500):
        if time.monotonic() - began > _SECONDS_TO_TRY:
            break
        looked_at += 1
        change = _change(item, definition, now)
        if change:
            matched += 1
            if len(found) < MOST_CHANGED:
                what = rules.what_would_happen(change, names)
                found.append({"item": item.pk, "version": item.version, "what": what})
    RuleRun.objects.filter(state=RuleRun.States.TRIED, tried_at__lt=now - _TRIES_KEPT).delete()
    return RuleRun.objects.create(
        rule=rule, name=rule.name, definition=definition.as_json(), days=days,
        looked_at=looked_at, matched=matched, found=found, tried_by=by.user, tried_at=now,
    )  # fmt: skip


def apply(run_id: int, by: Actor) -> RuleRun:
    """Do what was found by trying, as one batch; what has changed meanwhile is left and reported.

    Raises `WrongState` when the rule says something else by now, or the run is not open to it.
    """
    by.must(Right.TRIAGE, "run rules")
    now = timezone.now()
    with transaction.atomic():
        run = _taken(run_id, RuleRun.States.TRIED, "It has been applied already.")
        if run.rule is None:
            raise WrongState("The rule has been deleted.")
        definition = run.rule.definition()
        if definition.as_json() != run.definition:
            raise WrongState("The rule was changed after it had been tried. Try it again.")
        items = _held([each["item"] for each in run.found])
        for each in run.found:
            item = items[each["item"]]
            if item.version != each["version"]:
                run.refused.append(_told(item, "It has changed since the rule was tried."))
                continue
            # Age moves on: what met the rule when it was tried is done as it was shown.
            change = rules.change(facts(item), definition.actions)
            _carry_out(item, change, run.rule.pk, run.name, by, run.batch)
            run.done += 1
        run.state = RuleRun.States.APPLIED
        run.applied_by, run.applied_at = by.user, now
        run.save()
    return run


def undo(run_id: int, by: Actor) -> RuleRun:
    """Take back exactly what the run changed; what a person has changed since stays, and is told.

    Raises `WrongState` for a run that is not applied.
    """
    by.must(Right.TRIAGE, "run rules")
    with transaction.atomic():
        run = _taken(run_id, RuleRun.States.APPLIED, "There is nothing to undo.")
        events = Event.objects.filter(batch=run.batch, what="ruled")
        restored, kept = _take_back(events, run.name, by)
        run.restored, run.kept = restored, kept
        run.state = RuleRun.States.UNDONE
        run.undone_by, run.undone_at = by.user, timezone.now()
        run.save()
    return run


def undo_own(rule: Rule, since: datetime, by: Actor) -> RuleRun:
    """Take back what `rule` did by itself to items that came in since; the run that tells of it.

    As careful as `undo`.
    """
    by.must(Right.TRIAGE, "run rules")
    now = timezone.now()
    with transaction.atomic():
        undone = Event.objects.filter(
            article=OuterRef("article"), what="unruled", data__rule=rule.pk, pk__gt=OuterRef("pk")
        )
        own = Event.objects.filter(what="ruled", actor=None, data__rule=rule.pk, at__gte=since)
        events = list(own.filter(~Exists(undone)).order_by("-pk")[:MOST_CHANGED])
        restored, kept = _take_back(events, rule.name, by)
        return RuleRun.objects.create(
            rule=rule, name=rule.name, definition=rule.definition().as_json(),
            state=RuleRun.States.UNDONE, days=max(1, (now - since).days), looked_at=len(events),
            matched=len(events), done=len(events), restored=restored, kept=kept, tried_by=by.user,
            tried_at=now, undone_by=by.user, undone_at=now,
        )  # fmt: skip


def facts(item: Article) -> Facts:
    """What rules may know about a wire item."""
    return Facts(
        title=item.title,
        summary=item.summary,
        content=item.content,
        authors=tuple(item.authors),
        tags=tuple(item.tags),
        host=host_of(item.canonical_url),
        language=item.language,
        source=str(item.source),
        section=item.section,
        published_at=item.published_at or item.created_at,
        source_id=item.source_id or 0,
        urgency=item.urgency,
        assignee=item.assignee_id,
        can_be_spiked=item.state in step_for(Kind.WIRE, "spike").sources,
    )


def _change(item: Article, definition: Definition, now: datetime) -> Change:
    piece = facts(item)
    try:
        met = rules.meets(piece, definition, now)
    except TooSlow as problem:
        raise WrongState(str(problem)) from problem
    return rules.change(piece, definition.actions) if met else Change()


def _carry_out(
    item: Article, change: Change, rule_id: int, name: str, by: Actor, batch: uuid.UUID
) -> None:
    """Do `change` to a held item and write down what it was before."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for field, value in change.values.items():
        column = "assignee_id" if field == "assignee" else field
        before[field], after[field] = getattr(item, column), value
        setattr(item, column, value)
    if change.tags:
        item.tags = [*item.tags, *change.tags]
    if change.values or change.tags:
        item.version += 1
        revise.stamp(item)
        item.save(update_fields=[*change.values, "tags", "version", "updated_at"])
    was = item.state
    if change.spike:
        spiked = desk.perform(item.pk, "spike", by, reason=f"Rule “{name}”", batch=batch)
        item.state, item.version = spiked.state, spiked.version
    record.note(
        item, "ruled", by, from_state=was, reason=f"Rule “{name}”", batch=batch,
        data={
            "rule": rule_id, "before": before, "after": after, "tags": list(change.tags),
            "spiked": change.spike,
        },
    )  # fmt: skip


def _take_back(events: Iterable[Event], name: str, by: Actor) -> tuple[int, list[dict[str, Any]]]:
    """Undo what these `ruled` events tell; how many items, and what was kept and why."""
    batch = Event.new_batch()
    latest: dict[int, Event] = {event.article_id: event for event in events}
    items = _held(list(latest))
    restored, kept = 0, []
    for item_id, event in sorted(latest.items()):
        item = items[item_id]
        person = (
            Event.objects.filter(article=item_id, version__gt=event.version, actor__isnull=False)
            .exclude(what__in=("ruled", "unruled"))
            .exclude(batch__in=_rules_batches(item_id))
            .select_related("actor")
            .first()
        )
        if person is not None:
            kept.append(_told(item, f"{person.who} has changed it since."))
            continue
        left = _put_back(item, event, name, by, batch)
        restored += 1
        if left:
            kept.append(_told(item, f"Put back, but for its {', '.join(left)}: changed since."))
    return restored, kept


def _rules_batches(item_id: int) -> list[uuid.UUID]:
    """The batches in which rules, not people, moved an item."""
    ruled = Event.objects.filter(
        article=item_id, what__in=("ruled", "unruled"), batch__isnull=False
    )
    return [batch for batch in ruled.values_list("batch", flat=True) if batch is not None]


def _put_back(item: Article, event: Event, name: str, by: Actor, batch: uuid.UUID) -> list[str]:
    """Restore what `event` changed; the fields that say something else by now stay, by name."""
    told, left, fields = event.data, [], []
    for field, value in told["after"].items():
        column = "assignee_id" if field == "assignee" else field
        if getattr(item, column) == value:
            setattr(item, column, told["before"][field])
            fields.append(field)
        else:
            left.append(field)
    if told["tags"]:
        item.tags = [tag for tag in item.tags if tag not in told["tags"]]
        fields.append("tags")
    if fields:
        item.version += 1
        revise.stamp(item)
        item.save(update_fields=[*fields, "version", "updated_at"])
    if told["spiked"]:
        if item.state == State.SPIKED:
            steps = ["unspike", *(["shortlist"] if event.from_state == State.SHORTLISTED else [])]
            for act in steps:
                moved = desk.perform(item.pk, act, by, reason=f"Rule “{name}” undone", batch=batch)
                item.state, item.version = moved.state, moved.version
        else:
            left.append("state")
    record.note(
        item, "unruled", by, reason=f"Rule “{name}” undone", batch=batch,
        data={"rule": told["rule"], "fields": fields},
    )  # fmt: skip
    return left


def _taken(run_id: int, state: str, otherwise: str) -> RuleRun:
    run = RuleRun.objects.select_for_update().get(pk=run_id)
    if run.state != state:
        raise WrongState(otherwise)
    return run


def _held(items: Sequence[int]) -> dict[int, Article]:
    rows = Article.objects.select_for_update(of=("self",)).filter(pk__in=items)
    return {
        item.pk: item
        for item in rows.select_related("source").defer("metadata", "search").order_by("pk")
    }


def _told(item: Article, why: str) -> dict[str, Any]:
    return {"item": item.pk, "title": item.title[:200], "why": why}


def _any_rule() -> bool:
    """Whether there is an active rule. Most desks have none, and most deliveries ask."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM wire_rules WHERE is_active)")
        return bool(cursor.fetchone()[0])


def _names() -> Mapping[int, str]:
    return dict(User.objects.filter(is_active=True).values_list("pk", "username"))


def _leave_out(rule: Rule, problem: TooSlow) -> None:
    log.warning("rule.too_slow", rule=rule.pk)
    Rule.objects.filter(pk=rule.pk).update(trouble=str(problem)[:300])
