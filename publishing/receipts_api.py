"""The receipt's shape over the API, for the schema and for those who write clients."""

from typing import Any

from rest_framework import serializers

A_COUNT: dict[str, Any] = {
    "views": None, "reactions": 12, "replies": 1, "shares": 3,
    "read_at": "2026-03-01T11:02:00+00:00",
}  # fmt: skip
A_RECEIPT: dict[str, Any] = {
    "delivery": 31, "story": {"id": 7, "title": "Ferry returns to Lindholm", "revision": 4},
    "channel": "Our blog", "platform": "wordpress", "act": "publish", "status": "published",
    "scheduled_at": "2026-03-01T09:31:00+00:00", "published_at": "2026-03-01T09:32:04+00:00",
    "marker": "7b1f3c1e-4a53-4f7e-9f0e-2f6f6c1f5d11",
    "approved_sha256": "9b1c0e…", "payload_sha256": "9b1c0e…",
    "remote_id": "118", "remote_url": "https://blog.example/118",
    "confirmed_by": "look_up", "confirmed": "The desk looked and found it there.",
    "letters": None,
    "counts": A_COUNT,
    "feed": None,
    "attempts": [
        {
            "number": 1, "started_at": "2026-03-01T09:31:00+00:00",
            "finished_at": "2026-03-01T09:31:30+00:00", "outcome": "unknown",
            "outcome_in_words": "Unknown", "http_status": None, "request_id": "",
            "payload_sha256": "9b1c0e…", "said": "No answer within 30 seconds.",
        }
    ],
    "amendments": [],
}  # fmt: skip


class StoryToldSerializer(serializers.Serializer[dict[str, Any]]):
    """What was told: the story in the revision that went out."""

    id = serializers.IntegerField()
    title = serializers.CharField()
    revision = serializers.IntegerField(help_text="The number of the story's revision.")


class AttemptToldSerializer(serializers.Serializer[dict[str, Any]]):
    """One attempt and what came of it."""

    number = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.CharField()
    outcome_in_words = serializers.CharField()
    http_status = serializers.IntegerField(allow_null=True)
    request_id = serializers.CharField(help_text="The platform's number of the request, if any.")
    payload_sha256 = serializers.CharField()
    said = serializers.CharField(help_text="The beginning of what the platform said.")


class LettersSerializer(serializers.Serializer[dict[str, Any]]):
    """A mailing's letters, by what became of them."""

    sent = serializers.IntegerField()
    refused = serializers.IntegerField()
    waiting = serializers.IntegerField()
    in_doubt = serializers.IntegerField()


class HubToldSerializer(serializers.Serializer[dict[str, Any]]):
    """What a WebSub hub knows of it."""

    hub = serializers.CharField()
    told = serializers.BooleanField(help_text="Whether it knows the entry's last change.")
    told_at = serializers.CharField(allow_null=True, help_text="When it took news of the feed.")
    said = serializers.CharField(help_text="What went wrong last, and is tried again.")


class FeedToldSerializer(serializers.Serializer[dict[str, Any]]):
    """An entry in a feed of ours."""

    page = serializers.CharField()
    withdrawn_at = serializers.CharField(allow_null=True)
    hubs = HubToldSerializer(many=True)


class CountsSerializer(serializers.Serializer[dict[str, Any]]):
    """What the platform said last of a post's success; null where it says nothing."""

    views = serializers.IntegerField(allow_null=True)
    reactions = serializers.IntegerField(allow_null=True)
    replies = serializers.IntegerField(allow_null=True)
    shares = serializers.IntegerField(allow_null=True)
    read_at = serializers.DateTimeField(help_text="When it was asked.")


class AmendmentSerializer(serializers.Serializer[dict[str, Any]]):
    """A correction or a withdrawal of the post, a delivery of its own."""

    delivery = serializers.IntegerField()
    act = serializers.CharField()
    wish = serializers.CharField()
    status = serializers.CharField()
    published_at = serializers.DateTimeField(allow_null=True)
    error_message = serializers.CharField()


class ReceiptSerializer(serializers.Serializer[dict[str, Any]]):
    """What `publishing.receipts.receipt` returns."""

    delivery = serializers.IntegerField()
    story = StoryToldSerializer()
    channel = serializers.CharField()
    platform = serializers.CharField()
    act = serializers.CharField()
    status = serializers.CharField()
    scheduled_at = serializers.DateTimeField()
    published_at = serializers.DateTimeField(allow_null=True)
    marker = serializers.CharField(help_text="The mark by which the desk knows its post again.")
    approved_sha256 = serializers.CharField(
        allow_blank=True,
        help_text='Of what was approved; "" for deliveries of before this was kept.',
    )
    payload_sha256 = serializers.CharField()
    remote_id = serializers.CharField()
    remote_url = serializers.CharField()
    confirmed_by = serializers.CharField(help_text="`answer`, `look_up`, `person` or empty.")
    confirmed = serializers.CharField()
    letters = LettersSerializer(
        allow_null=True, help_text="Of a mailing to subscribers; null for every other delivery."
    )
    feed = FeedToldSerializer(
        allow_null=True, help_text="Of an entry in a feed of ours; null for every other delivery."
    )
    counts = CountsSerializer(
        allow_null=True, help_text="Null as long as the platform has said nothing of the post."
    )
    attempts = AttemptToldSerializer(many=True)
    amendments = AmendmentSerializer(many=True)
