"""Articles over the API: reading, and the same acts as in the console."""

from collections.abc import Collection
from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_view,
)
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from articles import desk, triage
from articles.errors import StaleVersion
from articles.lifecycle import TRANSITIONS, Kind, Right, open_to
from articles.models import Article, StoryOrigin
from articles.querysets import ArticleQuerySet
from articles.record import Actor, Door
from config.api import Body, ModelRights, problems

_ACTS = sorted({step.act for step in TRANSITIONS if step.right})
A_ROW: dict[str, Any] = {
    "id": 7, "kind": "story", "state": "approved", "version": 3,
    "title": "Ferry returns to Lindholm", "summary": "", "url": "", "source": None,
    "language": "en", "authors": [], "tags": ["sea"], "section": "Local", "slugline": "ferry",
    "urgency": 5, "distribution": "scheduled", "published_at": None, "planned_for": None,
    "embargo_until": None, "created_at": "2026-03-01T08:00:00Z",
    "updated_at": "2026-03-01T09:30:00Z",
}  # fmt: skip
_A_STORY = OpenApiExample(
    "A story",
    A_ROW
    | {
        "content": "<p>It sails again on Monday.</p>", "canonical_url": "", "external_id": None,
        "metadata": {}, "current_revision": 12, "approved_revision": 12, "live_revision": None,
        "origins": [
            {"item": 5, "role": "lead", "attribution": "Coast Wire", "source_changed": False}
        ],
        "acts": ["return"],
    },
    response_only=True,
    status_codes=["200"],
)  # fmt: skip


