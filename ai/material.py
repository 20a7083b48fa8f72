"""Which texts a model gets to read for a task, and how a generation remembers them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from ai.models import Task
from ai.providers.base import Passage
from articles.errors import WrongState
from articles.lifecycle import Kind
from articles.models import Article

MOST_ARTICLES = 20

OFFERED: dict[str, tuple[Task, ...]] = {
    Kind.WIRE: (Task.SUMMARY,),
    Kind.STORY: (Task.SUMMARY, Task.ARTICLE, Task.ANALYSIS),
}
"""What can be asked for on the page of which kind of article."""


@dataclass(frozen=True, slots=True)
class Material:
    """The texts of one request."""

    passages: tuple[Passage, ...]
    hashes: Mapping[str, str]  # article's id (or "data") → SHA-256 of the text that went in


def for_page(task: str, article: Article) -> Material:
    """What a request on this article's page is about.

    A summary is of the article itself; an article is written from the story's wire items; an
    analysis sees both. Raises `WrongState` when that is not offered there or there is no text.
    """
    if task not in OFFERED[Kind(article.kind)]:
        raise WrongState("This is not offered here.")
    own = [article] if task != Task.ARTICLE else []
    items = [] if task == Task.SUMMARY else _origins(article)
    if task == Task.ARTICLE and not items:
        raise WrongState("The story has no wire items to write an article from.")
    return of_articles([*own, *items])


def of_articles(articles: Sequence[Article]) -> Material:
    """The texts of these articles. Raises `WrongState` when there is nothing to read in them."""
    if len(articles) > MOST_ARTICLES:
        raise WrongState(f"At most {MOST_ARTICLES} articles can be read at once.")
    passages = tuple(
        Passage(_source(article), article.title, article.content or article.summary)
        for article in articles
    )
    if not any(passage.text.strip() for passage in passages):
        raise WrongState("There is no text to work on.")
    return Material(
        passages,
        {
            str(article.pk): _digest(passage)
            for article, passage in zip(articles, passages, strict=True)
        },
    )


def of_data(data: Mapping[str, Any]) -> Material:
    """Figures and facts as a text. Raises `WrongState` for what JSON can't hold, or nothing."""
    if not data:
        raise WrongState("There is no data to analyse.")
    try:
        text = orjson.dumps(data, option=orjson.OPT_INDENT_2, default=str).decode()
    except orjson.JSONEncodeError as problem:
        raise WrongState("This data can't be written down as JSON.") from problem
    passage = Passage("the desk", "Data", text)
    return Material((passage,), {"data": _digest(passage)})


def _origins(story: Article) -> list[Article]:
    origins = story.origins.select_related("item__source").order_by("-role", "pk")
    return [origin.item for origin in origins[: MOST_ARTICLES - 1]]


def _source(article: Article) -> str:
    return str(article.source) if article.source_id else "the desk"


def _digest(passage: Passage) -> str:
    parts = "\x00".join((passage.source, passage.title, passage.text))
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()
