"""Publishing a story: how it will read on every channel, what is in its way, and when it goes.

The story's page leads here with one click; with the channels of last time ticked, the second one
publishes. Before approval the same page is the dry run: previews and problems, no buttons.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from articles.errors import DeskError, Incomplete, WrongState
from articles.lifecycle import Right
from articles.models import Article, Revision
from articles.reading import copy_as_html
from config.admin_base import ReadOnlyAdmin, actor
from publishing import queue
from publishing.admin import standing
from publishing.dry_run import Trial, dry_run
from publishing.models import Channel, Delivery

MOST = 24  # channels with a preview on one page


class PublishingPage(ReadOnlyAdmin):
    """Mix-in for the queue's pages."""

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses and the one where stories are published."""
        page = path(
            "publish/<int:story_id>/",
            self.admin_site.admin_view(self.publishing_view),
            name="publishing_delivery_publish",
        )
        return [page, *super().get_urls()]

    def publishing_view(self, request: HttpRequest, story_id: int) -> HttpResponse:
        """The page; a POST queues the story."""
        story = Article.objects.stories().filter(pk=story_id).first()
        if story is None:
            raise Http404("There is no such story.")
        if not (self.has_view_permission(request) and request.user.has_perm("articles.view_story")):
            raise PermissionDenied
        refusal = ""
        if request.method == "POST":
            try:
                messages.success(request, _publish(request, story))
            except DeskError as problem:
                refusal = str(problem)
            else:
                return HttpResponseRedirect(f"{_story_url(story)}#deliveries")
        context = {
            **self.admin_site.each_context(request),
            **_shown(request, story),
            "title": "Publish" if request.user.has_perm(Right.QUEUE) else "How it reads",
            "opts": self.opts,
            "story": story,
            "refusal": refusal,
            "story_url": _story_url(story),
            "typed": request.POST,
        }
        return TemplateResponse(request, "newsdesk/publish.html", context)


def address(story_id: int) -> str:
    """Where a story is published."""
    return reverse("admin:publishing_delivery_publish", args=(story_id,))


def _publish(request: HttpRequest, story: Article) -> str:
    """Queue what was ticked; what became of each channel, in words, or a `DeskError`."""
    by, posted = actor(request), request.POST
    by.must(Right.QUEUE, "queue stories")
    if str(queue.publishable(story).pk) != posted.get("revision"):
        raise WrongState("The text was changed meanwhile. Look at the previews again.")
    at, in_slots = _when(posted), posted.get("when") == "slot"
    ids = _ids(posted)
    results = queue.enqueue(
        story.pk, ids, by, at=at, next_slot=in_slots,
        confirm_duplicates="confirm_duplicates" in posted,
        seen={pk: posted[f"seen-{pk}"] for pk in ids if posted.get(f"seen-{pk}")},
    )  # fmt: skip
    refused = [each.problem for each in results if not each.delivery]
    queued = [(each.channel, each.delivery) for each in results if each.delivery]
    if not queued:
        raise WrongState(" ".join(refused))
    if in_slots:
        words = ", ".join(f"{to} ({_moment(each.scheduled_at)})" for to, each in queued)
    else:
        words = ", ".join(str(to) for to, _ in queued)
        words += f", for {_moment(at)}" if at else ", now"
    waiting = [each.error_message for _, each in queued if each.next_attempt_at]
    return " ".join([f"Queued to {words}.", *waiting, *refused])


def _moment(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%d %b %Y, %H:%M}"


def _when(posted: QueryDict) -> datetime | None:
    if posted.get("when") != "at":
        return None
    try:
        at: datetime = forms.SplitDateTimeField().clean(
            [posted.get("scheduled_at_0", ""), posted.get("scheduled_at_1", "")]
        )
    except forms.ValidationError:
        raise Incomplete({"scheduled_at": "Enter the date and the time to publish at."}) from None
    return at


def _shown(request: HttpRequest, story: Article) -> dict[str, Any]:
    """What the page shows. Six queries, whatever the number of channels."""
    try:
        revision: Revision | None = queue.publishable(story)
        publishable = True
    except WrongState:
        revision, publishable = story.current_revision, False
    now = timezone.now()
    channels = list(
        Channel.objects.filter(is_active=True).order_by("name").defer("credentials")[: MOST + 1]
    )
    trials = dry_run(story, revision, channels[:MOST], now) if revision else []
    may_queue = publishable and request.user.has_perm(Right.QUEUE)
    ticked = _ticked(request, trials) if may_queue else set()
    content = revision.content if revision else ""
    return {
        "cards": [_card(each, each.channel.pk in ticked, may_queue) for each in trials],
        "planned": any(each.next_slot for each in trials),
        "duplicates": any(each.duplicate for each in trials),
        "troubled": sum(1 for each in trials if each.problems),
        "too_many": len(channels) > MOST,
        "most": MOST,
        "revision": revision,
        "publishable": publishable,
        "may_queue": may_queue,
        "embargo": story.embargo_until
        if story.embargo_until and story.embargo_until > now
        else None,
        "content": copy_as_html(content),
    }


def _card(trial: Trial, ticked: bool, may_queue: bool) -> dict[str, Any]:
    channel = trial.channel
    there = trial.there
    return {
        "trial": trial,
        "ticked": ticked and trial.possible and not trial.duplicate,
        "open": may_queue and trial.possible,
        "paused": standing.kept_back(channel, timezone.now()),
        "there": standing.sentence(there) if there is not None else "",
        "there_url": reverse("admin:publishing_delivery_change", args=(there.pk,)) if there else "",
    }


def _ticked(request: HttpRequest, trials: list[Trial]) -> set[int]:
    """What was ticked before a refusal, else this person's last choice, else the only one."""
    if request.method == "POST":
        return set(_ids(request.POST))
    mine = Delivery.objects.filter(created_by_id=request.user.pk, act=Delivery.Acts.PUBLISH)
    last = mine.order_by("-pk").values_list("article_id", flat=True).first()
    if last is not None:
        return set(mine.filter(article_id=last).values_list("channel_id", flat=True))
    possible = [each.channel.pk for each in trials if each.possible]
    return set(possible) if len(possible) == 1 else set()


def _ids(posted: Mapping[str, Any] | QueryDict) -> list[int]:
    chosen = posted.getlist("channels") if isinstance(posted, QueryDict) else []
    return [int(each) for each in chosen[:200] if each.isdecimal() and len(each) < 15]


def _story_url(story: Article) -> str:
    return reverse("admin:articles_story_change", args=(story.pk,))