class ArticleRowSerializer(serializers.ModelSerializer[Article]):
    """An article as a row of a list, without its text."""

    source = serializers.CharField(  # type: ignore[assignment]  # the model's word
        source="source.name", default=None, read_only=True
    )

    class Meta:
        model = Article
        fields: ClassVar = [
            "id", "kind", "state", "version", "title", "summary", "url", "source", "language",
            "authors", "tags", "section", "slugline", "urgency", "distribution", "published_at",
            "planned_for", "embargo_until", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class OriginSerializer(serializers.ModelSerializer[StoryOrigin]):
    """Which wire item a story came from."""

    class Meta:
        model = StoryOrigin
        fields: ClassVar = ["item", "role", "attribution", "source_changed"]
        read_only_fields = fields

    source_changed = serializers.BooleanField(read_only=True)


class ArticleSerializer(ArticleRowSerializer):
    """An article with its text, its origins, and what this person may do with it now."""

    origins = OriginSerializer(many=True, read_only=True)
    acts = serializers.SerializerMethodField(help_text="The acts open to this person now.")

    class Meta(ArticleRowSerializer.Meta):
        fields: ClassVar = [
            *ArticleRowSerializer.Meta.fields,
            "content", "canonical_url", "external_id", "metadata", "current_revision",
            "approved_revision", "live_revision", "origins", "acts",
        ]  # fmt: skip
        read_only_fields = fields

    def get_acts(self, article: Article) -> list[str]:
        """The acts of the lifecycle's table that are open now."""
        user = self.context["request"].user
        rights: Collection[str] = [right for right in Right if user.has_perm(right)]
        return [
            step.act
            for step in open_to(article.kind, article.state, rights)
            if step.right is not Right.WRITE or article.opened_by(user)
        ]


class ActSerializer(Body):
    """An act: what the person had before them, and why."""

    version = serializers.IntegerField(
        min_value=1, help_text="The version you read; another one since then is a conflict."
    )
    reason = serializers.CharField(required=False, allow_blank=True, max_length=2000, default="")


class ArticleFilter(django_filters.FilterSet):
    """How a list is narrowed. Stories are listed unless `kind` says otherwise."""

    kind = django_filters.ChoiceFilter(choices=Article.Kinds.choices)
    state = django_filters.MultipleChoiceFilter(choices=Article.States.choices)
    source = django_filters.NumberFilter(field_name="source_id")
    section = django_filters.CharFilter()
    tag = django_filters.CharFilter(method="by_tag")
    search = django_filters.CharFilter(method="by_words", label="Words, in web-search syntax")
    updated_since = django_filters.IsoDateTimeFilter(field_name="updated_at", lookup_expr="gte")

    class Meta:
        model = Article
        fields: ClassVar[list[str]] = []

    def filter_queryset(self, queryset: "QuerySet[Article]") -> "QuerySet[Article]":
        """As asked; stories if no kind was asked for."""
        if not self.form.cleaned_data.get("kind"):
            queryset = queryset.filter(kind=Kind.STORY)
        narrowed: QuerySet[Article] = super().filter_queryset(queryset)
        return narrowed

    def by_tag(self, queryset: "QuerySet[Article]", _name: str, tag: str) -> "QuerySet[Article]":
        """Articles that carry a tag."""
        return queryset.filter(tags__contains=[tag])

    def by_words(
        self, queryset: "ArticleQuerySet[Article]", _name: str, words: str
    ) -> "QuerySet[Article]":
        """Articles that full-text search finds."""
        return queryset.matching(words)


@extend_schema_view(
    list=extend_schema(
        summary="Articles, newest first",
        description=(
            "Stories, or wire items with `kind=wire`; without their text. Follow `next` for more."
        ),
        tags=["articles"],
        responses={200: ArticleRowSerializer(many=True), **problems(400, 401, 403, 429)},
        examples=[OpenApiExample("A story", A_ROW, response_only=True, status_codes=["200"])],
    ),
    retrieve=extend_schema(
        summary="One article with its text",
        tags=["articles"],
        responses={200: ArticleSerializer, **problems(401, 403, 404, 429)},
        examples=[_A_STORY],
    ),
)
class ArticleViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Article]
):
    """Wire items and stories."""

    queryset = Article.objects.all()
    permission_classes = (ModelRights,)
    filterset_class = ArticleFilter
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> "QuerySet[Article]":
        """Rows for a list; the text and the origins as well for a single one."""
        articles = Article.objects.all()
        if self.action == "list":
            return articles.for_list()
        return articles.select_related("source").prefetch_related("origins__item")

    def filter_queryset(self, queryset: "QuerySet[Any, Any]") -> "QuerySet[Any, Any]":
        """A list is narrowed; a single article is found by its number, whatever its kind."""
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    def get_serializer_class(self) -> "type[serializers.BaseSerializer[Article]]":
        """Rows in a list, everything for a single one."""
        return ArticleRowSerializer if self.action == "list" else ArticleSerializer

    @extend_schema(
        summary="Do an act of the lifecycle",
        description=(
            "The acts open to you are in the article's `acts`; see docs/lifecycle.md. The answer "
            "is the article as it stands then; after `pick_up`, the story that was started."
        ),
        tags=["articles"],
        parameters=[OpenApiParameter("act", str, OpenApiParameter.PATH, enum=_ACTS)],
        request=ActSerializer,
        responses={200: ArticleSerializer, **problems(400, 401, 403, 404, 409, 429)},
        examples=[
            OpenApiExample(
                "Returning a story", {"version": 3, "reason": "Who says so?"}, request_only=True
            ),
            _A_STORY,
        ],
    )
    @action(detail=True, methods=["post"], url_path=r"(?P<act>[a-z_]{1,20})")
    def act(self, request: Request, pk: str, act: str) -> Response:
        """Do one act, with the same checks as in the console."""
        asked = ActSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        by = Actor(request.user, Door.API)  # type: ignore[arg-type]  # ModelRights keeps strangers out
        moved = _perform(self.get_object(), act, by, **asked.validated_data)
        return Response(self.get_serializer(self.get_queryset().get(pk=moved.pk)).data)


def _perform(article: Article, act: str, by: Actor, *, version: int, reason: str) -> Article:
    if act == "pick_up" and article.kind == Kind.WIRE:  # more than a move: it starts a story
        if version != article.version:
            raise StaleVersion(article, version)
        return triage.pick_up([article.pk], by)
    return desk.perform(article.pk, act, by, version=version, reason=reason)
