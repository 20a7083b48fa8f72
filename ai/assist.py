"""Asking a model. Every call is a `Generation` row before it is a call.

`generate_summary`, `generate_article` and `generate_analysis` ask at once and return the row;
`ask` is what an editor's button does: it leaves a row in the queue, and a worker `run`s it.
Nothing here touches an article: what comes back is a suggestion (see `ai.decide`).
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from ai import answer, bell, material, prices, providers
from ai.material import Material
from ai.models import Generation, Prompt, PromptVersion, Task
from ai.prompts import Wording, compose
from ai.providers.base import Completion, Provider, ProviderError, Request, Unusable
from articles import record
from articles.errors import DeskError, NotAllowed, WrongState
from articles.lifecycle import Right
from articles.models import Article
from articles.record import Actor, Door
from config import outbound

MOST_ATTEMPTS = 3  # of a queued request, when the provider's trouble is temporary
_FIRST_WAIT = 30.0  # seconds before the second attempt; the third waits twice that
_LONGEST_WAIT = 15 * 60.0
_MOST_COUNTABLE = 2**31 - 1
_SUGGESTED_FOR_DESK = Actor(None, Door.AI)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a request from a page."""

    generation: Generation
    rung: bool  # False: Redis is down, the request waits for the tick


def generate_summary(
    articles: Sequence[Article], *, by: User | None = None, provider: str = ""
) -> Generation:
    """Ask now for a summary of one or more articles; waits for the answer.

    Returns the stored generation: suggested, or failed with the reason in `error`. Raises
    `WrongState` when there is nothing to read. `provider` is a key of `ai.providers`, by default
    the installation's.
    """
    return _now(Task.SUMMARY, material.of_articles(articles), by, provider)


def generate_article(
    topic: str, sources: Sequence[Article], *, by: User | None = None, provider: str = ""
) -> Generation:
    """Ask now for an article on `topic` written from `sources`; see `generate_summary`."""
    return _now(Task.ARTICLE, material.of_articles(sources), by, provider, topic)


def generate_analysis(
    data: Sequence[Article] | Mapping[str, Any], *, by: User | None = None, provider: str = ""
) -> Generation:
    """Ask now for an analysis of articles, or of anything JSON can hold; see `generate_summary`."""
    read = material.of_data(data) if isinstance(data, Mapping) else material.of_articles(data)
    return _now(Task.ANALYSIS, read, by, provider)


def ask(article_id: int, task: str, by: Actor, *, provider: str = "") -> Asked:
    """Put a request from an article's page into the queue and ring for a worker.

    Raises `NotAllowed` without the right to ask, `WrongState` when the task isn't offered there,
    there is nothing to read, or the same request is under way.
    """
    by.must(Right.ASK_AI, "ask AI")
    key = _known(provider)
    try:
        with transaction.atomic():
            article = Article.objects.select_for_update().get(pk=article_id)
            material.for_page(task, article)
            generation = Generation.objects.create(
                task=task, article=article, provider=key, requested_by=by.user
            )
            record.note(
                article, "ai_asked", by, data={"generation": generation.pk, "task": str(task)}
            )
    except IntegrityError as twice:
        raise WrongState("This was asked already; the answer is on its way.") from twice
    return Asked(generation, bell.ring(generation.pk))


def run(generation_id: int) -> Generation | None:
    """Ask the provider for a queued generation; None when it is not this worker's to run.

    Never raises for what a provider or the desk refuses: that is written into the row.
    """
    now = timezone.now()
    claimed = Generation.objects.filter(
        pk=generation_id, state=Generation.States.QUEUED
    ).exclude(next_attempt_at__gt=now).update(
        state=Generation.States.RUNNING, started_at=now, next_attempt_at=None
    )  # fmt: skip
    if not claimed:
        return None
    generation = Generation.objects.select_related("article", "requested_by").get(pk=generation_id)
    article = generation.article
    if article is None:
        return _failed(generation, "The article is gone.")
    try:
        _still_allowed(generation)
        read = material.for_page(generation.task, article)
    except DeskError as refusal:
        return _failed(generation, str(refusal))
    generation.article_version = article.version
    generation.topic = article.title if generation.task == Task.ARTICLE else ""
    return _complete(generation, read, may_wait=True)


def _now(task: Task, read: Material, by: User | None, provider: str, topic: str = "") -> Generation:
    generation = Generation.objects.create(
        task=task,
        state=Generation.States.RUNNING,
        provider=_known(provider),
        topic=topic[:500],
        requested_by=by,
        started_at=timezone.now(),
    )
    return _complete(generation, read, may_wait=False)


