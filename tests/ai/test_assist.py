"""Asking: every call is a row, a worker runs it once, and trouble is written down."""

from datetime import timedelta

import pytest
from celery import Celery, current_app
from django.core import serializers
from django.utils import timezone

from ai import assist, bell, prices, sweep
from ai.models import Generation, Prompt, PromptVersion, Task
from ai.reword import reword
from ai.tasks import generate, tick
from articles.errors import NotAllowed, WrongState
from articles.models import Article
from articles.record import Actor, Door

pytestmark = pytest.mark.django_db
States = Generation.States


@pytest.fixture
def silent(monkeypatch):
    """The bell rings into this list instead of into Redis; tests of Redis use the real one."""
    rung: list[int] = []

    def ring(pk: int) -> bool:
        rung.append(pk)
        return True

    monkeypatch.setattr(bell, "ring", ring)
    return rung


def at_console(user):
    return Actor(user, Door.ADMIN)


def later(generation, **when):
    Generation.objects.filter(pk=generation.pk).update(**when)


# --- asking at once ---


def test_a_summary_is_stored_with_everything_it_took(all_providers, picked_up, edda):
    items = [origin.item for origin in picked_up.origins.order_by("pk")]
    call = assist.generate_summary(items, by=edda, provider="openai")
    call.refresh_from_db()
    assert call.state == States.SUGGESTED
    assert "ferry" in call.text
    assert (call.provider, call.model, call.requested_by) == ("openai", "gpt-6-luna", edda)
    assert (call.input_tokens or 0) > 100
    assert (call.output_tokens or 0) > 10
    assert call.cost == prices.cost("gpt-6-luna", call.input_tokens, call.output_tokens)
    assert call.latency_ms is not None
    assert call.request_id.startswith("req_")
    assert call.prompt_version == Prompt.objects.get(task=Task.SUMMARY).current
    assert set(call.input_hashes) == {str(item.pk) for item in items}
    assert all(len(digest) == 64 for digest in call.input_hashes.values())


@pytest.mark.parametrize("provider", ["extractive", "openai", "anthropic", "ollama"])
def test_every_task_works_with_every_provider(all_providers, picked_up, provider):
    items = [origin.item for origin in picked_up.origins.all()]
    summary = assist.generate_summary(items, provider=provider)
    article = assist.generate_article("The ferry is back", items, provider=provider)
    analysis = assist.generate_analysis(items, provider=provider)
    figures = assist.generate_analysis(
        {"ferry": "The ferry carried 1,900 commuters a day before the repairs began in spring."},
        provider=provider,
    )
    for call in (summary, article, analysis, figures):
        assert call.state == States.SUGGESTED, call.error
        assert call.text
    assert "<" not in summary.text
    assert article.text.startswith("<p>")
    assert (article.topic, article.article) == ("The ferry is back", None)
    assert set(figures.input_hashes) == {"data"}


def test_the_hash_of_an_input_follows_its_text(wire_item):
    first = assist.generate_summary([item := wire_item()])
    again = assist.generate_summary([item])
    item.content += "<p>And more of the ferry was said on the day after.</p>"
    changed = assist.generate_summary([item])
    key = str(item.pk)
    assert first.input_hashes[key] == again.input_hashes[key] != changed.input_hashes[key]


def test_a_failed_call_is_stored_with_a_sentence_for_the_editor(all_providers, wire_item):
    all_providers.faults({"mode": "503", "match": "/anthropic"})
    call = assist.generate_summary([wire_item()], provider="anthropic")
    call.refresh_from_db()
    assert call.state == States.FAILED
    assert call.error == "Anthropic could not answer just now (status 503)."
    assert call.text == ""
    assert call.cost is None
    assert call.cost_in_words == "unknown"
    assert call.latency_ms is not None


def test_a_model_without_a_price_costs_unknown(all_providers, settings, wire_item):
    settings.OPENAI_MODEL = "gpt-6-terra"
    call = assist.generate_summary([wire_item()], provider="openai")
    assert call.state == States.SUGGESTED
    assert call.cost_in_words == "unknown"


def test_a_cut_off_answer_is_no_suggestion(all_providers, wire_item, ada):
    prompt = Prompt.objects.get(task=Task.SUMMARY)
    reword(prompt.pk, "Summarise the material.", 5, author=ada)
    call = assist.generate_summary([wire_item()], provider="openai")
    assert (call.state, call.text) == (States.FAILED, "")
    assert "cut off" in call.error


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_the_key_is_in_no_row_and_no_log(
    all_providers, settings, story, will, caplog, capfd, silent, provider
):
    secret = "sk-wrong-0123456789-wrong"
    setattr(settings, f"{provider}_api_key".upper(), secret)
    caplog.set_level("DEBUG")
    asked = assist.ask(story.pk, Task.SUMMARY, at_console(will), provider=provider)
    call = assist.run(asked.generation.pk)
    assert call is not None
    assert call.state == States.FAILED
    assert "does not accept the key" in call.error
    rows = serializers.serialize("json", [call, *story.events.all()])
    printed = capfd.readouterr()
    for place in (rows, caplog.text, printed.out, printed.err):
        assert secret not in place


