"""The console's base classes: the one module that knows django-unfold.

Everything else builds on the names below, so that a new unfold release, or another theme, is a
change of this file. Type checkers see Django's own classes, which unfold's extend.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.contrib.admin.views.main import ChangeList as _DjangoChangeList
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from config.admin_acts import Act, Acting, Done, Offer, ReasonForm, actor, only_by_button
from config.admin_display import age, badge, headline

if TYPE_CHECKING:
    from django.contrib.admin.widgets import AdminSplitDateTime as SplitDateTimeInput
    from django.contrib.admin.widgets import AdminSplitDateTime as StackedDateTimeInput
    from django.contrib.admin.widgets import AdminTextareaWidget as Textarea
    from django.contrib.admin.widgets import AdminTextInputWidget as TextInput
    from django.contrib.admin.widgets import AdminURLFieldWidget as UrlInput
    from django.forms import CheckboxInput as Switch
    from django.forms import CheckboxSelectMultiple as Checkboxes
    from django.forms import FileInput, NumberInput, PasswordInput, Select

    _ModelAdmin = admin.ModelAdmin[Any]
    _TabularInline = admin.TabularInline[Any, Any]
    _StackedInline = admin.StackedInline[Any, Any]
    _ChangeList = _DjangoChangeList
    _Paginator = Paginator[Any]
    _Shown = TypeVar("_Shown", bound=Callable[..., Any])

    def display(
        *,
        description: str | None = None,
        label: bool | str | dict[str, str] | None = None,
        header: bool | None = None,
        boolean: bool | None = None,
        image: bool | None = None,
        dropdown: bool | None = None,
        ordering: str | None = None,
        empty_value: str | None = None,
    ) -> Callable[[_Shown], _Shown]:
        """How a list or page shows what a method answers; `label` makes it a coloured badge."""
else:
    from unfold.admin import ModelAdmin as _ModelAdmin
    from unfold.admin import StackedInline as _StackedInline
    from unfold.admin import TabularInline as _TabularInline
    from unfold.decorators import display
    from unfold.views import ChangeList as _ChangeList
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as Checkboxes
    from unfold.widgets import UnfoldAdminFileFieldWidget as FileInput
    from unfold.widgets import UnfoldAdminIntegerFieldWidget as NumberInput
    from unfold.widgets import UnfoldAdminPasswordWidget as PasswordInput
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminSplitDateTimeVerticalWidget as StackedDateTimeInput
    from unfold.widgets import UnfoldAdminSplitDateTimeWidget as SplitDateTimeInput
    from unfold.widgets import UnfoldAdminTextareaWidget as Textarea
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput
    from unfold.widgets import UnfoldAdminURLInputWidget as UrlInput
    from unfold.widgets import UnfoldBooleanSwitchWidget as Switch

    _Paginator = Paginator

__all__ = [
    "Act", "Acting", "CappedPaginator", "Checkboxes", "DeskAdmin", "DeskStackedInline",
    "DeskTabularInline", "Done", "FileInput", "ListLink", "NumberInput", "Offer", "PasswordInput",
    "ReadOnlyAdmin", "ReasonForm", "Select", "SplitDateTimeInput",
    "StackedDateTimeInput", "Switch", "TabFilter", "TextInput", "Textarea",
    "UrlInput", "actor", "age", "badge", "display", "headline", "only_by_button",
]  # fmt: skip


class CappedPaginator(_Paginator):
    """Counts to `CAP` and no further: an exact count of a million rows costs more than the page.

    Pages beyond the cap aren't offered either (a deep OFFSET is as slow); filters and search
    lead further back.
    """

    CAP = 1000

    @cached_property
    def count(self) -> int:
        """How many rows, `CAP` at most."""
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return rows.order_by()[: self.CAP].count()
        return min(len(rows), self.CAP)


class _AtLeast(int):
    """A capped count: a number to reckon with, “1000+” to read."""

    def __str__(self) -> str:
        return f"{int(self)}+"


class TabFilter(admin.SimpleListFilter):
    """A list's states as tabs above it; the first one is where the list opens.

    Name `title`, `parameter_name` and `tabs`, and filter by `self.tab()` in `queryset`.
    """

    tabs: Sequence[tuple[str, str]] = ()  # value, label
    template = "newsdesk/no_filter.html"  # shown as tabs, so not among the filters again

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """The tabs are the choices."""
        return self.tabs

    def tab(self) -> str:
        """The tab that is open; anything unknown in the address opens the first."""
        value = self.value()
        return value if value in dict(self.tabs) else self.tabs[0][0]

    def as_tabs(self, changes: _DjangoChangeList) -> list[dict[str, Any]]:
        """What the template draws: label, address and whether it is open."""
        return [
            {
                "label": label,
                "url": changes.get_query_string({str(self.parameter_name): value}, ["p"]),
                "open": value == self.tab(),
            }
            for value, label in self.tabs
        ]


class _Counted:
    """A model's options, with the word in which the list's foot counts."""

    def __init__(self, opts: Any, word: str) -> None:
        self._opts = opts
        self.verbose_name_plural = word

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opts, name)


class DeskChangeList(_ChangeList):
    """A list whose rows know which buttons the person at the console may press."""

    model_admin: "DeskAdmin"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if counted_as := self.model_admin.counted_as:
            self.opts: Any = _Counted(self.opts, counted_as)

    def tabs(self) -> list[dict[str, Any]]:
        """The tabs above the list, if it has a `TabFilter`."""
        for spec in self.filter_specs:
            if isinstance(spec, TabFilter):
                return spec.as_tabs(self)
        return []

    def get_results(self, request: HttpRequest) -> None:
        """Fetch the page's rows and their buttons."""
        super().get_results(request)
        if self.result_count >= CappedPaginator.CAP:
            self.result_count = _AtLeast(self.result_count)
        self.full_result_count = self.result_count  # no “Show all” beside the title
        if "row_acts" in self.list_display:
            for row in self.result_list:
                row.row_acts = self.model_admin.row_buttons(request, row)


