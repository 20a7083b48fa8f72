"""Reads, with names an editor would use."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.contrib.postgres.search import SearchQuery
from django.db import models
from django.db.models.functions import Coalesce

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
        """Wire items nobody has decided on; of a page that several sources bring, the first."""
        return self.filter(
            kind=Kind.WIRE, state=State.NEW, duplicate_of__isnull=True, backfilled=False
        )

    def public(self) -> "ArticleQuerySet[A]":
        """Stories of which a revision is out, a correction under way or not."""
        return self.filter(kind=Kind.STORY, live_revision__isnull=False).exclude(state=State.KILLED)

    def with_source_news(self) -> "ArticleQuerySet[Any]":
        """With `source_changed`: whether a source has rewritten what the story was made from."""
        return cast("ArticleQuerySet[Any]", self.annotate(source_changed=_source_changed()))

    def whose_source_changed(self) -> "ArticleQuerySet[A]":
        """Stories whose source has rewritten what they were made from, and nobody has looked."""
        return self.filter(_source_changed())

    def with_copies(self) -> "ArticleQuerySet[Any]":
        """With `copies_elsewhere`: how many other sources have the same page."""
        from articles.models import Article

        copies = (
            Article.objects.filter(duplicate_of=models.OuterRef("pk"))
            .order_by()
            .values("duplicate_of")
            .annotate(sources=models.Count("source", distinct=True))
            .values("sources")
        )
        found = Coalesce(models.Subquery(copies), 0)
        return cast("ArticleQuerySet[Any]", self.annotate(copies_elsewhere=found))

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


def _source_changed() -> models.Exists:
    from articles.models import StoryOrigin

    return models.Exists(
        StoryOrigin.objects.filter(story=models.OuterRef("pk")).exclude(
            item__raw_hash=models.F("raw_hash_seen")
        )
    )
