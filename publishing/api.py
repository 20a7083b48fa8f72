"""Publishing over the API: one call from a text to many platforms, and the queue to read."""

from typing import Any, ClassVar

import django_filters
import orjson
from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import exceptions, permissions, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from articles import desk
from articles.api import A_ROW, ArticleRowSerializer
from articles.lifecycle import Right
from articles.models import Article
from articles.record import Actor, Door
from config.api import Body, ModelRights, problems
from config.rest import OrjsonRenderer
from publishing import platforms, queue, receipts, repeats, response
from publishing.models import Attempt, Channel, Delivery
from publishing.receipts_api import A_COUNT, A_RECEIPT, CountsSerializer, ReceiptSerializer

_TEXT = ("title", "content", "summary", "tags", "url", "language", "section")  # of the story
_A_DELIVERY: dict[str, Any] = {
    "id": 31, "article": 7, "platform": "wordpress", "channel": 2, "channel_name": "Our blog",
    "status": "published", "scheduled_at": "2026-03-01T09:31:00Z",
    "published_at": "2026-03-01T09:32:04Z", "error_message": "", "revision": 12,
    "marker": "7b1f3c1e-4a53-4f7e-9f0e-2f6f6c1f5d11", "attempts": 2, "next_attempt_at": None,
    "remote_id": "118", "remote_url": "https://blog.example/118",
    "created_at": "2026-03-01T09:31:00Z", "counts": A_COUNT,
}  # fmt: skip
_A_TRY = {
    "number": 2, "started_at": "2026-03-01T09:32:03Z", "finished_at": "2026-03-01T09:32:04Z",
    "outcome": "published", "http_status": 201, "excerpt": "",
}  # fmt: skip
_TAKEN = {
    "platform": "wordpress", "channel": 2, "channel_name": "Our blog", "delivery": 31,
    "status": "pending", "scheduled_at": "2026-03-01T09:31:00Z", "problem": "",
    "duplicate_of": None,
}  # fmt: skip
_REFUSED = {
    "platform": "mastodon", "channel": 3, "channel_name": "Our Mastodon", "delivery": None,
    "status": "refused", "scheduled_at": None, "problem": "Our Mastodon is switched off.",
    "duplicate_of": None,
}  # fmt: skip


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    """One try."""

    class Meta:
        model = Attempt
        fields: ClassVar = [
            "number", "started_at", "finished_at", "outcome", "http_status", "excerpt",
        ]  # fmt: skip
        read_only_fields = fields


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """One story to one channel once."""

    channel_name = serializers.CharField(source="channel.name", read_only=True)
    counts = serializers.SerializerMethodField(
        help_text="What the platform said last of the post; null before it was asked."
    )

    class Meta:
        model = Delivery
        fields: ClassVar = [
            "id", "article", "platform", "channel", "channel_name", "status", "scheduled_at",
            "published_at", "error_message", "revision", "marker", "attempts", "next_attempt_at",
            "remote_id", "remote_url", "created_at", "counts",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(CountsSerializer(allow_null=True))
    def get_counts(self, delivery: Delivery) -> dict[str, Any] | None:
        """Its views, reactions, replies and shares."""
        return response.counts_of(getattr(delivery, "watch", None))


class DeliveryDetailSerializer(DeliverySerializer):
    """A delivery with its attempts."""

    tries = AttemptSerializer(many=True, read_only=True)

    class Meta(DeliverySerializer.Meta):
        fields: ClassVar = [*DeliverySerializer.Meta.fields, "tries"]
        read_only_fields = fields


class DeliveryFilter(django_filters.FilterSet):
    """How the queue is narrowed."""

    status = django_filters.MultipleChoiceFilter(choices=Delivery.Statuses.choices)
    article = django_filters.NumberFilter(field_name="article_id")
    platform = django_filters.CharFilter()
    channel = django_filters.NumberFilter(field_name="channel_id")

    class Meta:
        model = Delivery
        fields: ClassVar[list[str]] = []


@extend_schema_view(
    list=extend_schema(
        summary="Deliveries, newest first",
        tags=["publishing"],
        responses={200: DeliverySerializer(many=True), **problems(400, 401, 403, 429)},
        examples=[
            OpenApiExample("A delivery", _A_DELIVERY, response_only=True, status_codes=["200"])
        ],
    ),
    retrieve=extend_schema(
        summary="One delivery with its attempts",
        tags=["publishing"],
        responses={200: DeliveryDetailSerializer, **problems(401, 403, 404, 429)},
        examples=[
            OpenApiExample(
                "A delivery that went out at the second try",
                _A_DELIVERY | {"tries": [_A_TRY]},
                response_only=True,
                status_codes=["200"],
            )
        ],
    ),
)
class DeliveryViewSet(viewsets.ReadOnlyModelViewSet[Delivery]):
    """The publishing queue."""

    queryset = Delivery.objects.select_related("channel")
    permission_classes = (ModelRights,)
    filterset_class = DeliveryFilter
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> "QuerySet[Delivery]":
        """With the attempts for a single one."""
        deliveries = Delivery.objects.select_related("channel", "watch")
        return deliveries if self.action == "list" else deliveries.prefetch_related("tries")

    def get_serializer_class(self) -> "type[serializers.BaseSerializer[Delivery]]":
        """The attempts are in a single one only."""
        return DeliverySerializer if self.action == "list" else DeliveryDetailSerializer

    @extend_schema(
        summary="A delivery's receipt",
        description="What proves what went out, where, and how it was confirmed.",
        tags=["publishing"],
        responses={200: ReceiptSerializer, **problems(401, 403, 404, 429)},
        examples=[
            OpenApiExample(
                "Found there after an answer was lost",
                A_RECEIPT,
                response_only=True,
                status_codes=["200"],
            )
        ],
    )
    @action(detail=True, filterset_class=None)
    def receipt(self, request: Request, pk: str = "") -> Response:
        """The receipt."""
        return Response(receipts.receipt(self.get_object()))


class PublishSerializer(Body):
    """A story to publish at once. `content` is HTML; what copy may not hold is taken out."""

    title = serializers.CharField(max_length=500)
    content = serializers.CharField(max_length=400_000)
    summary = serializers.CharField(required=False, allow_blank=True, max_length=5000)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, max_length=30
    )
    url = serializers.URLField(required=False, allow_blank=True, max_length=2000)
    language = serializers.CharField(required=False, allow_blank=True, max_length=35)
    section = serializers.CharField(required=False, allow_blank=True, max_length=60)
    platforms = serializers.ListField(
        child=serializers.CharField(max_length=40),
        required=False,
        max_length=50,
        help_text="Platforms by key: every active channel on them.",
    )
    channels = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        max_length=200,
        help_text="Channels by number, instead of or beside platforms.",
    )
    scheduled_at = serializers.DateTimeField(
        required=False, help_text="Not before this moment; now if it is left out."
    )
    when = serializers.ChoiceField(
        choices=("now", "next_slot"),
        default="now",
        help_text="`next_slot`: each channel's next free slot of its weekly plan, not before "
        "`scheduled_at`.",
    )
    when_late = serializers.ChoiceField(
        choices=Channel.WhenLate.choices,
        required=False,
        help_text="What becomes of it if the desk was down at its time; else as the channel says.",
    )
    confirm_duplicates = serializers.BooleanField(
        default=False,
        help_text="Send it also where the same text or link went within the channel's days.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Resolve platforms and channels; anything unknown is refused before a word is written."""
        problems: dict[str, list[str]] = {}
        known = platforms.table()
        asked = list(dict.fromkeys(attrs.get("platforms", [])))
        unknown = [key for key in asked if key not in known]
        if unknown:
            problems["platforms"] = [
                f"There is no platform “{key}”; there are {', '.join(known)}." for key in unknown
            ]
        active = Channel.objects.filter(is_active=True)
        chosen = list(active.filter(platform__in=asked))
        lacking = set(asked) - set(unknown) - {channel.platform for channel in chosen}
        if lacking:
            problems.setdefault("platforms", []).extend(
                f"No active channel is on “{key}”." for key in sorted(lacking)
            )
        by_number = active.in_bulk(attrs.get("channels", []))
        gone = [str(each) for each in attrs.get("channels", []) if each not in by_number]
        if gone:
            problems["channels"] = [f"There is no active channel {', '.join(gone)}."]
        if not problems and not (chosen or by_number):
            problems["platforms"] = ["Name at least one platform or channel."]
        if problems:
            raise serializers.ValidationError(problems)
        attrs["channel_ids"] = list(
            dict.fromkeys([*(channel.pk for channel in chosen), *by_number])
        )
        return attrs


class EnqueuedSerializer(serializers.Serializer[Any]):
    """What became of one channel."""

    platform = serializers.CharField(source="channel.platform")
    channel = serializers.IntegerField(source="channel.pk")
    channel_name = serializers.CharField(source="channel.name")
    delivery = serializers.IntegerField(source="delivery.pk", default=None, allow_null=True)
    status = serializers.CharField(source="delivery.status", default="refused")
    scheduled_at = serializers.DateTimeField(
        source="delivery.scheduled_at", default=None, allow_null=True
    )
    problem = serializers.CharField(allow_blank=True)
    duplicate_of = serializers.IntegerField(
        source="duplicate_of.pk", default=None, allow_null=True,
        help_text="The delivery that it equals: `confirm_duplicates` sends it all the same.",
    )  # fmt: skip


class PublishedSerializer(serializers.Serializer[Any]):
    """The story, and every channel's result."""

    article = ArticleRowSerializer()
    deliveries = EnqueuedSerializer(many=True)


class NothingQueued(exceptions.APIException):
    """No channel took the story: nothing was written."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "nothing_queued"


class PublishView(APIView):
    """Create, submit, approve and queue a story in one call, by the console's own acts."""

    permission_classes = (permissions.IsAuthenticated,)

    @extend_schema(
        summary="Publish a text to many platforms",
        description=(
            "Needs the rights to write, submit, approve and queue (group Publisher). The story "
            "passes through the same acts as in the console, each on the record. Every channel "
            "stands alone: `deliveries` tells for each what became of it, and later "
            "`/api/deliveries/` tells how it went out. With an `Idempotency-Key` a request may be "
            "repeated: for 24 hours the same key and body are answered as the first time, and "
            "nothing is done twice."
        ),
        tags=["publishing"],
        request=PublishSerializer,
        parameters=[
            OpenApiParameter(
                repeats.HEADER,
                str,
                OpenApiParameter.HEADER,
                description="A key of your choice for this request, in quotes, such as a UUID.",
            )
        ],
        responses={201: PublishedSerializer, **problems(400, 401, 403, 409, 413, 422, 429)},
        examples=[
            OpenApiExample(
                "To WordPress and Mastodon",
                {
                    "title": "Ferry returns to Lindholm",
                    "content": "<p>It sails again on Monday.</p>",
                    "platforms": ["wordpress", "mastodon"],
                },
                request_only=True,
            ),
            OpenApiExample(
                "To one channel, later",
                {
                    "title": "Ferry returns to Lindholm",
                    "content": "<p>It sails again on Monday.</p>",
                    "channels": [2],
                    "scheduled_at": "2026-03-02T06:00:00Z",
                },
                request_only=True,
            ),
            OpenApiExample(
                "One took it, one did not",
                {"article": A_ROW, "deliveries": [_TAKEN, _REFUSED]},
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Publish."""
        by = Actor(request.user, Door.API)  # type: ignore[arg-type]  # IsAuthenticated
        for right, doing in ((Right.APPROVE, "approve"), (Right.QUEUE, "queue")):
            by.must(right, f"{doing} stories")
        key = repeats.key_of(request.headers.get(repeats.HEADER))
        if not key:
            answer = _answered(request, by)
        else:
            assert request.user.pk is not None  # noqa: S101 (IsAuthenticated)
            answer = repeats.once(
                request.user.pk, key, request.data, lambda: _answered(request, by)
            )
        headers = {"Idempotent-Replayed": "true"} if answer.repeated else None
        return Response(answer.body, answer.status, headers=headers)


def _answered(request: Request, by: Actor) -> repeats.Answer:
    asked = PublishSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    with transaction.atomic():
        story, results = _publish(dict(asked.validated_data), by)
        if not any(result.delivery for result in results):
            raise NothingQueued(" ".join(result.problem for result in results))
    article = Article.objects.select_related("source").get(pk=story.pk)
    answer = PublishedSerializer({"article": article, "deliveries": results})
    plain = orjson.loads(OrjsonRenderer().render(answer.data))
    return repeats.Answer(status.HTTP_201_CREATED, plain)


def _publish(wanted: dict[str, Any], by: Actor) -> tuple[Article, list[queue.Enqueued]]:
    text = {name: wanted[name] for name in _TEXT if name in wanted}
    story = desk.start(by, text, note="Sent over the API")
    story = desk.submit(story.pk, by, version=story.version)
    story = desk.approve(story.pk, by, version=story.version)
    return story, queue.enqueue(
        story.pk,
        wanted["channel_ids"],
        by,
        at=wanted.get("scheduled_at"),
        next_slot=wanted["when"] == "next_slot",
        confirm_duplicates=wanted["confirm_duplicates"],
        when_late=wanted.get("when_late", ""),
    )
