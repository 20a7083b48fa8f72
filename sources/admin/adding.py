"""Adding a source: paste an address, look at what it would bring, save.

What was found waits in the cache under a token that only its finder can use, so that the page
with the form asks nobody: a reload costs the source nothing.
"""

import secrets
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.http import urlencode

from config import bell
from config.admin_base import DeskAdmin, TextInput
from sources import connectors
from sources import detect as detecting
from sources import preview as previewing
from sources.detect import Candidate, Detected
from sources.errors import SourceError
from sources.models import Source
from sources.naming import free_name
from sources.preview import Preview

_KEPT = 60 * 60  # seconds that what was found waits for the form


class AddressForm(forms.Form):
    """One field for everything."""

    address = forms.CharField(
        label="Address",
        max_length=2000,
        widget=TextInput(
            attrs={
                "autofocus": True, "autocomplete": "off", "spellcheck": "false",
                "inputmode": "url", "placeholder": "https://",
            }
        ),
        error_messages={"required": "Paste the address of a page, a feed or an interface."},
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """What was found at a pasted address, and a look at the chosen one of its candidates."""

    typed: str
    detected: Detected
    chosen: int
    preview: Preview | None
    trouble: str = ""  # why there is no preview

    @property
    def candidate(self) -> Candidate:
        """The chosen one."""
        return self.detected.candidates[self.chosen]


class AddingByAddress(DeskAdmin):
    """Mix-in for the pages before a source is stored."""

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The field for an address; behind it the form, filled with what was found there."""
        if not self.has_add_permission(request):
            return super().add_view(request, form_url, extra_context)  # refuses
        if request.GET.get("connector") in connectors.table():
            return self._form_page(request, form_url, extra_context)
        if "by_hand" in request.GET:
            return self._kinds(request)
        if request.method == "POST":
            return self._pasted(request)
        return self._ask_address(request, AddressForm())

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new source starts as it was found, or at its service's usual address."""
        look = found_look(request)
        if look is None:
            adapter = connectors.connectors().get(request.GET.get("connector", ""))
            return {"api_endpoint": adapter.endpoint} if adapter else {}
        own = look.preview.title if look.preview else ""
        initial = {
            "api_endpoint": look.candidate.endpoint,
            "name": free_name(look.candidate.name or own),
            "section": _usual_section(look.candidate.endpoint),
        }
        return initial | ({"minutes": look.preview.minutes} if look.preview else {})

    def response_add(
        self, request: HttpRequest, obj: Source, post_url_continue: str | None = None
    ) -> HttpResponse:
        """On to the source's own page, which shows its first sync; that starts now."""
        super().response_add(request, obj, post_url_continue)
        if obj.is_active:
            transaction.on_commit(lambda: bell.ring("sources.sync", obj.pk))
        return HttpResponseRedirect(self.change_url(obj))

    def _form_page(
        self, request: HttpRequest, form_url: str, extra_context: dict[str, Any] | None
    ) -> HttpResponse:
        look = found_look(request)
        if look is not None and "choice" in request.POST:
            return self._chosen(request, look)
        extra = {**(extra_context or {}), "look": look, "title": "Add source"}
        return super().add_view(request, form_url, extra)

    def _pasted(self, request: HttpRequest) -> HttpResponse:
        form = AddressForm(request.POST)
        if not form.is_valid():
            return self._ask_address(request, form)
        typed = form.cleaned_data["address"]
        try:
            detected = detecting.detect(typed)
        except SourceError as problem:
            form.add_error("address", str(problem))
            return self._ask_address(request, form)
        return self._keep(request, Look(typed, detected, 0, None))

    def _chosen(self, request: HttpRequest, look: Look) -> HttpResponse:
        """Another candidate of the same look."""
        choice = request.POST["choice"]
        known = choice.isdecimal() and int(choice) < len(look.detected.candidates)
        return self._keep(request, replace(look, chosen=int(choice) if known else 0))

    def _keep(self, request: HttpRequest, look: Look) -> HttpResponse:
        """Look at the chosen candidate, remember it, and go to its form."""
        candidate = look.candidate
        trial = Source(
            connector=candidate.connector,
            api_endpoint=candidate.endpoint,
            options=dict(candidate.options),
        )
        try:
            look = replace(look, preview=previewing.preview(trial, ask_robots=True), trouble="")
        except SourceError as problem:
            look = replace(look, preview=None, trouble=str(problem))
        token = secrets.token_urlsafe(16)
        cache.set(_key(request, token), look, _KEPT)
        query = urlencode({"connector": candidate.connector, "look": token})
        return HttpResponseRedirect(f"{request.path}?{query}")

    def _ask_address(self, request: HttpRequest, form: AddressForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Add source",
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "newsdesk/add_source.html", context)

    def _kinds(self, request: HttpRequest) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "What kind of source?",
            "opts": self.opts,
            "parameter": "connector",
            "groups": [{"choices": list(connectors.connectors().values())}],
        }
        return TemplateResponse(request, "newsdesk/choose.html", context)


def found_look(request: HttpRequest) -> Look | None:
    """What this person found before and now fills the form with, if it is of this connector."""
    token = request.GET.get("look", "")
    if not token or len(token) > 50:
        return None
    look = cache.get(_key(request, token))
    fits = isinstance(look, Look) and look.candidate.connector == request.GET.get("connector")
    return look if fits else None


def _key(request: HttpRequest, token: str) -> str:
    return f"source-look:{request.user.pk}:{token}"


def _usual_section(endpoint: str) -> str:
    """The section of the other sources from this host, if they have the same one."""
    host = urlsplit(endpoint).netloc
    there = Source.objects.filter(api_endpoint__contains=f"//{host}")
    sections = set(there.values_list("section", flat=True)[:50])
    return sections.pop() if host and len(sections) == 1 else ""