@dataclass(frozen=True, slots=True)
class ListLink:
    """A way from a list to a page that belongs to it."""

    label: str
    icon: str  # Material symbol's name
    url: str


class DeskAdmin(Acting, _ModelAdmin):
    """Base of every page of the console: bounded queries, nothing deleted, acts as buttons.

    Show the row buttons of acts with `in_rows` by putting `"row_acts"` into `list_display`.
    Set `deletable` where deleting is meant. `list_hint` is what an editor reads above a list;
    `empty_hint` what to do next while it is empty.
    """

    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    paginator = CappedPaginator
    list_per_page = 50
    list_max_show_all = 50
    list_filter_submit = False
    list_fullwidth = True
    compressed_fields = True
    warn_unsaved_form = True
    save_on_top = False
    list_before_template = "newsdesk/before_list.html"
    change_form_outer_before_template = "newsdesk/acts.html"
    deletable = False
    list_hint = ""
    empty_hint = ""
    counted_as = ""  # "21 deliveries", where the page has a name of its own

    def list_links(self, request: HttpRequest) -> list[ListLink]:
        """The ways that stand above the list."""
        return []

    def badges(self, request: HttpRequest, obj: Any) -> list[tuple[str, str]]:
        """What stands beside the act buttons: (text, info/success/warning/danger/primary/"")."""
        return []

    @display(description="")
    def row_acts(self, obj: Any) -> SafeString:
        """The row's buttons, for `list_display`."""
        buttons: SafeString = getattr(obj, "row_acts", SafeString(""))
        return buttons

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[_DjangoChangeList]:
        """The list that knows the rows' buttons."""
        return DeskChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's list, named after what it lists."""
        title = capfirst(str(self.opts.verbose_name_plural))
        extra = {"title": title, "opts": self.opts, "list_links": self.list_links(request)}
        return super().changelist_view(request, extra | (extra_context or {}))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django's change page with the acts that are open to this person."""
        extra_context = dict(extra_context or {})
        obj = self.get_object(request, object_id) if object_id else None
        if obj is not None:
            extra_context |= {
                "offers": self.offers(request, obj),
                "badges": self.badges(request, obj),
            }
        extra_context.setdefault("show_save_and_add_another", False)
        extra_context.setdefault("show_save_and_continue", False)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted unless `deletable` says so: the record needs its subjects."""
        return self.deletable and super().has_delete_permission(request, obj)


class ReadOnlyAdmin(DeskAdmin):
    """For rows that only the desk itself writes; acts may still be offered."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds one by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody edits one by hand."""
        return False


class _DeskInline:
    """Rows inside a page: shown, not edited, unless the inline says otherwise."""

    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class DeskTabularInline(_DeskInline, _TabularInline):
    """A table of rows inside a page, read-only."""


class DeskStackedInline(_DeskInline, _StackedInline):
    """Rows one below the other inside a page, read-only."""
