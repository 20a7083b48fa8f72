"""AI in the console: what is offered, what a click does, what the lists show."""

import pytest
from celery import Celery
from django.urls import reverse

from ai import assist, bell
from ai.models import Generation, Prompt, Task
from articles.record import Actor, Door

pytestmark = pytest.mark.django_db
States = Generation.States


@pytest.fixture
def silent(monkeypatch):
    """The bell rings nowhere; the tests run what was asked themselves."""
    monkeypatch.setattr(bell, "ring", lambda pk: True)


@pytest.fixture
def at(client):
    """A browser with somebody logged in: `at(will)`."""

    def login(user):
        client.force_login(user)
        return client

    return login


def page(article) -> str:
    return reverse(f"admin:articles_{_page(article)}_change", args=(article.pk,))


def act(article, name: str) -> str:
    return reverse(f"admin:articles_{_page(article)}_act", args=(article.pk, name))


def _page(article) -> str:
    return "story" if article.kind == "story" else "wireitem"


def suggested(article, task, by) -> Generation:
    call = assist.run(assist.ask(article.pk, task, Actor(by, Door.ADMIN)).generation.pk)
    assert call is not None
    assert call.is_open
    return call


def test_a_writer_asks_reads_and_accepts_on_the_storys_page(story, will, at, silent):
    browser = at(will)
    assert 'id="act-ask-summary"' in browser.get(page(story)).content.decode()
    asked = browser.post(
        act(story, "ask-summary"), {"version": 1, "confirmed": 1}, follow=True
    ).content.decode()
    assert "The suggestion appears here in a moment." in asked
    call = assist.run(Generation.objects.get().pk)
    assert call is not None
    shown = browser.get(page(story)).content.decode()
    assert f'id="act-accept-suggestion-{call.pk}"' in shown
    assert call.text.split(".")[0] in shown
    assert 'id="act-ask-summary"' not in shown, "one suggestion at a time"
    done = browser.post(
        act(story, f"accept-suggestion-{call.pk}"), {"version": 1, "confirmed": 1}, follow=True
    ).content.decode()
    assert "The summary was taken over." in done
    story.refresh_from_db()
    assert story.summary == call.text


def test_accepting_shows_the_text_before_anything_is_done(story, will, at, silent):
    call = suggested(story, Task.SUMMARY, will)
    url = act(story, f"accept-suggestion-{call.pk}")
    asked = at(will).post(url, {"version": 1}).content.decode()
    assert call.text.split(".")[0] in asked
    call.refresh_from_db()
    assert call.is_open


def test_a_suggestion_is_decided_by_post_with_a_token_only(story, will, silent):
    from django.test import Client

    call = suggested(story, Task.SUMMARY, will)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(will)
    for name in (f"accept-suggestion-{call.pk}", f"reject-suggestion-{call.pk}", "ask-analysis"):
        assert browser.get(act(story, name)).status_code == 405
        assert browser.post(act(story, name), {"version": 1, "confirmed": 1}).status_code == 403
    call.refresh_from_db()
    assert call.is_open


def test_a_suggestion_can_not_be_accepted_on_another_storys_page(story, draft, will, at, silent):
    call = suggested(story, Task.SUMMARY, will)
    other = draft(will)
    answer = at(will).post(act(other, f"accept-suggestion-{call.pk}"), {"version": 1})
    assert answer.status_code == 404


def test_a_conflict_is_said_and_nothing_is_overwritten(story, will, edda, at, silent):
    from articles import revise

    call = suggested(story, Task.SUMMARY, will)
    revise.save(story.pk, Actor(edda, Door.ADMIN), 1, {"summary": "Edda's own."})
    answer = at(will).post(
        act(story, f"accept-suggestion-{call.pk}"), {"version": 1, "confirmed": 1}, follow=True
    )
    assert "Somebody saved this" in answer.content.decode()
    story.refresh_from_db()
    assert story.summary == "Edda's own."


def test_an_editor_keeps_or_rejects_a_summary_of_a_wire_item(wire_item, edda, at, silent):
    item = wire_item()
    browser = at(edda)
    assert 'id="act-ask-summary"' in browser.get(page(item)).content.decode()
    call = suggested(item, Task.SUMMARY, edda)
    browser.post(act(item, f"reject-suggestion-{call.pk}"), {"confirmed": 1, "reason": "Too long"})
    call.refresh_from_db()
    assert (call.state, call.decided_by) == (States.REJECTED, edda)


