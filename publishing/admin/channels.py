"""The channels: connecting, testing, pausing."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from articles.errors import DeskError
from config.admin_base import Act, Switch, age, display, headline
from config.admin_declared import given, kept, option_fields, secret_fields
from config.bell import ring
from publishing import connecting, planning, platforms
from publishing.admin.channel_page import ChannelPage
from publishing.admin.standing import never_connected
from publishing.admin.visits import CONNECT, Visits, may_connect
from publishing.errors import PlatformError
from publishing.feeds.entries import opened
from publishing.models import Channel
from publishing.platforms.base import Connects, Platform

if TYPE_CHECKING:
    _ChannelModelForm = forms.ModelForm[Channel]
else:
    _ChannelModelForm = forms.ModelForm


_PACE = ("rate_limit_per_minute", "lateness_minutes", "when_late", "catch_up_minutes")
_WEEK = ("slots", "quiet_hours", "time_zone", "duplicate_days")
_LINK = ("link", "utm_source", "utm_medium", "utm_campaign")
_PLAIN = ("name", "is_active", *_PACE, *_WEEK, *_LINK)
_COLOURS = {
    "on": "success",
    "paused": "danger",
    "waits": "warning",
    "off": "",
    "unconnected": "warning",
}
_WORTH_SAYING = timedelta(minutes=1)  # shorter waits are everyday pace


class ChannelForm(_ChannelModelForm):
    """A channel with the fields that its platform declares."""

    adapter: Platform | None = None
    tested: connecting.Tested | None = None
    unchecked = forms.BooleanField(
        label="Save without checking",
        required=False,
        widget=Switch,
        help_text="For a desk without a way out. Otherwise the connection is tested on saving.",
    )

    class Meta:
        model = Channel
        fields = _PLAIN

    def clean(self) -> dict[str, Any]:
        """Test the connection when anything about it has changed."""
        cleaned = super().clean() or {}
        if self.adapter is None or self.errors:
            return cleaned
        before = {} if self.instance.pk is None else self.instance.credentials.reveal()
        self.instance.options = given(cleaned, "option_")
        self.credentials = kept(before, given(cleaned, "secret_"))
        if isinstance(self.adapter, Connects) and self.instance.renewed_at is None:
            return cleaned  # there is no token before the first visit
        if self.connection_changed and not cleaned.get("unchecked"):
            try:
                self.tested = connecting.tried(
                    self.adapter.key, self.instance.options, self.credentials
                )
            except PlatformError as problem:
                self.add_error(None, f"The connection does not work. {problem}")
        return cleaned

    @property
    def connection_changed(self) -> bool:
        """Whether it is another connection than before, or the first."""
        return self.instance.pk is None or any(
            name.startswith(("option_", "secret_")) for name in self.changed_data
        )


@admin.register(Channel)
class ChannelAdmin(ChannelPage, Visits):
    """Our accounts on platforms."""

    class Media:
        css: ClassVar = {"all": ["newsdesk/queue.css"]}

    form = ChannelForm
    list_display = ("headline", "state_badge", "last_out", "trouble")
    search_fields = ("name",)
    sortable_by = ()
    list_hint = "A channel is our account on a platform. Stories are queued to channels."
    empty_hint = "No channel yet. Press “Add channel” and connect the first one."

    @display(description="Channel")
    def headline(self, channel: Channel) -> SafeString:
        """Its name, and what it is on."""
        return headline(channel.name, _label(channel.platform))

    @display(description="State", label=_COLOURS)
    def state_badge(self, channel: Channel) -> tuple[str, str]:
        """Whether anything goes out."""
        return _state(channel)

    @display(description="Last went out")
    def last_out(self, channel: Channel) -> SafeString:
        """The last success."""
        return age(channel.last_success)

    @display(description="Trouble")
    def trouble(self, channel: Channel) -> str:
        """Why it is paused, or what failed last."""
        return channel.paused_reason or channel.last_error or "–"

    def badges(self, request: HttpRequest, obj: Channel) -> list[tuple[str, str]]:
        """Platform, and whether anything goes out."""
        kind, words = _state(obj)
        return [(_label(obj.platform), "info"), (words, _COLOURS[kind])]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """First the platform, then its form."""
        if (
            self.has_add_permission(request)
            and request.GET.get("platform") not in platforms.table()
        ):
            return TemplateResponse(
                request,
                "newsdesk/choose.html",
                {
                    **self.admin_site.each_context(request),
                    "title": "Which platform?",
                    "hint": "Choose where the account is; the next page asks for what it needs.",
                    "opts": self.opts,
                    "parameter": "platform",
                    "groups": _groups(),
                },
            )
        return super().add_view(request, form_url, extra_context)

    def get_form(
        self, request: HttpRequest, obj: Channel | None = None, change: bool = False, **kwargs: Any
    ) -> type[Any]:
        """With the fields of the channel's platform."""
        form = super().get_form(request, obj, change=change, **{**kwargs, "fields": _PLAIN})
        adapter = _adapter(request, obj)
        if adapter is None:
            return form
        stored = obj.options if obj else {}
        described = obj.credentials.describe() if obj else {}
        fields: dict[str, Any] = {
            **option_fields(adapter.options, stored),
            **secret_fields(adapter.credentials, described),
            "adapter": adapter,
        }
        return type("ChannelForm", (form,), fields)

    def get_fieldsets(self, request: HttpRequest, obj: Channel | None = None) -> list[Any]:
        """The connection first, then pace and lateness."""
        adapter = _adapter(request, obj)
        if adapter is None:
            return [(None, {"fields": list(_PLAIN)})]
        connection = [f"option_{each.name}" for each in adapter.options]
        connection += [f"secret_{each.name}" for each in adapter.credentials]
        once = f"Once only: {adapter.capabilities.in_words}"
        # A channel that is there already says so on its card.
        access = f"Access: {adapter.capabilities.access}" if adapter.capabilities.access else ""
        words = [each for each in (adapter.help, "" if obj else access, once) if each]
        return [
            (None, {"fields": ["name", "is_active"]}),
            (
                f"Connection to {adapter.label}",
                {
                    "fields": [*connection, "unchecked"],
                    "description": format_html_join(
                        "", "<p>{}</p>", ([each] for each in words if each)
                    ),
                },
            ),
            ("Pace", {"fields": list(_PACE)}),
            ("Week", {"fields": list(_WEEK)}),
            ("Link", {"fields": list(_LINK), "description": _link_words()}),
        ]

    def save_model(self, request: HttpRequest, obj: Channel, form: Any, change: bool) -> None:
        """Store what the connection needs; a new connection ends a pause by the desk."""
        if form.adapter is not None:
            obj.platform = form.adapter.key
            obj.credentials = form.credentials
            if form.connection_changed:
                connecting.keep(obj, form.tested)
            if not form.cleaned_data.get("unchecked") and form.connection_changed:
                obj.paused_reason = ""
                obj.waits_until = None
        super().save_model(request, obj, form, change)
        if form.adapter is not None and form.adapter.on_our_pages:
            opened(obj)
        if {"slots", "quiet_hours", "time_zone"} & set(form.changed_data):
            planning.replan(obj)
            ring("publishing.drain")

    def response_add(
        self, request: HttpRequest, obj: Channel, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Where there is more to do or to see, it goes on at its page: Connect, or addresses."""
        answer = super().response_add(request, obj, post_url_continue)
        adapter = _adapter(request, obj)
        ours = adapter is not None and adapter.on_our_pages
        if answer.status_code == 302 and (ours or may_connect(request, obj)):
            page = reverse("admin:publishing_channel_change", args=(obj.pk,))
            return HttpResponseRedirect(page)
        return answer

    def get_acts(self, request: HttpRequest, obj: Channel) -> Sequence[Act]:
        """Test, pause, resume."""
        return (
            CONNECT,
            Act("test", "Test connection", "cable", _test, _may_change, weight="primary"),
            Act("pause", "Pause", "pause", _pause, _may_pause, asks_reason=True),
            Act("resume", "Resume", "play_arrow", _resume, _may_resume),
        )


def _groups() -> list[dict[str, Any]]:
    """The platforms as they are offered: those that anybody can use, then those with a gate."""
    every = list(platforms.platforms().values())
    gated = [each for each in every if isinstance(each, Connects)]
    return [
        {
            "title": "Ready at once",
            "hint": "An account of your own, or nothing at all, is enough.",
            "choices": [each for each in every if each not in gated],
        },
        {
            "title": "With an application of your own",
            "hint": "These companies let programs in on terms of their own. Each card says what "
            "access costs and needs.",
            "choices": gated,
            "wide": True,
        },
    ]


def _link_words() -> str:
    if settings.STORY_URL:
        return f"Our public page is {settings.STORY_URL}"
    return "The desk knows of no public page of its own: the setting STORY_URL is empty."


def _adapter(request: HttpRequest, channel: Channel | None) -> Platform | None:
    key = channel.platform if channel else request.GET.get("platform", "")
    try:
        return platforms.platform(key)
    except KeyError:
        return None


def _label(platform: str) -> str:
    try:
        return platforms.platform(platform).label
    except KeyError:
        return f"{platform} (not installed)"


def _state(channel: Channel) -> tuple[str, str]:
    if not channel.is_active:
        return "off", "Off"
    if channel.paused_reason:
        return "paused", "Paused"
    if channel.waits_until and channel.waits_until > timezone.now() + _WORTH_SAYING:
        return "waits", f"Waits until {timezone.localtime(channel.waits_until):%H:%M}"
    if never_connected(channel):
        return "unconnected", "Not connected"
    return "on", "On"


def _may_change(request: HttpRequest, _channel: Channel) -> bool:
    return request.user.has_perm("publishing.change_channel")


def _may_pause(request: HttpRequest, channel: Channel) -> bool:
    return _may_change(request, channel) and not channel.paused_reason


def _may_resume(request: HttpRequest, channel: Channel) -> bool:
    return _may_change(request, channel) and _state(channel)[0] in ("paused", "waits")


def _test(_request: HttpRequest, channel: Channel, _data: Mapping[str, Any]) -> str:
    try:
        tested = connecting.tried(channel.platform, channel.options, channel.credentials.reveal())
    except PlatformError as problem:
        raise DeskError(str(problem)) from problem
    connecting.keep(channel, tested)
    return tested.words


def _pause(_request: HttpRequest, channel: Channel, data: Mapping[str, Any]) -> str:
    channel.paused_reason = f"Paused by hand: {data['reason']}"[:500]
    channel.save(update_fields=["paused_reason"])
    return f"{channel} is paused; its deliveries wait."


def _resume(_request: HttpRequest, channel: Channel, _data: Mapping[str, Any]) -> str:
    channel.paused_reason = ""
    channel.waits_until = None
    channel.save(update_fields=["paused_reason", "waits_until"])
    ring("publishing.drain")
    return f"{channel} goes on."
