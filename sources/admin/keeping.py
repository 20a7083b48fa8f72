"""What a source's page offers around what was received: the archive, its hub."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from articles.admin.difference import difference
from articles.admin.reading import marked
from articles.errors import DeskError
from config.admin_base import Act, Done, ReadOnlyAdmin, age, display, headline
from sources import archive, compare, websub
from sources.errors import SourceError
from sources.models import ArchivedAnswer, Source, Subscription

_SHOWN = 200_000  # characters of a body on its page
_LEAVING = Subscription.States.LEAVING
_PIECES = 100  # of each kind in a comparison


@admin.register(ArchivedAnswer)
class ArchivedAnswerAdmin(ReadOnlyAdmin):
    """What sources answered, as it came; for whoever may change a source."""

    list_display = ("headline", "came", "first_came", "often", "size")
    list_filter = ("failed", "source")
    sortable_by = ()
    list_select_related = ("source",)
    change_form_outer_before_template = "newsdesk/answer.html"
    list_hint = (
        "The last answers of each source as they came, without cookies and credentials. Open one "
        "to read it again with today's connector."
    )
    empty_hint = "Nothing here yet. A source's answers are archived when it is synced."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """In the list without the bodies."""
        return super().get_queryset(request).defer("bodies")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change a source; it may be behind a login."""
        return request.user.has_perm("sources.change_source")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Reached from a source's page, not from the menu."""
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """None: the page shows the answer itself, see its template."""
        return []

    def get_acts(self, request: HttpRequest, obj: Any) -> tuple[Act, ...]:
        """Read it again and look; or store what is read."""
        return _ANSWER_ACTS

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses, the acts', the comparison's and the bodies'."""
        again = path(
            "<int:object_id>/again/",
            self.admin_site.admin_view(self.again_view),
            name="sources_archivedanswer_again",
        )
        body = path(
            "<int:object_id>/bodies/<int:number>/",
            self.admin_site.admin_view(self.body_view),
            name="sources_archivedanswer_body",
        )
        return [again, body, *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Headers and body, as text."""
        extra = dict(extra_context or {})
        answer = self.get_object(request, object_id) if object_id else None
        if answer is not None:
            extra |= {"answer": answer, "parts": _parts(answer), "show_history": False}
        return super().changeform_view(request, object_id, form_url, extra)

    def again_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """What today's connector reads in the answer, beside what is stored. Stores nothing."""
        answer = self._answer(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": "Read again",
            "opts": self.opts,
            "answer": answer,
            "back": self.change_url(answer),
            "store_url": self.act_url(answer, _STORE),
        }
        try:
            found = archive.read_again(answer.source, archive.payloads(answer))
        except SourceError as problem:
            messages.error(request, f"It can't be read: {problem}")
            return TemplateResponse(request, "newsdesk/answer_again.html", context)
        compared = compare.compare(answer.source, found.copies, answer.run)
        context |= {
            "read": len(found.copies),
            "warnings": found.warnings,
            "compared": compared,
            "changed": [_marked(piece) for piece in compared.changed[:_PIECES]],
            "new": compared.new[:_PIECES],
            "gone": compared.gone[:_PIECES],
        }
        return TemplateResponse(request, "newsdesk/answer_again.html", context)

    def body_view(self, request: HttpRequest, object_id: int, number: int) -> HttpResponse:
        """One body as it came, to be saved: for a bug report, or for `manage.py parse_feed`."""
        answer = self._answer(request, object_id)
        try:
            body = archive.payloads(answer)[number].body
        except (SourceError, IndexError):
            raise Http404("There is no such body in the archive.") from None
        return HttpResponse(
            body,
            content_type="application/octet-stream",
            headers={"Content-Disposition": f'attachment; filename="answer-{object_id}-{number}"'},
        )

    def _answer(self, request: HttpRequest, object_id: int) -> ArchivedAnswer:
        answer: ArchivedAnswer | None = self.get_object(request, str(object_id))
        if answer is None:
            raise Http404("There is no such answer in the archive any more.")
        if not self.has_view_permission(request, answer):
            raise PermissionDenied
        return answer

    @display(description="Answer")
    def headline(self, answer: ArchivedAnswer) -> SafeString:
        """Whose it is, and how its address and status read."""
        first = answer.parts[0] if answer.parts else {"url": "", "status": ""}
        kind = "could not be read · " if answer.failed else ""
        return headline(str(answer.source), f"{kind}{first['status']} · {first['url']}")

    @display(description="Last came")
    def came(self, answer: ArchivedAnswer) -> SafeString:
        """When it was the answer for the last time."""
        return age(answer.last_seen)

    @display(description="First came")
    def first_came(self, answer: ArchivedAnswer) -> SafeString:
        """When it was new."""
        return age(answer.first_seen)

    @display(description="Times")
    def often(self, answer: ArchivedAnswer) -> int:
        """How often it came."""
        return answer.times

    @display(description="Size")
    def size(self, answer: ArchivedAnswer) -> str:
        """As received, and as it is kept."""
        kept = f"{answer.stored / 1024:.0f} KiB here" if answer.bodies_kept else "not kept"
        return f"{answer.length / 1024:.0f} KiB, {kept}"


def _parts(answer: ArchivedAnswer) -> list[dict[str, Any]]:
    """Each response with its body as text; without one when it was too long to be kept."""
    try:
        bodies = [payload.body for payload in archive.payloads(answer)]
    except SourceError:
        bodies = [b""] * len(answer.parts)
    return [
        {
            **part,
            "body": body[: 4 * _SHOWN].decode(errors="replace")[:_SHOWN],
            "cut": len(body) > _SHOWN,
        }
        for part, body in zip(answer.parts, bodies, strict=True)
    ]


def _marked(piece: compare.Piece) -> dict[str, Any]:
    """A changed piece with its words marked."""
    fields = [
        (change.field, marked(difference(change.stored, change.read))) for change in piece.changes
    ]
    return {"title": piece.title, "fields": fields}


def _may_change(request: HttpRequest, _obj: object) -> bool:
    return request.user.has_perm("sources.change_source")


def _may_read_again(request: HttpRequest, answer: ArchivedAnswer) -> bool:
    readable = answer.bodies_kept and archive.can_read_again(answer.source)
    return readable and _may_change(request, answer)


def _look(_request: HttpRequest, answer: ArchivedAnswer, _data: Mapping[str, Any]) -> Done:
    return Done("", reverse("admin:sources_archivedanswer_again", args=(answer.pk,)))


def _store(_request: HttpRequest, answer: ArchivedAnswer, _data: Mapping[str, Any]) -> str:
    try:
        run = archive.store(answer)
    except SourceError as problem:
        raise DeskError(f"Nothing was stored: {problem}") from problem
    return f"Stored what it reads now: {run.new} new, {run.updated} changed, {run.same} as before."


def _answers(_request: HttpRequest, source: Source, _data: Mapping[str, Any]) -> Done:
    listing = reverse("admin:sources_archivedanswer_changelist")
    return Done("", f"{listing}?source__id__exact={source.pk}")


_STORE = Act(
    "store", "Store what it reads now", "save", _store, _may_read_again,
    hint="New pieces go on the wire; changed ones keep their former text as a revision.",
)  # fmt: skip
_ANSWER_ACTS = (
    Act("again", "Parse again", "replay", _look, _may_read_again, weight="primary"),
    _STORE,
)


def badges(source: Source) -> list[tuple[str, str]]:
    """For the top of a source's page: whether its hub pushes."""
    found = Subscription.objects.filter(source=source).exclude(state=_LEAVING).first()
    if found is None:
        return []
    if found.state == Subscription.States.DENIED:
        return [(found.reason, "warning")]
    if found.state == Subscription.States.LIVE and found.lease_ends:
        if websub.is_silent(found):
            return [("Its hub promised to push, and does not", "warning")]
        until = timezone.localtime(found.lease_ends).strftime("%d %b %H:%M")
        return [(f"Its hub pushes until {until}", "success")]
    return [(f"Subscribing at its hub. {found.reason}".strip(), "info")]


ACTS = (Act("answers", "Archived answers", "inventory_2", _answers, _may_change),)
"""On a source's page."""
