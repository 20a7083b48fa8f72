"""What is out and not as it was sent, above the queue and on its row."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from articles.lifecycle import Right
from publishing import readback
from publishing.models import Delivery, Watch

_MOST = 8


def panel(request: HttpRequest) -> dict[str, Any]:
    """The posts that are gone or changed and that nobody has seen to, newest first. One query."""
    open_ = Watch.objects.filter(noted_by=None).exclude(finding="")
    rows = list(
        open_.select_related("delivery__article", "delivery__channel")
        .only("finding", "found_at", "delivery__remote_url", "delivery__article__title",
              "delivery__channel__name")
        .order_by("-found_at")[: _MOST + 1]
    )  # fmt: skip
    listed = reverse("admin:publishing_delivery_changelist")
    return {
        "drifts": [
            {
                "watch": each,
                "words": readback.found_in_words(each),
                "url": reverse("admin:publishing_delivery_change", args=(each.delivery_id,)),
                "seen_url": reverse(
                    "admin:publishing_delivery_act", args=(each.delivery_id, "drift_noted")
                ),
            }
            for each in rows[:_MOST]
        ],
        "more_drifts": f"{listed}?state=attention" if len(rows) > _MOST else "",
        "may_note": request.user.has_perm(Right.QUEUE),
    }


def found(delivery: Delivery) -> str:
    """What a row says of it, noted or not; "" if the post is as it was sent."""
    watch: Watch | None = getattr(delivery, "watch", None)
    return readback.found_in_words(watch) if watch is not None else ""
