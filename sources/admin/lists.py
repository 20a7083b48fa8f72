"""Lists of feeds in the console: bring one in, look how its feeds are, add; download ours."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from articles.errors import DeskError
from config.admin_base import (
    DeskAdmin,
    FileInput,
    ListLink,
    ReadOnlyAdmin,
    actor,
    age,
    display,
    headline,
    only_by_button,
)
from sources import lists, opml
from sources.models import ImportLine, ListImport, Source

_WHILE_AT_IT = 2  # seconds between two looks
_USUALLY_CHOSEN = (ImportLine.States.ANSWERS,)

States = ImportLine.States
_COLOURS = {
    States.ANSWERS: "success", States.FAILS: "danger", States.BAD: "danger",
    States.ADDED: "info", States.HERE: "", States.TWICE: "", States.WAITING: "",
}  # fmt: skip


class ListForm(forms.Form):
    """The file."""

    file = forms.FileField(
        label="OPML file",
        help_text="What other readers export. Its feeds are tried first; nothing is added yet.",
        widget=FileInput(attrs={"accept": ".opml,.xml,text/x-opml,text/xml"}),
        error_messages={
            "required": "Choose a file.",
            "empty": "The file is empty.",
        },
    )


class Listing(DeskAdmin):
    """Mix-in for the sources' list: OPML in and out."""

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses and those of lists."""
        view = self.admin_site.admin_view
        return [
            path("import/", view(self.import_view), name="sources_source_import"),
            path("opml/", view(self.opml_view), name="sources_source_opml"),
            *super().get_urls(),
        ]

    def list_links(self, request: HttpRequest) -> list[ListLink]:
        """In, for whoever may add sources, and out."""
        found = []
        if self.has_add_permission(request):
            url = reverse("admin:sources_source_import")
            found.append(ListLink("Import OPML", "upload", url))
        out = ListLink("Export OPML", "download", reverse("admin:sources_source_opml"))
        return [*found, out, *super().list_links(request)]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a file; read it, and go on to its page."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        posted = request.method == "POST"
        form = ListForm(request.POST, request.FILES) if posted else ListForm()
        if posted and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                document = file.read(opml.MOST_BYTES + 1)
                found = lists.take_in(document, file.name, actor(request).user)
            except DeskError as problem:
                form.add_error("file", str(problem))
            else:
                url = reverse("admin:sources_listimport_change", args=(found.pk,))
                return HttpResponseRedirect(url)
        context = {
            **self.admin_site.each_context(request),
            "title": "Import OPML",
            "opts": self.opts,
            "form": form,
            "earlier": ListImport.objects.all()[:10],
        }
        return TemplateResponse(request, "newsdesk/import_list.html", context)

    def opml_view(self, request: HttpRequest) -> HttpResponse:
        """All sources as a file, without what they are logged in with."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        document = lists.export(list(Source.objects.order_by("section", "name")))
        answer = HttpResponse(document, content_type="text/x-opml; charset=utf-8")
        name = f"newsdesk-{timezone.localdate().isoformat()}.opml"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer


@admin.register(ListImport)
class ListImportAdmin(ReadOnlyAdmin):
    """What was brought in, and what became of it."""

    list_display = ("headline", "came", "lines_found", "lines_added")
    sortable_by = ()
    change_form_outer_before_template = "newsdesk/list_import.html"
    empty_hint = "No list was brought in yet. “Import OPML” stands above the sources."

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may add sources."""
        return request.user.has_perm("sources.add_source")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Reached from the sources, not from the menu."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With how many lines, and how many became sources."""
        added = Count("lines", filter=Q(lines__state=States.ADDED))
        imports: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = imports.annotate(found=Count("lines"), added=added)
        return counted

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """None: the page shows the lines, see its template."""
        return []

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses, the lines' and the one that adds."""
        view = self.admin_site.admin_view
        return [
            path("<int:object_id>/lines/", view(self.lines_view), name="sources_listimport_lines"),
            path("<int:object_id>/add/", view(self.choose_view), name="sources_listimport_add"),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The lines, live while they are tried."""
        found = self.get_object(request, object_id) if object_id else None
        extra = {"show_history": False, **(extra_context or {})}
        return super().changeform_view(
            request, object_id, form_url, extra | (_shown(found) if found else {})
        )

    def lines_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The lines alone, for the page that is open."""
        found = self._found(request, object_id)
        return TemplateResponse(request, "newsdesk/list_import_lines.html", _shown(found))

    def choose_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Make sources of the ticked lines."""
        if request.method != "POST":
            return only_by_button(
                self.admin_site,
                request,
                reverse("admin:sources_listimport_change", args=(object_id,)),
            )
        found = self._found(request, object_id)
        chosen = {int(each) for each in request.POST.getlist("line") if each.isdecimal()}
        back = HttpResponseRedirect(self.change_url(found))
        if not chosen:
            messages.error(request, "Tick the lines that shall become sources.")
            return back
        outcome = lists.add(found, chosen, active="active" in request.POST)
        _tell(request, outcome)
        return back

    def _found(self, request: HttpRequest, object_id: int) -> ListImport:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_object(request, str(object_id))
        if found is None:
            raise Http404("There is no such import any more.")
        listed: ListImport = found
        return listed

    @display(description="List")
    def headline(self, each: ListImport) -> SafeString:
        """The file, and who brought it."""
        return headline(each.name, f"by {each.created_by}" if each.created_by else "")

    @display(description="Brought in")
    def came(self, each: ListImport) -> SafeString:
        """When."""
        return age(each.created_at)

    @display(description="Feeds")
    def lines_found(self, each: Any) -> int:
        """How many it names."""
        return int(each.found)

    @display(description="Added")
    def lines_added(self, each: Any) -> int:
        """How many became sources."""
        return int(each.added)


def _shown(found: ListImport) -> dict[str, Any]:
    rows = list(found.lines.select_related("source"))
    waiting = sum(line.state == States.WAITING for line in rows)
    return {
        "list": found,
        "lines": [
            {
                "line": line,
                "colour": _COLOURS[States(line.state)],
                "open": line.state in ImportLine.OPEN,
                "chosen": line.state in _USUALLY_CHOSEN,
                "newest": age(line.newest) if line.newest else "",
            }
            for line in rows
        ],
        "waiting": waiting,
        "tried": len(rows) - waiting,
        "can_add": any(line.state in ImportLine.OPEN for line in rows) and not waiting,
        "live_url": reverse("admin:sources_listimport_lines", args=(found.pk,)),
        "live_seconds": _WHILE_AT_IT if waiting else 0,
    }


def _tell(request: HttpRequest, outcome: lists.Outcome) -> None:
    added, left = len(outcome.added), len(outcome.left)
    if added:
        words = "1 source was added." if added == 1 else f"{added} sources were added."
        messages.success(request, words)
    if left:
        words = "1 line was left" if left == 1 else f"{left} lines were left"
        messages.warning(request, f"{words}; why stands beside each.")
