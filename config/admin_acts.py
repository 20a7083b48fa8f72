"""Acts as buttons: every change of state in the console is a POST form with its CSRF token.

A `ModelAdmin` that mixes in `Acting` lists its acts; each becomes a real button on the change
page (and in the list's rows, if wanted), posting to `<pk>/act/<name>/`. An act that asks for
something opens a dialog; without JavaScript the same form comes as a page of its own. A GET to
that address is refused, so a prefetched or forged link can't change anything.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from django import forms
from django.contrib import messages
from django.contrib.admin.sites import AdminSite
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
)
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString

from articles.errors import DeskError, Incomplete
from articles.record import Actor, Door

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    _Admin = ModelAdmin[Any]
    _Textarea = forms.Textarea
else:
    from unfold.widgets import UnfoldAdminTextareaWidget as _Textarea

    _Admin = object


class ReasonForm(forms.Form):
    """Asks why; the answer goes on the record."""

    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        widget=_Textarea(attrs={"rows": 3}),
    )


@dataclass(frozen=True, slots=True)
class Done:
    """What an act answers when the person should go on somewhere else."""

    message: str
    url: str


Perform = Callable[[HttpRequest, Any, Mapping[str, Any]], "str | Done"]
"""Does the act: `perform(request, obj, data)`.

`data` holds the form's cleaned values and `version`, the version that the person had before
them (None where the model has none). Returns what the person reads, or `Done`. Refuses by
raising a `DeskError`.
"""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing a person can do to a row."""

    name: str  # in the address, a slug
    label: str  # on the button: a verb
    icon: str  # Material symbol's name
    perform: Perform
    permitted: Callable[[HttpRequest, Any], bool]  # False hides the button and refuses the POST
    form: type[forms.Form] | None = None  # what it asks for; takes (data, initial=…)
    asks_reason: bool = False  # short for `form=ReasonForm`
    weight: Literal["primary", "plain", "danger"] = "plain"
    hint: str = ""  # a sentence in the dialog: what will happen
    in_rows: bool = False  # a small button in the list, too

    @property
    def asks(self) -> type[forms.Form] | None:
        """The form to fill in first, if any. A hint alone makes an empty form: just a question."""
        if self.form or not (self.asks_reason or self.hint):
            return self.form
        return ReasonForm if self.asks_reason else forms.Form


@dataclass(frozen=True, slots=True)
class Offer:
    """An act as offered on one row's page."""

    act: Act
    url: str
    form: forms.Form | None
    version: int | None


def actor(request: HttpRequest) -> Actor:
    """The person at the console."""
    if not request.user.is_authenticated:
        raise PermissionDenied
    return Actor(request.user, Door.ADMIN)