def test_the_lists_of_articles_offer_nothing_of_ai_and_look_nothing_up(
    wire_item, edda, at, django_assert_max_num_queries
):
    for number in range(15):
        wire_item(title=f"Ferry {number}")
    browser = at(edda)
    with django_assert_max_num_queries(25):
        listed = browser.get(reverse("admin:articles_wireitem_changelist")).content.decode()
    assert "Ferry 14" in listed
    assert "ask-summary" not in listed


def test_a_viewer_is_offered_nothing(story, vera, at, silent):
    assert "act-ask-summary" not in at(vera).get(page(story)).content.decode()
    at(vera).post(act(story, "ask-summary"), {"version": 1, "confirmed": 1})
    assert not Generation.objects.exists()


def test_only_providers_that_are_set_up_can_be_chosen(all_providers, settings, story, will, at):
    settings.ANTHROPIC_API_KEY = ""
    browser = at(will)
    shown = browser.post(act(story, "ask-summary"), {"version": 1}).content.decode()
    assert 'value="openai"' in shown
    assert 'value="anthropic"' not in shown
    browser.post(act(story, "ask-summary"), {"version": 1, "confirmed": 1, "provider": "anthropic"})
    assert not Generation.objects.exists()


def test_without_redis_the_page_says_that_it_waits(story, will, at, monkeypatch):
    nobody_there = Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)
    nobody_there.conf.task_publish_retry = False
    monkeypatch.setattr("config.bell.current_app", nobody_there)
    answer = (
        at(will)
        .post(act(story, "ask-summary"), {"version": 1, "confirmed": 1}, follow=True)
        .content.decode()
    )
    assert "It waits: Redis is not answering" in answer
    assert "It waits for a worker." in answer


def test_what_a_model_said_is_shown_as_text(story, will, at, silent):
    call = suggested(story, Task.SUMMARY, will)
    Generation.objects.filter(pk=call.pk).update(text="<script>alert(1)</script>", error="<b>x</b>")
    for url in (page(story), reverse("admin:ai_generation_change", args=(call.pk,))):
        assert "<script>alert(1)" not in at(will).get(url).content.decode()


def test_the_list_of_calls_shows_tokens_cost_and_time(all_providers, settings, story, vera, at):
    settings.OPENAI_MODEL = "gpt-6-terra"
    assist.generate_summary([story], provider="openai")
    assist.generate_summary([story], provider="extractive")
    listed = at(vera).get(reverse("admin:ai_generation_changelist")).content.decode()
    assert "gpt-6-terra" in listed
    assert "unknown" in listed
    assert "$0" in listed


def test_nobody_edits_or_deletes_a_call(story, ada, at, silent):
    call = assist.generate_summary([story])
    browser = at(ada)
    change = reverse("admin:ai_generation_change", args=(call.pk,))
    assert browser.get(change).status_code == 200
    assert browser.post(change, {"text": "Mine."}).status_code == 403
    delete = reverse("admin:ai_generation_delete", args=(call.pk,))
    assert browser.post(delete, {"post": "yes"}).status_code == 403


def test_an_administrator_rewords_a_prompt_and_sees_its_history(ada, edda, at):
    prompt = Prompt.objects.get(task=Task.SUMMARY)
    url = reverse("admin:ai_prompt_change", args=(prompt.pk,))
    assert at(edda).get(url).status_code == 403
    browser = at(ada)
    assert "You write for the desk of a newsroom." in browser.get(url).content.decode()
    form = {
        "instructions": "One sentence, please.", "max_tokens": 200, "note": "Shorter",
        "versions-TOTAL_FORMS": 0, "versions-INITIAL_FORMS": 0,
    }  # fmt: skip
    assert browser.post(url, form).status_code == 302
    prompt.refresh_from_db()
    assert prompt.current is not None
    assert (prompt.current.number, prompt.current.author) == (2, ada)
    history = browser.get(url).content.decode()
    assert "One sentence, please." in history
    assert "You write for the desk of a newsroom." in history
    assert browser.get(reverse("admin:ai_prompt_changelist")).status_code == 200
    assert browser.post(url, form | {"max_tokens": 0}).status_code == 200
    assert prompt.versions.count() == 2
