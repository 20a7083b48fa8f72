"""What only a person can tell, above the queue: did it go out or not?"""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from articles.lifecycle import Right
from publishing.lifecycle import Status
from publishing.models import Delivery

_MOST = 8


def panel(request: HttpRequest) -> dict[str, Any]:
    """The deliveries in doubt that the desk can't settle, oldest first. One query."""
    found = list(
        Delivery.objects.filter(status=Status.IN_DOUBT, next_attempt_at=None)
        .select_related("article", "channel")
        .only("error_message", "scheduled_at", "updated_at", "article__title", "channel__name",
              "channel__platform")
        .order_by("scheduled_at", "pk")[: _MOST + 1]
    )  # fmt: skip
    listed = reverse("admin:publishing_delivery_changelist")
    return {
        "doubts": [
            {
                "delivery": each,
                "url": reverse("admin:publishing_delivery_change", args=(each.pk,)),
                "was_posted_url": _act(each, "was_posted"),
                "send_again_url": _act(each, "send_again"),
                "leave_url": _act(each, "was_not_posted"),
            }
            for each in found[:_MOST]
        ],
        "more_doubts": f"{listed}?state=attention" if len(found) > _MOST else "",
        "may_answer": request.user.has_perm(Right.QUEUE),
        "here": request.get_full_path(),
    }


def _act(delivery: Delivery, name: str) -> str:
    return reverse("admin:publishing_delivery_act", args=(delivery.pk, name))