def test_an_unknown_provider_or_nothing_to_read_is_refused_before_a_row_exists(wire_item):
    with pytest.raises(WrongState, match="openai"):
        assist.generate_summary([wire_item()], provider="openai")
    with pytest.raises(WrongState, match="no text"):
        assist.generate_summary([])
    with pytest.raises(WrongState, match="no data"):
        assist.generate_analysis({})
    with pytest.raises(WrongState, match="At most"):
        assist.generate_summary([wire_item()] * 21)
    assert not Generation.objects.exists()


# --- asking from a page ---


def test_a_request_waits_in_its_row_until_a_worker_runs_it(story, will, silent):
    asked = assist.ask(story.pk, Task.SUMMARY, at_console(will))
    assert asked.generation.state == States.QUEUED
    assert silent == [asked.generation.pk]
    generate(asked.generation.pk)
    call = Generation.objects.get()
    assert call.state == States.SUGGESTED
    assert call.article_version == story.version
    assert list(story.events.order_by("pk").values_list("what", "actor__username", "channel")) == [
        ("started", "will", "admin"),
        ("ai_asked", "will", "admin"),
        ("ai_suggested", None, "ai"),
    ]


def test_the_answer_changes_nothing_by_itself(picked_up, edda, silent):
    before = serializers.serialize("json", [picked_up])
    for task in Task:
        assist.run(assist.ask(picked_up.pk, task, at_console(edda)).generation.pk)
    assert Generation.objects.filter(state=States.SUGGESTED).count() == 3
    assert serializers.serialize("json", [Article.objects.get(pk=picked_up.pk)]) == before


def test_an_article_is_written_from_the_storys_wire_items(picked_up, edda, silent):
    call = assist.run(assist.ask(picked_up.pk, Task.ARTICLE, at_console(edda)).generation.pk)
    assert call is not None
    origins = {str(origin.item_id) for origin in picked_up.origins.all()}
    assert set(call.input_hashes) == origins
    assert call.topic == picked_up.title


def test_two_workers_run_a_request_once(story, will, silent):
    pk = assist.ask(story.pk, Task.SUMMARY, at_console(will)).generation.pk
    assert assist.run(pk) is not None
    assert assist.run(pk) is None
    assert Generation.objects.get().attempts == 1


def test_the_same_question_is_not_asked_twice_at_once(story, will, silent):
    assist.ask(story.pk, Task.SUMMARY, at_console(will))
    with pytest.raises(WrongState, match="asked already"):
        assist.ask(story.pk, Task.SUMMARY, at_console(will))
    assist.ask(story.pk, Task.ANALYSIS, at_console(will))
    assert Generation.objects.count() == 2


def test_asking_needs_the_right_and_something_to_ask_about(story, vera, will, wire_item, silent):
    with pytest.raises(NotAllowed):
        assist.ask(story.pk, Task.SUMMARY, at_console(vera))
    with pytest.raises(WrongState, match="no wire items"):
        assist.ask(story.pk, Task.ARTICLE, at_console(will))
    with pytest.raises(WrongState, match="not offered"):
        assist.ask(wire_item().pk, Task.ARTICLE, at_console(will))
    assert not Generation.objects.exists()
    assert not silent


def test_who_lost_the_right_meanwhile_gets_no_answer(story, will, silent):
    pk = assist.ask(story.pk, Task.SUMMARY, at_console(will)).generation.pk
    will.groups.clear()
    call = assist.run(pk)
    assert call is not None
    assert (call.state, call.attempts) == (States.FAILED, 0)


def test_temporary_trouble_is_tried_again_when_the_provider_said(
    all_providers, story, will, silent
):
    all_providers.faults({"mode": "429", "match": "/openai", "retry_after": 90, "times": 1})
    pk = assist.ask(story.pk, Task.SUMMARY, at_console(will), provider="openai").generation.pk
    call = assist.run(pk)
    assert call is not None
    assert call.state == States.QUEUED
    assert call.next_attempt_at is not None
    wait = (call.next_attempt_at - timezone.now()).total_seconds()
    assert 80 < wait <= 90
    assert assist.run(pk) is None, "not before its time"
    later(call, next_attempt_at=timezone.now())
    call = assist.run(pk)
    assert call is not None
    assert (call.state, call.attempts, call.error) == (States.SUGGESTED, 2, "")