def _complete(generation: Generation, read: Material, *, may_wait: bool) -> Generation:
    """Ask, and write down what came of it."""
    version = _current_prompt(generation.task)
    generation.prompt_version = version
    generation.input_hashes = dict(read.hashes)
    generation.attempts += 1
    generation.save()
    request = compose(
        generation.task,
        Wording(version.instructions, version.max_tokens),
        read.passages,
        fence=secrets.token_hex(8),
        topic=generation.topic,
    )
    started = time.monotonic()
    try:
        provider = providers.provider(generation.provider)
        completion = async_to_sync(_asked)(provider, request)
        generation.latency_ms = _since(started)
        _note_usage(generation, completion, provider)
        _note_answer(generation, completion)
    except ProviderError as error:
        generation.latency_ms = _since(started)
        if may_wait and not error.permanent and generation.attempts < MOST_ATTEMPTS:
            return _again_later(generation, error)
        return _failed(generation, str(error))
    return _finished(generation, Generation.States.SUGGESTED, "ai_suggested")


async def _asked(provider: Provider, request: Request) -> Completion:
    async with outbound.Client(outbound.from_settings()) as http:
        return await provider.complete(request, http)


def _note_usage(generation: Generation, completion: Completion, provider: Provider) -> None:
    """What was used, also of an answer that turns out to be useless: it is billed all the same."""
    generation.model = completion.model[:120]
    generation.request_id = completion.request_id[:120]
    generation.input_tokens = _count(completion.input_tokens)
    generation.output_tokens = _count(completion.output_tokens)
    generation.cost = prices.cost(
        generation.model,
        generation.input_tokens,
        generation.output_tokens,
        at_home=provider.at_home,
    )


def _note_answer(generation: Generation, completion: Completion) -> None:
    suggestion = answer.read(generation.task, completion.text)
    if suggestion is None:
        raise Unusable("The answer has no readable text.")
    generation.title, generation.text = suggestion.title, suggestion.text


def _again_later(generation: Generation, error: ProviderError) -> Generation:
    wait = max(error.retry_after or 0, _FIRST_WAIT * 2 ** (generation.attempts - 1))
    wait = min(wait, _LONGEST_WAIT)
    Generation.objects.filter(pk=generation.pk, state=Generation.States.RUNNING).update(
        state=Generation.States.QUEUED,
        next_attempt_at=timezone.now() + timedelta(seconds=wait),
        error=str(error),
    )
    log.info("ai.again_later", generation=generation.pk, seconds=wait, why=type(error).__name__)
    generation.refresh_from_db()
    return generation


def _failed(generation: Generation, sentence: str) -> Generation:
    generation.error = sentence
    return _finished(generation, Generation.States.FAILED, "ai_failed", sentence)


def _finished(generation: Generation, state: str, what: str, reason: str = "") -> Generation:
    """Close the call. One that was given up meanwhile stays failed, but keeps what it cost."""
    generation.finished_at = timezone.now()
    with transaction.atomic():
        now = Generation.objects.select_for_update().get(pk=generation.pk)
        given_up = now.state != Generation.States.RUNNING
        generation.state = now.state if given_up else state
        if given_up or state == Generation.States.SUGGESTED:
            generation.error = now.error if given_up else ""
        generation.save()
        if generation.article is not None and not given_up:
            record.note(
                generation.article, what, _SUGGESTED_FOR_DESK, reason=reason,
                data={"generation": generation.pk, "task": generation.task},
            )  # fmt: skip
    log.info("ai.finished", generation=generation.pk, state=generation.state)
    return generation


def _still_allowed(generation: Generation) -> None:
    person = generation.requested_by
    if person is not None and not (person.is_active and person.has_perm(Right.ASK_AI)):
        raise NotAllowed("Whoever asked may not ask AI any more.")


def _known(provider: str) -> str:
    key = provider or providers.default()
    if key not in providers.available():
        raise WrongState(f"The AI provider “{key}” is not set up here.")
    return key


def _current_prompt(task: str) -> PromptVersion:
    version = Prompt.objects.select_related("current").get(task=task).current
    if version is None:
        raise Prompt.DoesNotExist(f"The prompt for {task} has no version.")
    return version


def _count(tokens: object) -> int | None:
    """A number of tokens if it is one: compatible servers answer what they like."""
    return tokens if isinstance(tokens, int) and 0 <= tokens <= _MOST_COUNTABLE else None


def _since(started: float) -> int:
    return int((time.monotonic() - started) * 1000)
