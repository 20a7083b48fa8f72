"""Connecting a channel by a visit to its platform, from its page and back to it."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from articles.errors import DeskError
from config.admin_base import Act, DeskAdmin, Done
from publishing import platforms, visiting
from publishing.errors import PlatformError
from publishing.models import Channel
from publishing.platforms.base import Connects

_KEPT = "publishing.visit"


class Visits(DeskAdmin):
    """Mix-in for the page of a channel."""

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses and the one that platforms send people back to."""
        back = path(
            "connected/",
            self.admin_site.admin_view(self.connected_view),
            name="publishing_channel_connected",
        )
        return [back, *super().get_urls()]

    def connected_view(self, request: HttpRequest) -> HttpResponse:
        """A person comes back from the platform. Whatever the answer, the visit is over."""
        if not request.user.has_perm("publishing.change_channel"):
            raise PermissionDenied
        kept = request.session.pop(_KEPT, None)
        if kept is None:
            messages.error(request, "No visit was begun here; open the channel and press Connect.")
            return HttpResponseRedirect(reverse("admin:publishing_channel_changelist"))
        visit = visiting.Visit.of(kept)
        try:
            messages.success(request, visiting.finish(visit, request.GET.dict()))
        except PlatformError as problem:
            messages.error(request, str(problem))
        page = reverse("admin:publishing_channel_change", args=(visit.channel_id,))
        return HttpResponseRedirect(page)


def connect(request: HttpRequest, channel: Channel, _data: Mapping[str, Any]) -> Done:
    """Begin a visit: the person goes to the platform and signs in there."""
    back = request.build_absolute_uri(reverse("admin:publishing_channel_connected"))
    try:
        address, visit = visiting.begin(channel, back)
    except PlatformError as problem:
        raise DeskError(str(problem)) from problem
    request.session[_KEPT] = visit.kept()
    return Done("", address)


def may_connect(request: HttpRequest, channel: Channel) -> bool:
    """Whether the platform is connected by a visit, and this person may change the channel."""
    if not request.user.has_perm("publishing.change_channel"):
        return False
    try:
        return isinstance(platforms.platform(channel.platform), Connects)
    except KeyError:
        return False


CONNECT = Act("connect", "Connect", "link", connect, may_connect, weight="primary")
