"""A source: the list, its page, adding one."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from config.admin_csv import InColumns
from config.admin_declared import option_fields, secret_fields
from sources import connectors, timetable
from sources.admin import keeping
from sources.admin.acts import ACTS
from sources.admin.adding import AddingByAddress, found_look
from sources.admin.columns import CSV_COLUMNS, SourceColumns, health_words, label_of
from sources.admin.coverage import Covering
from sources.admin.form import FIELDS, SourceForm
from sources.admin.lists import Listing
from sources.admin.overview import Overview
from sources.admin.runs import RunInline
from sources.connectors.base import LOGIN, Connector
from sources.models import Source

_PLAIN = (
    "name", "api_endpoint", "section", "trust", "is_active", "minutes", "rate_limit_per_minute",
    "unchecked",
)  # fmt: skip


@admin.register(Source)
class SourceAdmin(InColumns, SourceColumns, AddingByAddress, Covering, Listing, Overview):
    """Where copy comes from."""

    form = SourceForm
    list_display = ("headline", "health_badge", "synced", "succeeded", "next_sync", "trouble")
    list_filter = ("connector", "is_active", "section")
    search_fields = ("name", "api_endpoint")
    sortable_by = ("health_badge",)
    list_select_related = ("schedule__interval",)
    deletable = True
    acts = ACTS
    csv_columns = CSV_COLUMNS
    list_hint = "Each source is synced on its own schedule; a change of it holds at once."
    empty_hint = "No source yet. Press “Add source” and paste any address."

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """An address without a scheme is meant to be https."""
        if db_field.name == "api_endpoint":
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    # --- the page ---

    def get_inlines(self, request: HttpRequest, obj: Source | None) -> tuple[type[RunInline], ...]:
        """The last syncs, once there can be any."""
        return (RunInline,) if obj else ()

    def badges(self, request: HttpRequest, obj: Source) -> list[tuple[str, str]]:
        """What it is, and its health."""
        kind, words = health_words(obj)
        colours = {"good": "success", "fair": "warning", "poor": "danger", "off": ""}
        found = [(label_of(obj.connector), "info"), (words, colours[kind])]
        return [*found, *keeping.badges(obj)]

    def get_form(
        self, request: HttpRequest, obj: Source | None = None, change: bool = False, **kwargs: Any
    ) -> type[Any]:
        """With the fields of the source's connector."""
        form = super().get_form(request, obj, change=change, **{**kwargs, "fields": FIELDS})
        adapter = _adapter(request, obj)
        if adapter is None:
            return form
        look = None if obj else found_look(request)
        options = obj.options if obj else look.candidate.options if look else {}
        fields: dict[str, Any] = {
            **option_fields(adapter.options, options),
            **secret_fields(adapter.credentials, obj.credentials.describe() if obj else {}),
            "adapter": adapter,
        }
        return type("SourceForm", (form,), fields)

    def get_fieldsets(self, request: HttpRequest, obj: Source | None = None) -> list[Any]:
        """What it is, how it is reached, how often."""
        adapter = _adapter(request, obj)
        if adapter is None:
            return [(None, {"fields": list(_PLAIN)})]
        plain = [f"option_{each.name}" for each in adapter.options if not each.group]
        secret = [f"secret_{each.name}" for each in adapter.credentials]
        groups: dict[str, list[str]] = {}
        for each in adapter.options:
            if each.group:
                groups.setdefault(each.group, []).append(f"option_{each.name}")
        if LOGIN in groups:  # what to log in with stands beside how
            groups[LOGIN] += secret
            secret = []
        reaching = ["api_endpoint", *plain, *secret, "unchecked"]
        return [
            (None, {"fields": ["name", "section", "trust", "is_active"]}),
            (adapter.label, {"fields": reaching, "description": adapter.help}),
            *((name, {"fields": fields}) for name, fields in groups.items()),
            ("Pace", {"fields": ["minutes", "follows_rhythm", "rate_limit_per_minute"]}),
            ("Keeping", {"fields": ["full_text", "answers_kept"]}),
        ]

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        """Store what reaching it needs, and bring its schedule up to date."""
        if form.adapter is not None:
            obj.connector = form.adapter.key
            obj.options, obj.credentials = form.trial.options, form.trial.credentials
            obj.auth_type = form.trial.auth_type
        if not change:
            super().save_model(request, obj, form, change)
        else:
            # Only what the form knows: a sync may have ended since the page's row was read.
            if form.reaches_anew:  # what the old address answered holds no longer
                obj.etag = obj.last_modified = obj.next_sync_reason = ""
                obj.next_sync_at = None
            obj.save(update_fields=form.columns())
        rhythm = form.cleaned_data["minutes"] if "minutes" in form.changed_data else None
        timetable.keep(obj, rhythm or (None if change else form.initial["minutes"]))
        if form.found is not None:
            self.message_user(request, str(form.found))

    def delete_model(self, request: HttpRequest, obj: Source) -> None:
        """Its schedule goes with it."""
        timetable.drop(obj)
        super().delete_model(request, obj)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Only for a source that never brought anything: the record needs where copy came from."""
        source = self.get_object(request, object_id)
        if source is not None and source.items.exists():
            self.message_user(
                request,
                f"{source} has brought copy, and the record needs to say from where. Switch it "
                "off instead: clear “Active” and save.",
                messages.ERROR,
            )
            return HttpResponseRedirect(self.change_url(source))
        return super().delete_view(request, object_id, extra_context)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """None: a source is deleted on its own page, where its schedule goes with it."""
        return {}


def _adapter(request: HttpRequest, source: Source | None) -> Connector | None:
    key = source.connector if source else request.GET.get("connector", "")
    try:
        return connectors.connector(key)
    except KeyError:
        return None
