"""Threads' containers: what comes before a post, and says itself what became of it.

`status` is IN_PROGRESS, FINISHED, PUBLISHED, ERROR, or EXPIRED after 24 hours.
https://developers.facebook.com/documentation/threads/troubleshooting
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from config.outbound import Client, Response
from publishing.errors import PlatformError, Reauthorise, Refusal, Unknown, Wait
from publishing.platforms import graph
from publishing.platforms.base import only_reading
from publishing.platforms.reading import letters, mapping, member, members, text
from publishing.post import Job, Post, Receipt

NAME = "Threads"
MOST_PICTURES = 10  # of the 20 that Threads takes
_ALT = 1000
_ON_A_PAGE = 50
_BEGINNING = 1_688_540_400  # Threads' lists take no earlier `since`
_CLOCKS = timedelta(minutes=5)  # by which Threads' clock and ours may differ
_LOOKS, _BETWEEN_LOOKS = 8, 2.0  # at a container that Threads is still working on


async def once(job: Job, http: Client, place: int, words: str, *, above: str = "") -> Receipt:
    """Publish one post, by the container that an earlier attempt has kept, or a new one."""
    container = container_of(job, place)
    if container:
        there = await standing(job, http, container)
        status = text(there, "status")
        if status == "PUBLISHED" or (not status and job.again):
            # A container that can't be read may be a post by now.
            if (post := await found(job, http, words, above=above)) is not None:
                return post
            raise Unknown("Threads may have published it, but does not list it yet.")
        if not status or status == "EXPIRED":
            container = ""  # surely never published
    if not container:
        container = await _made(job, http, words, above, first=place == 0)
        await job.keep_draft(f"{place}/{container}")
    await _until_finished(job, http, container)
    return await _published(job, http, container)


async def found(job: Job, http: Client, words: str, *, above: str = "") -> Receipt | None:
    """Our post of these words since the delivery was queued; `above` which it answers."""
    since = max(_BEGINNING, int((job.made_at - _CLOCKS).timestamp()))
    path, fields = "me/threads", "id,text,permalink"
    if above:
        path, fields = "me/replies", "id,text,permalink,replied_to"
    params = {"fields": fields, "since": since, "limit": _ON_A_PAGE}
    with only_reading(NAME):
        answer = await ask(job, http, "GET", path, params=params)
        posts = members(mapping(answer, NAME), "data")
    wanted = letters(words)
    for each in posts:
        if above and text(member(each, "replied_to"), "id") != above:
            continue
        if letters(text(each, "text")) == wanted and text(each, "id").isdigit():
            return Receipt(text(each, "id"), text(each, "permalink"), "look_up", answer.status)
    return None


async def standing(job: Job, http: Client, container: str) -> dict[str, Any]:
    """What a container says of itself; empty where there is none any more."""
    params = {"fields": "status,error_message"}
    with only_reading(NAME):
        try:
            return mapping(await ask(job, http, "GET", container, params=params), NAME)
        except Refusal:  # a published one may have no such field (exileum/meta-mcp#143)
            return {}


async def permalink(job: Job, http: Client, number: str) -> str:
    """Where people read it; "" if that can't be had now, for it is out all the same."""
    try:
        with only_reading(NAME):
            answer = await ask(job, http, "GET", number, params={"fields": "id,permalink"})
            return text(mapping(answer, NAME), "permalink")
    except PlatformError:
        return ""


async def ask(job: Job, http: Client, method: str, path: str, **more: Any) -> Response:
    """Threads' answer, as the channel's account. Raises as `graph.read` does."""
    token = str(job.credentials.get("token") or "")
    if not token:
        raise Reauthorise("This channel is not connected to Threads yet: press Connect.")
    version = str(job.options.get("version") or "v1.0")
    url = f"{server(job.options)}/{version}/{path}"
    return await graph.ask(http, method, url, token, NAME, **more)


def container_of(job: Job, place: int) -> str:
    """The container that an earlier attempt has kept for this part; "" for none."""
    part, _, number = job.draft_id.partition("/")
    return number if part == str(place) and number.isdigit() else ""


def pictures(post: Post, options: Mapping[str, Any]) -> list[dict[str, str]]:
    """What makes a container one with a picture, for each of the story's that go along."""
    return [
        {"media_type": "IMAGE", "image_url": each.src, "alt_text": each.alt[:_ALT]}
        for each in (post.pictures[:MOST_PICTURES] if options.get("pictures", True) else ())
    ]


def server(options: Mapping[str, Any]) -> str:
    """Where the API is."""
    return str(options.get("url") or "https://graph.threads.net").rstrip("/")


async def _made(job: Job, http: Client, words: str, above: str, *, first: bool) -> str:
    """The number of the container for one post; of several pictures each has one of its own first.

    https://developers.facebook.com/documentation/threads/posts/carousel
    """
    form = {"media_type": "TEXT", "text": words}
    shown = pictures(job.post, job.options) if first else []
    if len(shown) == 1:
        form |= shown[0]
    elif shown:
        items = [await _container(job, http, each | {"is_carousel_item": "true"}) for each in shown]
        for item in items:
            await _until_finished(job, http, item)
        form |= {"media_type": "CAROUSEL", "children": ",".join(items)}
    if above:
        form["reply_to_id"] = above
    return await _container(job, http, form)


async def _container(job: Job, http: Client, form: Mapping[str, str]) -> str:
    """The number of a new container; one that is lost on the way back is seen by nobody."""
    with only_reading(NAME):
        answer = await ask(job, http, "POST", "me/threads", form=form)
        number = text(mapping(answer, NAME), "id")
    if not number.isdigit():
        raise Wait("Threads' answer names no container.", status=answer.status)
    return number


async def _until_finished(job: Job, http: Client, container: str) -> None:
    """Wait until a container can be published: text at once, a picture within seconds."""
    for look in range(_LOOKS):
        there = await standing(job, http, container)
        match text(there, "status"):
            case "FINISHED":
                return
            case "ERROR":
                why = text(there, "error_message") or "it does not say why"
                raise Refusal(f"Threads could not prepare the post: {why[:300]}")
        if look + 1 < _LOOKS:
            await asyncio.sleep(_BETWEEN_LOOKS)
    raise Wait("Threads is still preparing the post.", seconds=30)


async def _published(job: Job, http: Client, container: str) -> Receipt:
    try:
        answer = await ask(job, http, "POST", "me/threads_publish", form={"creation_id": container})
    except graph.Missing as problem:
        # Threads is now and then not done although it says FINISHED (fbsamples/threads_api#70).
        words = "Threads does not find the post that it has prepared yet."
        raise Wait(words, seconds=15, status=problem.status, excerpt=problem.excerpt) from problem
    number = text(mapping(answer, NAME), "id")
    if not number.isdigit():
        raise Unknown("Threads' answer names no post.", status=answer.status)
    return Receipt(
        number, await permalink(job, http, number), http_status=answer.status,
        request_id=graph.request_id(answer),
    )  # fmt: skip