def test_trouble_that_stays_is_given_up_after_three_attempts(all_providers, story, will, silent):
    all_providers.faults({"mode": "503", "match": "/openai"})
    pk = assist.ask(story.pk, Task.SUMMARY, at_console(will), provider="openai").generation.pk
    for _ in range(assist.MOST_ATTEMPTS):
        Generation.objects.update(next_attempt_at=None)
        call = assist.run(pk)
    assert call is not None
    assert (call.state, call.attempts) == (States.FAILED, 3)
    assert len(all_providers.log("/openai")) == 3


# --- workers, Redis and the tick ---


def test_without_redis_the_request_is_kept_and_says_so(story, will, monkeypatch):
    nobody_there = Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)
    nobody_there.conf.task_publish_retry = False
    monkeypatch.setattr("config.bell.current_app", nobody_there)
    asked = assist.ask(story.pk, Task.SUMMARY, at_console(will))
    assert not asked.rung
    assert Generation.objects.get().state == States.QUEUED


def test_the_bell_reaches_the_queue_ai(story, will):
    asked = assist.ask(story.pk, Task.SUMMARY, at_console(will))
    assert asked.rung
    with current_app.connection_for_read() as connection:
        message = connection.SimpleQueue("ai").get(timeout=5)
        message.ack()
    assert message.headers["task"] == "ai.generate"
    assert message.payload[0] == [asked.generation.pk]


def test_the_tick_rings_for_what_waits_too_long_or_is_due_again(story, will, silent):
    now = timezone.now()
    fresh = assist.ask(story.pk, Task.SUMMARY, at_console(will)).generation
    silent.clear()
    assert sweep.ring_again(now) == 0
    later(fresh, created_at=now - timedelta(minutes=2))
    assert sweep.ring_again(now) == 1
    later(fresh, next_attempt_at=now + timedelta(minutes=1))
    assert sweep.ring_again(now) == 0
    later(fresh, next_attempt_at=now)
    assert sweep.ring_again(now) == 1
    assert silent == [fresh.pk, fresh.pk]


def test_a_call_whose_worker_died_is_closed_and_not_asked_again(story, will, silent):
    call = assist.ask(story.pk, Task.SUMMARY, at_console(will)).generation
    later(call, state=States.RUNNING, started_at=timezone.now() - timedelta(minutes=16))
    silent.clear()
    tick()
    tick()
    call.refresh_from_db()
    assert call.state == States.FAILED
    assert "worker stopped" in call.error
    assert story.events.filter(what="ai_failed").count() == 1
    assert not silent


# --- prompts ---


def test_every_task_has_its_prompt_and_loading_again_changes_nothing(ada):
    from ai.defaults import load_prompts, load_tick

    prompt = Prompt.objects.get(task=Task.SUMMARY)
    reword(prompt.pk, "Say it in one sentence.", 100, author=ada)
    load_prompts()
    load_tick()
    prompt.refresh_from_db()
    assert prompt.current is not None
    assert prompt.current.instructions == "Say it in one sentence."
    assert Prompt.objects.count() == len(Task)


def test_migrating_backwards_past_the_tables_loads_nothing():
    from django.apps.registry import Apps
    from django_celery_beat.models import PeriodicTask

    from ai.defaults import load_prompts, load_tick

    without_tables = Apps()
    Prompt.objects.update(current=None)
    PromptVersion.objects.all().delete()
    PeriodicTask.objects.filter(task="ai.tick").delete()
    load_prompts(apps=without_tables)
    load_tick(apps=without_tables)
    assert not PromptVersion.objects.exists()
    assert not PeriodicTask.objects.filter(task="ai.tick").exists()
    load_prompts()
    load_tick()
    assert PromptVersion.objects.count() == len(Task)
    assert PeriodicTask.objects.filter(task="ai.tick").count() == 1


def test_rewording_makes_a_version_and_old_calls_keep_theirs(wire_item, ada):
    before = assist.generate_summary([item := wire_item()])
    prompt = Prompt.objects.get(task=Task.SUMMARY)
    version = reword(prompt.pk, "Say it briefly.\r\nPlease.", 300, author=ada, note="Shorter")
    assert (version.number, version.instructions) == (2, "Say it briefly.\nPlease.")
    assert reword(prompt.pk, "Say it briefly.\nPlease.", 300, author=ada) == version
    after = assist.generate_summary([item])
    assert [call.prompt_version and call.prompt_version.number for call in (before, after)] == [
        1,
        2,
    ]
    assert PromptVersion.objects.filter(prompt=prompt).count() == 2


def test_the_tick_is_scheduled_once_and_its_rhythm_is_the_administrators():
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    from ai.defaults import load_tick

    scheduled = PeriodicTask.objects.get(task="ai.tick")
    scheduled.interval, _ = IntervalSchedule.objects.get_or_create(every=5, period="minutes")
    scheduled.save()
    load_tick()
    assert PeriodicTask.objects.get(task="ai.tick").interval.every == 5