class Acting(_Admin):
    """Mix-in for a `ModelAdmin` with act buttons."""

    acts: Sequence[Act] = ()

    def get_acts(self, request: HttpRequest, obj: Any) -> Sequence[Act]:
        """The acts of this row, in the order of their buttons, permitted or not."""
        return self.acts

    def get_act_initial(self, request: HttpRequest, obj: Any, act: Act) -> dict[str, Any]:
        """What an act's form starts with."""
        return {}

    def open_acts(self, request: HttpRequest, obj: Any) -> list[Act]:
        """The acts this person may do to this row now."""
        return [act for act in self.get_acts(request, obj) if act.permitted(request, obj)]

    def act_url(self, obj: Model, act: Act) -> str:
        """Where an act's button posts to."""
        return reverse(
            f"admin:{self.opts.app_label}_{self.opts.model_name}_act", args=(obj.pk, act.name)
        )

    def change_url(self, obj: Model) -> str:
        """A row's own page."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=(obj.pk,))

    def offers(self, request: HttpRequest, obj: Any) -> list[Offer]:
        """The act buttons of a row's page."""
        return [
            Offer(
                act=act,
                url=self.act_url(obj, act),
                form=_form(self, request, obj, act) if act.asks else None,
                version=getattr(obj, "version", None),
            )
            for act in self.open_acts(request, obj)
        ]

    def row_buttons(self, request: HttpRequest, obj: Any) -> SafeString:
        """The small buttons of a row in the list.

        The list is a form of its own, and forms don't nest: these belong to the form `row-act`
        that stands above the list.
        """
        offers = [
            Offer(act, self.act_url(obj, act), None, getattr(obj, "version", None))
            for act in self.open_acts(request, obj)
            if act.in_rows
        ]
        return render_to_string("newsdesk/row_acts.html", {"offers": offers, "object": obj})

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses and the acts'."""
        act = path(
            "<path:object_id>/act/<slug:name>/",
            self.admin_site.admin_view(self.act_view),
            name=f"{self.opts.app_label}_{self.opts.model_name}_act",
        )
        return [act, *super().get_urls()]

    def act_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Do an act, or ask for what it needs. POST only."""
        if request.method != "POST":
            name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
            return only_by_button(self.admin_site, request, reverse(name, args=(object_id,)))
        obj, act = self._act_or_404(request, object_id, name)
        if not act.permitted(request, obj):
            messages.error(request, f"“{act.label}” is not open to you here, or not any more.")
            return HttpResponseRedirect(self._way_back(request, obj))
        form = _form(self, request, obj, act, request.POST) if act.asks else None
        if form is not None and not ("confirmed" in request.POST and form.is_valid()):
            if "confirmed" not in request.POST:
                form = _form(self, request, obj, act)
            return self._ask(request, obj, act, form)
        data = {"version": _version(request), **(form.cleaned_data if form else {})}
        try:
            answer = act.perform(request, obj, data)
        except DeskError as refusal:
            if form is None or not form.fields:
                messages.error(request, str(refusal))
                return HttpResponseRedirect(self._way_back(request, obj))
            _explain(form, refusal)
            return self._ask(request, obj, act, form)
        return self._go_on(request, obj, answer)

    def _go_on(self, request: HttpRequest, obj: Any, answer: "str | Done") -> HttpResponse:
        message, url = (
            (answer.message, answer.url)
            if isinstance(answer, Done)
            else (answer, self._way_back(request, obj))
        )
        if message:
            messages.success(request, message)
        return HttpResponseRedirect(url)

    def _act_or_404(self, request: HttpRequest, object_id: str, name: str) -> tuple[Any, Act]:
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404(f"There is no such {self.opts.verbose_name} any more.")
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        for act in self.get_acts(request, obj):
            if act.name == name:
                return obj, act
        raise Http404(f"A {self.opts.verbose_name} has no act “{name}”.")

    def _ask(
        self, request: HttpRequest, obj: Any, act: Act, form: forms.Form | None
    ) -> TemplateResponse:
        return TemplateResponse(
            request,
            "newsdesk/act.html",
            {
                **self.admin_site.each_context(request),
                "title": act.label,
                "subtitle": str(obj),
                "opts": self.opts,
                "object": obj,
                "act": act,
                "form": form,
                "version": request.POST.get("version", ""),
                "next": request.POST.get("next", ""),
                "back": self._way_back(request, obj),
                "media": self.media + form.media if form else self.media,
            },
        )

    def _way_back(self, request: HttpRequest, obj: Any) -> str:
        wanted = request.POST.get("next", "")
        if wanted and url_has_allowed_host_and_scheme(wanted, {request.get_host()}):
            return wanted
        return self.change_url(obj)


def only_by_button(site: AdminSite, request: HttpRequest, back: str) -> HttpResponse:
    """The answer to a GET where only a POST does something: 405, and the way `back`.

    People come here by signing in again after their session had ended under a button.
    """
    shown = {**site.each_context(request), "title": "Nothing was done", "back": back}
    answer = TemplateResponse(request, "newsdesk/only_by_button.html", shown, status=405)
    answer["Allow"] = "POST"
    return answer


def _form(
    admin: Acting, request: HttpRequest, obj: Any, act: Act, data: Any = None
) -> forms.Form | None:
    if act.asks is None:
        return None
    return act.asks(data, initial=admin.get_act_initial(request, obj, act))


def _version(request: HttpRequest) -> int | None:
    version = request.POST.get("version", "")
    return int(version) if version.isdecimal() and len(version) < 10 else None


def _explain(form: forms.Form, refusal: DeskError) -> None:
    """Put a refusal where the person looks: at its field, or above the form."""
    if isinstance(refusal, Incomplete):
        for name, problem in refusal.problems.items():
            form.add_error(name if name in form.fields else None, problem)
    else:
        form.add_error(None, str(refusal))
