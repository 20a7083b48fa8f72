"""A delivery's receipt, to read and to keep."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from config.admin_base import ReadOnlyAdmin
from publishing import readback, receipts
from publishing.models import Watch


class Receipts(ReadOnlyAdmin):
    """Mix-in for the page of a delivery."""

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses and the receipt's."""
        found = path(
            "<int:object_id>/receipt/",
            self.admin_site.admin_view(self.receipt_view),
            name="publishing_delivery_receipt",
        )
        return [found, *super().get_urls()]

    def receipt_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The receipt as a page, or with `?format=json` as JSON to keep."""
        delivery = self.get_object(request, str(object_id))
        if delivery is None:
            raise Http404("There is no such delivery.")
        if not self.has_view_permission(request, delivery):
            raise PermissionDenied
        told = receipts.receipt(delivery)
        if request.GET.get("format") == "json":
            answer = JsonResponse(told, json_dumps_params={"indent": 2})
            answer["Content-Disposition"] = f'attachment; filename="receipt-{delivery.pk}.json"'
            return answer
        watch = Watch.objects.filter(delivery=delivery).first()
        context = {
            **self.admin_site.each_context(request),
            "title": f"Receipt {delivery.pk}",
            "opts": self.opts,
            "delivery": delivery,
            "receipt": told,
            "attempts": [
                each | {"began": _local(each["started_at"]), "ended": _local(each["finished_at"])}
                for each in told["attempts"]
            ],
            "amendments": [
                each | {"went_out": _local(each["published_at"])} for each in told["amendments"]
            ],
            "draws": (readback.in_words(watch) or "No numbers yet") if watch is not None else "",
            "asked": watch.counted_at if watch is not None else None,
            "json_url": f"{receipts.address(delivery)}?format=json",
        }
        return TemplateResponse(request, "newsdesk/receipt.html", context)


def _local(moment: str | None) -> datetime | None:
    """A receipt's moment in the reader's time zone."""
    return timezone.localtime(datetime.fromisoformat(moment)) if moment else None
