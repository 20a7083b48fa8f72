"""Reads, with names an editor would use."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from django.contrib.postgres.search import SearchQuery
from django.db import models

from articles.lifecycle import Kind, State

if TYPE_CHECKING:
    from articles.models import Article

    A = TypeVar("A", bound=Article)
else:
    A = TypeVar("A", bound=models.Model)


class ArticleQuerySet(models.QuerySet[A]):
    """Articles of both kinds."""

    def wire(self) -> "ArticleQuerySet[A]":
        """Incoming pieces."""
        return self.filter(kind=Kind.WIRE)

    def stories(self) -> "ArticleQuerySet[A]":
        """Our written pieces."""
        return self.filter(kind=Kind.STORY)

    def untriaged(self) -> "ArticleQuerySet[A]":
        """Wire items nobody has decided on."""
        return self.filter(kind=Kind.WIRE, state=State.NEW)

    def public(self) -> "ArticleQuerySet[A]":
        """Stories of which a revision is out, a correction under way or not."""
        return self.filter(kind=Kind.STORY, live_revision__isnull=False).exclude(state=State.KILLED)

    def stale(self, now: datetime, days: int) -> "ArticleQuerySet[A]":
        """Wire items that nobody wanted for `days` days."""
        return self.filter(
            kind=Kind.WIRE,
            state__in=(State.NEW, State.SHORTLISTED),
            created_at__lt=now - timedelta(days=days),
        )

    def matching(self, words: str) -> "ArticleQuerySet[A]":
        """Full-text search in title, summary and text, in the web-search syntax."""
        return self.filter(search=SearchQuery(words, search_type="websearch", config="english"))

    def for_list(self) -> "ArticleQuerySet[A]":
        """Without the long columns, with what a row shows."""
        return self.defer("content", "metadata", "search").select_related("source", "assignee")
