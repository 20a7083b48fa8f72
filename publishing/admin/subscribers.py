"""The subscribers of mailings: lists in, agreements, departures."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from articles.errors import Incomplete
from config.admin_base import (
    Act,
    DeskAdmin,
    FileInput,
    ListLink,
    Select,
    Switch,
    TabFilter,
    Textarea,
    TextInput,
    age,
    display,
)
from config.admin_csv import InColumns
from publishing import subscribing
from publishing.models import Channel, Subscriber
from publishing.models.subscriber import MOST_REFUSALS

_COLOURS = {"active": "success", "waits": "warning", "refused": "danger", "left": ""}


class ListForm(forms.Form):
    """A list of addresses, pasted or as a file."""

    channel = forms.ModelChoiceField(
        Channel.objects.none(), widget=Select, empty_label=None,
        error_messages={"required": "Connect a channel of the kind Email first."},
    )  # fmt: skip
    text = forms.CharField(
        label="Addresses", required=False, widget=Textarea(attrs={"rows": 8}),
        help_text="One to a line, or a CSV with a column “email”.",
    )  # fmt: skip
    file = forms.FileField(
        label="Or a file", required=False, widget=FileInput(attrs={"accept": ".csv,.txt,text/*"})
    )
    note = forms.CharField(
        label="How they came here", required=False, max_length=200, widget=TextInput,
        help_text="Kept with each, for when somebody asks.",
    )  # fmt: skip
    agreed = forms.BooleanField(
        label="They have all agreed to get these letters", required=False, widget=Switch,
        help_text="Else they get nothing until you confirm them one by one.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        channels: Any = self.fields["channel"]
        channels.queryset = Channel.objects.filter(platform="email")

    def clean(self) -> dict[str, Any]:
        """One of the two, read as text."""
        cleaned = super().clean() or {}
        if file := cleaned.get("file"):
            read = file.read(subscribing.MOST_BYTES + 1)
            cleaned["text"] = _text(read)
        if not str(cleaned.get("text") or "").strip():
            self.add_error("text", "Paste addresses, or choose a file.")
        return cleaned


class Standing(TabFilter):
    """Who gets letters, and who doesn't."""

    title = "standing"
    parameter_name = "standing"
    tabs = (
        ("active", "Get letters"), ("waits", "Not confirmed"), ("refused", "Refused"),
        ("left", "Unsubscribed"), ("all", "All"),
    )  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the open tab."""
        match self.tab():
            case "active":
                return queryset & Subscriber.objects.active()
            case "waits":
                return queryset.filter(confirmed_at=None, unsubscribed_at=None)
            case "refused":
                return queryset.filter(unsubscribed_at=None, refusals__gte=MOST_REFUSALS)
            case "left":
                return queryset.filter(unsubscribed_at__isnull=False)
        return queryset


@admin.register(Subscriber)
class SubscriberAdmin(InColumns, DeskAdmin):
    """Who gets the letters of a channel."""

    list_display = ("address", "channel", "state_badge", "since", "note")
    list_filter = (Standing, "channel")
    list_select_related = ("channel",)
    search_fields = ("address",)
    sortable_by = ()
    fields = ("channel", "address", "note")
    deletable = True
    list_hint = "Who gets letters. Deleting one also deletes the record of what was sent to them."
    empty_hint = "Nobody yet. Connect a channel of the kind Email, then bring a list in."
    csv_columns = (
        ("address", lambda row: row.address),
        ("channel", lambda row: row.channel.name),
        ("standing", lambda row: standing(row)[1]),
        ("note", lambda row: row.note),
        ("confirmed", lambda row: _moment(row.confirmed_at)),
        ("unsubscribed", lambda row: _moment(row.unsubscribed_at)),
    )

    @display(description="Standing", label=_COLOURS)
    def state_badge(self, subscriber: Subscriber) -> tuple[str, str]:
        """Whether they get letters."""
        return standing(subscriber)

    @display(description="Since")
    def since(self, subscriber: Subscriber) -> SafeString:
        """When they came."""
        return age(subscriber.created_at)

    def badges(self, request: HttpRequest, obj: Subscriber) -> list[tuple[str, str]]:
        """Whether they get letters, and what their mailbox says."""
        kind, words = standing(obj)
        refused = [(obj.refused_with, "danger")] if obj.refused_with else []
        return [(words, _COLOURS[kind]), *refused]

    def get_form(
        self, request: HttpRequest, obj: Subscriber | None = None, change: bool = False, **kw: Any
    ) -> type[Any]:
        """Addresses are kept in one spelling."""
        form = super().get_form(request, obj, change=change, **kw)

        def clean_address(self: Any) -> str:
            try:
                return subscribing.normalised(self.cleaned_data["address"])
            except ValidationError as problem:
                raise ValidationError("This is no address.") from problem

        return type("SubscriberForm", (form,), {"clean_address": clean_address})

    def save_model(self, request: HttpRequest, obj: Subscriber, form: Any, change: bool) -> None:
        """Whoever is added by hand has agreed."""
        if not change:
            obj.confirmed_at = timezone.now()
        super().save_model(request, obj, form, change)

    def get_acts(self, request: HttpRequest, obj: Subscriber) -> Sequence[Act]:
        """Confirm, unsubscribe."""
        return (
            Act("confirm", "Confirm", "how_to_reg", _confirm, _may_confirm, weight="primary"),
            Act("unsubscribe", "Unsubscribe", "unsubscribe", _unsubscribe, _may_unsubscribe),
        )

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses and the list's."""
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name="publishing_subscriber_import"), *super().get_urls()]

    def list_links(self, request: HttpRequest) -> list[ListLink]:
        """The way a list comes in."""
        found = super().list_links(request)
        if self.has_add_permission(request):
            url = reverse("admin:publishing_subscriber_import")
            found.insert(0, ListLink("Bring in a list", "upload", url))
        return found

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a list; take it in, and say what it brought."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        posted = request.method == "POST"
        form = ListForm(request.POST, request.FILES) if posted else ListForm()
        if posted and form.is_valid():
            data = form.cleaned_data
            try:
                told = subscribing.import_list(
                    data["channel"], data["text"], agreed=data["agreed"], note=data["note"]
                )
            except Incomplete as problem:
                form.add_error("text", str(problem))
            else:
                level = messages.WARNING if told.bad_in_all else messages.SUCCESS
                messages.add_message(request, level, told.sentence)
                return HttpResponseRedirect(reverse("admin:publishing_subscriber_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Bring in a list",
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "newsdesk/import_subscribers.html", context)


def standing(subscriber: Subscriber) -> tuple[str, str]:
    """Key and words of whether they get letters."""
    if subscriber.unsubscribed_at:
        return "left", "Unsubscribed"
    if subscriber.confirmed_at is None:
        return "waits", "Not confirmed"
    if subscriber.refusals >= MOST_REFUSALS:
        return "refused", "Refused"
    return "active", "Gets letters"


def _text(read: bytes) -> str:
    """A file's text; spreadsheets write UTF-8, or what Windows had before it."""
    try:
        return read.decode("utf-8-sig")
    except UnicodeDecodeError:
        return read.decode("cp1252", "replace")


def _moment(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""


def _may_change(request: HttpRequest) -> bool:
    return request.user.has_perm("publishing.change_subscriber")


def _may_confirm(request: HttpRequest, subscriber: Subscriber) -> bool:
    return _may_change(request) and standing(subscriber)[0] in ("waits", "refused")


def _may_unsubscribe(request: HttpRequest, subscriber: Subscriber) -> bool:
    return _may_change(request) and subscriber.unsubscribed_at is None


def _confirm(_request: HttpRequest, subscriber: Subscriber, _data: Mapping[str, Any]) -> str:
    subscribing.confirm(subscriber.pk)
    return f"{subscriber} gets the letters of {subscriber.channel}."


def _unsubscribe(_request: HttpRequest, subscriber: Subscriber, _data: Mapping[str, Any]) -> str:
    subscribing.unsubscribe(subscriber)
    return f"{subscriber} gets no more letters."
