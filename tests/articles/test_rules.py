"""Rules: what their conditions mean, what they do to new items, trying, applying, undoing."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from articles import intake, rulebook, rules, triage
from articles.errors import NotAllowed, WrongState
from articles.models import Article, Rule
from articles.rules import Actions, Condition, Definition, Facts, TooSlow
from articles.wire import WireCopy
from sources.models import Source

NOW = datetime(2026, 5, 12, 12, tzinfo=UTC)
PIECE = Facts(
    title="Ferry returns to Lindholm",
    summary="After the storm",
    content="<p>It sails <b>at noon</b>.</p>",
    authors=("Jo Marsh", "Ann Reed"),
    tags=("Ferries",),
    host="news.coast.example",
    language="en-GB",
    source="Coast Wire",
    section="local",
    published_at=NOW - timedelta(hours=5),
)


def meets(*conditions, every=True):
    definition = Definition(tuple(Condition(*each) for each in conditions), every, Actions())
    return rules.meets(PIECE, definition, NOW)


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        (("title", "contains", "FERRY"), True),
        (("title", "contains", "train"), False),
        (("title", "lacks", "train"), True),
        (("content", "contains", "sails at noon"), True),
        (("content", "contains", "<b>"), False),
        (("authors", "equals", "ann reed"), True),
        (("authors", "equals", "Ann"), False),
        (("tags", "differs", "sports"), True),
        (("tags", "one_of", "sports, ferries"), True),
        (("title", "contains_any", "train, ferry"), True),
        (("host", "equals", "coast.example"), True),
        (("host", "equals", "www.coast.example"), True),
        (("host", "equals", "oast.example"), False),
        (("language", "equals", "en"), True),
        (("language", "one_of", "de, fr"), False),
        (("source", "equals", "coast wire"), True),
        (("section", "differs", "local"), False),
        (("title", "matches", r"^ferry .* lindholm$"), True),
        (("summary", "matches", r"\d"), False),
        (("age", "over", "4"), True),
        (("age", "under", "4"), False),
    ],
)
def test_what_a_condition_means(condition, met):
    assert meets(condition) is met


def test_all_or_any():
    rows = (("title", "contains", "ferry"), ("title", "contains", "train"))
    assert not meets(*rows)
    assert meets(*rows, every=False)
    assert not meets()


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (("title", "over", "4"), "choose another way"),
        (("age", "contains", "4"), "more than"),
        (("age", "over", "soon"), "whole number of hours"),
        (("title", "contains", " , "), "compared with"),
        (("title", "matches", "(open"), "can't be read"),
        (("title", "matches", "x" * 501), "longer than 500"),
        (("title", "matches", "^ok$"), ""),
    ],
)
def test_what_is_wrong_with_a_condition_is_said(condition, words):
    said = rules.problem(Condition(*condition))
    assert words in said
    assert bool(said) is bool(words)


def test_a_pattern_that_explodes_is_stopped():
    piece = replace(PIECE, title="a" * 5000 + "!")
    definition = Definition((Condition("title", "matches", "(a+)+$"),), True, Actions())
    began = time.monotonic()
    with pytest.raises(TooSlow, match="Make it simpler"):
        rules.meets(piece, definition, NOW)
    assert time.monotonic() - began < 30


@given(st.text(max_size=40), st.sampled_from(list(rules.OPERATORS)), st.text(max_size=40))
def test_no_value_and_no_text_is_too_odd(text, operator, value):
    condition = Condition("title", operator, value)
    if not rules.problem(condition):
        piece = replace(PIECE, title=text)
        assert rules.meets(piece, Definition((condition,), True, Actions()), NOW) in (True, False)


def test_only_what_is_not_so_already_is_changed():
    change = rules.change(PIECE, Actions(tags=("Ferries", "boats"), section="local", urgency=2))
    assert (change.tags, dict(change.values), change.spike) == (("boats",), {"urgency": 2}, False)


# --- on the wire ---


@pytest.fixture
def coast(db):
    return Source.objects.create(
        name="Coast Wire", connector="feed", api_endpoint="https://coast.example/rss"
    )


@pytest.fixture
def rule(db):
    """Makes a rule: `rule("Quiz", ("title", "contains", "quiz"), spike=True)`."""

    def make(name, *conditions, **what):
        made = Rule.objects.create(name=name, **what)
        for field, operator, value in conditions:
            made.conditions.create(field=field, operator=operator, value=value)
        return made

    return make


@pytest.fixture
def sends(coast):
    """Coast Wire sends pieces with these titles."""

    def send(*titles):
        filed = intake.file(coast.pk, [WireCopy(title, title) for title in titles])
        return [Article.objects.get(external_id=title) for title in titles], filed

    return send


def test_a_new_item_is_spiked_by_a_rule_and_the_record_names_it(rule, sends):
    quiz = rule("No quizzes", ("title", "contains", "quiz"), spike=True)
    (item, other), _ = sends("Ferry quiz", "Ferry returns")
    assert (item.state, other.state) == ("spiked", "new")
    events = {event.what: event for event in item.events.all()}
    assert events["spike"].reason == "Rule “No quizzes”"
    assert events["ruled"].batch == events["spike"].batch is not None
    assert events["ruled"].data["rule"] == quiz.pk
    assert events["ruled"].actor is None


def test_a_new_item_is_sorted_by_a_rule(rule, sends, edda):
    rule(
        "Ferries", ("title", "contains", "ferry"), tags=["ferries"], section="sea", urgency=2,
        assignee=edda,
    )  # fmt: skip
    (item,), _ = sends("Ferry returns")
    assert (item.tags, item.section, item.urgency, item.assignee, item.state) == (
        ["ferries"], "sea", 2, edda, "new",
    )  # fmt: skip


def test_rules_go_in_order_and_each_sees_what_the_former_did(rule, sends):
    rule("Second", ("section", "equals", "sea"), position=2, urgency=1)
    rule("First", ("title", "contains", "ferry"), position=1, section="sea")
    (item,), _ = sends("Ferry returns")
    assert item.urgency == 1


@pytest.mark.parametrize("off", [{"is_active": False}, {"source": "another"}])
def test_a_rule_that_is_off_or_of_another_source_does_nothing(rule, sends, off):
    if "source" in off:
        off = {"source": Source.objects.create(name="Inland", api_endpoint="https://i.example/")}
    rule("Quiz", ("title", "contains", "quiz"), spike=True, **off)
    (item,), _ = sends("Ferry quiz")
    assert item.state == "new"


def test_a_known_item_is_left_alone(rule, sends):
    (item,), _ = sends("Ferry quiz")
    rule("Quiz", ("title", "contains", "quiz"), spike=True)
    sends("Ferry quiz")
    item.refresh_from_db()
    assert item.state == "new"


def test_a_rules_tag_outlives_an_update_of_the_feed(rule, sends, coast):
    rule("Ferries", ("title", "contains", "ferry"), tags=["ferries"])
    sends("Ferry returns")
    intake.file(
        coast.pk, [WireCopy("Ferry returns", "Ferry returns", content="<p>New</p>", tags=("sea",))]
    )
    assert Article.objects.get().tags == ["sea", "ferries"]


def test_a_rule_that_takes_too_long_stops_no_intake_and_says_so(rule, sends):
    slow = rule("Slow", ("title", "matches", "(a+)+$"), spike=True)
    rule("Quick", ("title", "contains", "a"), urgency=3, position=200)
    (item,), filed = sends("a" * 400 + "!")
    slow.refresh_from_db()
    assert (filed.new, item.state, item.urgency) == (1, "new", 3)
    assert "takes too long" in slow.trouble


# --- trying, applying, undoing ---


def test_trying_changes_nothing_and_lists_what_would_happen(rule, sends, edda, at_the_console):
    sends("Ferry quiz", "Ferry returns", "Harbour quiz")
    quiz = rule("Quiz", ("title", "contains", "quiz"), spike=True, tags=["quiz"])
    run = rulebook.try_out(quiz, 7, at_the_console(edda), timezone.now())
    assert (run.looked_at, run.matched, run.state) == (3, 2, "tried")
    assert [each["what"] for each in run.found] == ["Spike, tag “quiz”"] * 2
    assert set(Article.objects.values_list("state", flat=True)) == {"new"}


def test_applying_is_one_batch_by_the_person(rule, sends, edda, at_the_console):
    (item, _), _ = sends("Ferry quiz", "Ferry returns")
    quiz = rule("Quiz", ("title", "contains", "quiz"), spike=True)
    tried = rulebook.try_out(quiz, 7, at_the_console(edda), timezone.now())
    run = rulebook.apply(tried.pk, at_the_console(edda))
    item.refresh_from_db()
    assert (run.done, item.state) == (1, "spiked")
    assert {event.batch for event in item.events.all()} == {run.batch}
    assert item.events.get(what="spike").actor == edda
    with pytest.raises(WrongState, match="applied already"):
        rulebook.apply(run.pk, at_the_console(edda))


def test_what_has_changed_meanwhile_is_refused_and_told(rule, sends, edda, at_the_console):
    (item, _), _ = sends("Ferry quiz", "Harbour quiz")
    quiz = rule("Quiz", ("title", "contains", "quiz"), spike=True)
    tried = rulebook.try_out(quiz, 7, at_the_console(edda), timezone.now())
    triage.decide([item.pk], "shortlist", at_the_console(edda))
    run = rulebook.apply(tried.pk, at_the_console(edda))
    item.refresh_from_db()
    assert (run.done, item.state) == (1, "shortlisted")
    assert run.refused == [
        {"item": item.pk, "title": "Ferry quiz", "why": "It has changed since the rule was tried."}
    ]


def test_a_rule_that_was_changed_after_trying_has_to_be_tried_again(
    rule, sends, edda, at_the_console
):
    sends("Ferry quiz")
    quiz = rule("Quiz", ("title", "contains", "quiz"), spike=True)
    tried = rulebook.try_out(quiz, 7, at_the_console(edda), timezone.now())
    quiz.conditions.create(field="title", operator="contains", value="ferry")
    with pytest.raises(WrongState, match="Try it again"):
        rulebook.apply(tried.pk, at_the_console(edda))


def test_undo_restores_exactly_what_was_changed(rule, sends, edda, at_the_console):
    (_, other), _ = sends("Ferry quiz", "Harbour quiz")
    triage.decide([other.pk], "shortlist", at_the_console(edda))
    before = list(Article.objects.order_by("pk").values(*_SHOWN))
    quiz = rule(
        "Quiz", ("title", "contains", "quiz"), spike=True, tags=["quiz"], section="fun",
        urgency=9, assignee=edda,
    )  # fmt: skip
    tried = rulebook.try_out(quiz, 7, at_the_console(edda), timezone.now())
    rulebook.apply(tried.pk, at_the_console(edda))
    assert set(Article.objects.values_list("state", flat=True)) == {"spiked"}
    run = rulebook.undo(tried.pk, at_the_console(edda))
    assert (run.restored, run.kept, run.state) == (2, [], "undone")
    assert list(Article.objects.order_by("pk").values(*_SHOWN)) == before
    with pytest.raises(WrongState, match="nothing to undo"):
        rulebook.undo(tried.pk, at_the_console(edda))


_SHOWN = ("pk", "state", "tags", "section", "urgency", "assignee")


def test_undo_leaves_what_a_person_has_changed_since(rule, sends, edda, paula, at_the_console):
    (item, other), _ = sends("Ferry quiz", "Harbour quiz")
    quiz = rule("Quiz", ("title", "contains", "quiz"), section="fun")
    tried = rulebook.try_out(quiz, 7, at_the_console(edda), timezone.now())
    rulebook.apply(tried.pk, at_the_console(edda))
    triage.decide([item.pk], "shortlist", at_the_console(paula))
    run = rulebook.undo(tried.pk, at_the_console(edda))
    item.refresh_from_db()
    other.refresh_from_db()
    assert (item.section, other.section) == ("fun", "")
    assert [(each["item"], each["why"]) for each in run.kept] == [
        (item.pk, "paula has changed it since.")
    ]


def test_undo_goes_on_after_an_update_of_the_feed_and_a_later_rule(
    rule, sends, coast, edda, at_the_console
):
    (item,), _ = sends("Ferry quiz")
    by = at_the_console(edda)
    first = rule("Fun", ("title", "contains", "quiz"), section="fun", urgency=8)
    second = rule("Games", ("title", "contains", "quiz"), section="games")
    one = rulebook.apply(rulebook.try_out(first, 7, by, timezone.now()).pk, by)
    rulebook.apply(rulebook.try_out(second, 7, by, timezone.now()).pk, by)
    intake.file(coast.pk, [WireCopy("Ferry quiz", "Ferry quiz", content="<p>Longer</p>")])
    run = rulebook.undo(one.pk, by)
    item.refresh_from_db()
    assert (item.section, item.urgency) == ("games", 5)
    assert "but for its section" in run.kept[0]["why"]


def test_what_a_rule_did_by_itself_can_be_undone_once(rule, sends, edda, at_the_console):
    quiz = rule("Quiz", ("title", "contains", "quiz"), spike=True)
    (item,), _ = sends("Ferry quiz")
    since = timezone.now() - timedelta(hours=1)
    assert rulebook.undo_own(quiz, since, at_the_console(edda)).restored == 1
    item.refresh_from_db()
    assert item.state == "new"
    assert rulebook.undo_own(quiz, since, at_the_console(edda)).restored == 0


def test_a_writer_runs_no_rules(rule, sends, will, at_the_console):
    quiz = rule("Quiz", ("title", "contains", "quiz"), spike=True)
    with pytest.raises(NotAllowed):
        rulebook.try_out(quiz, 7, at_the_console(will), timezone.now())


def test_decided_items_are_not_looked_at(rule, sends, edda, at_the_console):
    (item,), _ = sends("Ferry quiz")
    triage.decide([item.pk], "spike", at_the_console(edda))
    quiz = rule("Quiz", ("title", "contains", "quiz"), urgency=9)
    assert rulebook.try_out(quiz, 7, at_the_console(edda), timezone.now()).looked_at == 0
