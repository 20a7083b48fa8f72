"""A list of the console as a CSV file: what its filters show, streamed row by row."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from config.admin_base import DeskChangeList, ListLink
from config.csv_cells import lines

if TYPE_CHECKING:
    from config.admin_base import DeskAdmin

    _Admin = DeskAdmin
else:
    _Admin = object

Columns = Sequence[tuple[str, Callable[[Any], Any]]]
"""Heading, and what stands under it for a row."""

_AT_ONCE = 200  # rows


class InColumns(_Admin):
    """Mix-in before a `DeskAdmin`: its list as a file, for whoever may see the list."""

    csv_columns: Columns = ()

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses and the file's."""
        file = path("csv/", self.admin_site.admin_view(self.csv_view), name=self._csv_name())
        return [file, *super().get_urls()]

    def list_links(self, request: HttpRequest) -> "list[ListLink]":
        """The file of what the list shows now."""
        asked = request.GET.urlencode()
        url = reverse(f"admin:{self._csv_name()}")
        link = ListLink("Download as CSV", "download", f"{url}?{asked}" if asked else url)
        return [*super().list_links(request), link]

    def csv_view(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """The rows that the list's filters and search leave, all pages of them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            found = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            name = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
            return HttpResponseRedirect(reverse(name))
        answer = StreamingHttpResponse(
            lines(self._rows(self.csv_rows(found))),
            content_type="text/csv; charset=utf-8",
        )
        day = timezone.localdate().isoformat()
        name = str(self.opts.verbose_name_plural).replace(" ", "-")
        answer["Content-Disposition"] = f'attachment; filename="{name}-{day}.csv"'
        answer["Cache-Control"] = "no-store"
        return answer

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """For the file a list that fetches no page."""
        match = request.resolver_match
        if match is not None and match.url_name == self._csv_name():
            return _NoPage
        return super().get_changelist(request, **kwargs)

    def csv_rows(self, found: Any) -> Any:
        """The rows with what the columns need of them; without what they don't, best."""
        return found

    def _rows(self, found: Any) -> Iterator[list[Any]]:
        yield [heading for heading, _value in self.csv_columns]
        for row in found.iterator(chunk_size=_AT_ONCE):
            yield [value(row) for _heading, value in self.csv_columns]

    def _csv_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_csv"


class _NoPage(DeskChangeList):
    """What filters and search leave, without the rows of one page and their buttons."""

    def get_results(self, request: HttpRequest) -> None:
        """None."""
