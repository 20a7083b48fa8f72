"""Threads. https://developers.facebook.com/documentation/threads/posts

A post is a container first, which nobody sees; its number is kept, and publishing it makes the
post. A container says what became of it, so a publication whose answer was lost is never repeated.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from config.outbound import Client
from publishing.compose import short_text, whole_thread
from publishing.counting import Ruler, Unit
from publishing.errors import Reauthorise, Refusal, Unknown, Wait
from publishing.platforms import graph
from publishing.platforms import threads_containers as containers
from publishing.platforms.base import Authorisation, Platform, only_reading
from publishing.platforms.reading import count, lifetime, mapping, member, members, text
from publishing.platforms.threads_containers import NAME
from publishing.post import (
    Capabilities,
    Counts,
    Field,
    Job,
    Once,
    Post,
    Problem,
    Receipt,
    Renewed,
    Seen,
    Texts,
)

_RULER = Ruler(500, Unit.EMOJI_BYTES)  # a link counts as it is written
_FULL = 3600.0  # seconds before asking again when the day's posts are used up
_TOO_YOUNG = timedelta(days=2)
_METRICS = "views,likes,replies,reposts,quotes,shares"
_NO_HOSTS = ("localhost", "local", "internal", "test", "lan", "home", "invalid")


class Threads(Platform):
    """A post per story with its link, or the whole story as a thread."""

    key = "threads"
    label = "Threads"
    help = (
        "On developers.facebook.com, create an app with the use case “Access the Threads API”, and "
        "enter the Threads app's own id and secret here (they are not the Meta app's). Once saved, "
        "this channel's page shows the address to put under “Redirect Callback URLs”; then press "
        "Connect."
    )
    options = (
        Field(
            "form", "Form", "choice", default="post",
            choices=(("post", "One post with a link"), ("thread", "The whole story as a thread")),
        ),
        Field(
            "pictures", "With pictures", "flag", default=True,
            help="Threads fetches them by itself, so their addresses must be reachable from "
            "outside.",
        ),
        Field("version", "API version", default="v1.0"),
        Field("url", "Threads API", "url", default="https://graph.threads.net"),
        Field("login_url", "Login", "url", default="https://threads.net"),
    )  # fmt: skip
    credentials = (
        Field("client_id", "Threads app ID", help="Of your own Meta app."),
        Field("client_secret", "Threads app secret", "secret"),
        Field(
            "token", "Access token", "secret",
            help="Connect fills it in. A long-lived token from the app's User Token Generator can "
            "stand here instead.",
        ),
    )  # fmt: skip
    capabilities = Capabilities(
        once=Once.TWO_PHASE,
        in_words="A container that nobody sees is published; it says itself whether it was.",
        ruler=_RULER,
        form="short text, or the whole story as a thread",
        pictures=containers.MOST_PICTURES,
        alt_text=True,
        access="Free of charge: 250 posts and 1,000 answers in 24 hours. Your own account needs to "
        "be a tester of your Meta app, nothing more. Other people's accounts need App Review and a "
        "verified business: threads_basic, threads_content_publish, threads_manage_replies and "
        "threads_read_replies (threads of several parts, corrections), threads_manage_insights "
        "(views), threads_delete. The token lasts 60 days and is renewed ahead of its end.",
    )

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """Some text, a link that leaves room, and pictures that Threads can fetch."""
        found = []
        if not (post.title or post.summary or post.text):
            found.append(Problem("title", "A post needs some text."))
        if post.url and not _RULER.fits(f"…\n\n{post.url}"):
            found.append(Problem("url", "The link alone is longer than Threads' 500 characters."))
        found += [
            Problem(
                "content",
                f"Threads can't fetch the picture {each['image_url']}: its address must be "
                "reachable from outside. Or switch “With pictures” off for this channel.",
            )
            for each in containers.pictures(post, options)
            if not _is_public(each["image_url"])
        ]
        return found

    def texts(self, post: Post, options: Mapping[str, Any]) -> Texts:
        """What is sent: with the first tag only, as Threads makes one topic of a post's tags.

        https://developers.facebook.com/documentation/threads/posts (Topic tags)
        """
        if options.get("form") == "thread":
            return Texts(tuple(whole_thread(post, _RULER)), _RULER)
        return Texts((short_text(replace(post, tags=post.tags[:1]), _RULER),), _RULER)

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Publish the post, or what is still missing of a thread."""
        texts = self.texts(job.post, job.options).parts
        if not texts:
            raise Refusal("There is nothing to say in this thread.")
        await _must_have_room(job, http, len(texts) - len(job.parts))
        if len(texts) == 1:
            return await containers.once(job, http, 0, texts[0])
        above, first = "", None
        for number, words in enumerate(texts):
            if number < len(job.parts):
                above = job.parts[number]
                continue
            receipt = await containers.once(job, http, number, words, above=above)
            await job.keep_part(receipt.remote_id)
            above, first = receipt.remote_id, first or (receipt if number == 0 else None)
        return first or Receipt(job.parts[0], await containers.permalink(job, http, job.parts[0]))

    async def look_up(self, job: Job, http: Client) -> Receipt | None:
        """Our post, if its container was published. Without a container nothing can be out."""
        texts = self.texts(job.post, job.options).parts
        if len(texts) != 1 or not containers.container_of(job, 0):
            return None  # a thread's first part says nothing of the others
        status = (await containers.standing(job, http, containers.container_of(job, 0))).get(
            "status", "PUBLISHED"
        )
        return await containers.found(job, http, texts[0]) if status == "PUBLISHED" else None

    async def reply(self, job: Job, http: Client) -> Receipt:
        """A post that answers the first one."""
        words = short_text(replace(job.post, tags=()), _RULER)
        plain = replace(job, options={**job.options, "pictures": False})
        return await containers.once(plain, http, 0, words, above=_number(job.remote_id))

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Take the post away; of a thread every part, the last first. At most 100 in 24 hours."""
        for number in reversed(job.parts or (job.remote_id,)):
            with suppress(graph.Missing):
                answer = await containers.ask(job, http, "DELETE", _number(number))
                if mapping(answer, NAME).get("success") is not True:
                    raise Unknown("Threads does not say whether it was deleted.")
        return Receipt(job.remote_id, job.remote_url)

    async def seen(self, job: Job, http: Client) -> Seen:
        """The post as it stands."""
        with only_reading(NAME):
            try:
                there = await containers.ask(
                    job, http, "GET", _number(job.remote_id), params={"fields": "id,text"}
                )
            except graph.Missing:
                return Seen(there=False)
            return Seen(True, text(mapping(there, NAME), "text"))

    async def counts(self, job: Job, http: Client) -> Counts:
        """Views, likes, answers, and what was shared or quoted.

        https://developers.facebook.com/documentation/threads/insights
        """
        path = f"{_number(job.remote_id)}/insights"
        with only_reading(NAME):
            answer = await containers.ask(job, http, "GET", path, params={"metric": _METRICS})
            told = graph.metrics(mapping(answer, NAME))
        shares = [told[name] for name in ("reposts", "quotes", "shares") if name in told]
        return Counts(
            views=told.get("views"), reactions=told.get("likes"), replies=told.get("replies"),
            shares=sum(shares) if shares else None,
        )  # fmt: skip

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """Who the token belongs to."""
        job = Job(Post("", "", ""), options, credentials)
        with only_reading(NAME):
            answer = await containers.ask(job, http, "GET", "me", params={"fields": "id,username"})
            return f"Connected as @{text(mapping(answer, NAME), 'username')}."

    async def renew(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> Renewed:
        """The token for another 60 days. One of less than a day is not renewed yet.

        https://developers.facebook.com/documentation/threads/get-started/long-lived-tokens
        """
        token = str(credentials.get("token") or "")
        if not token:
            raise Reauthorise("This channel is not connected to Threads yet: press Connect.")
        asked = {"grant_type": "th_refresh_token", "access_token": token}
        try:
            return await _long_lived(options, "refresh_access_token", asked, http)
        except Refusal as problem:
            if problem.status is None:  # it could not be asked
                raise
            return Renewed({"token": token}, datetime.now(UTC) + _TOO_YOUNG)

    def authorisation(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any]
    ) -> Authorisation:
        """https://developers.facebook.com/documentation/threads/get-started"""
        login = str(options.get("login_url") or "https://threads.net").rstrip("/")
        return Authorisation(
            f"{login}/oauth/authorize",
            f"{containers.server(options)}/oauth/access_token",
            (
                "threads_basic", "threads_content_publish", "threads_manage_replies",
                "threads_read_replies", "threads_manage_insights", "threads_delete",
            ),
            pkce=False,
            separator=",",
        )  # fmt: skip

    async def connected(
        self, options: Mapping[str, Any], tokens: Mapping[str, Any], http: Client
    ) -> Renewed:
        """A token for 60 days in place of the one for an hour that a visit brings."""
        asked = {
            "grant_type": "th_exchange_token", "client_secret": text(tokens, "client_secret"),
            "access_token": text(tokens, "access_token"),
        }  # fmt: skip
        return await _long_lived(options, "access_token", asked, http)


async def _must_have_room(job: Job, http: Client, posts: int) -> None:
    """Raise `Wait` if the last 24 hours leave no room for so many more: one post, else answers.

    https://developers.facebook.com/documentation/threads/overview (Rate limiting)
    """
    fields = "quota_usage,config,reply_quota_usage,reply_config"
    with only_reading(NAME):
        answer = await containers.ask(
            job, http, "GET", "me/threads_publishing_limit", params={"fields": fields}
        )
        rows = members(mapping(answer, NAME), "data")
    told = rows[0] if rows else {}
    fresh = 0 if job.parts else 1
    for used, limit, wanted in (
        ("quota_usage", "config", fresh), ("reply_quota_usage", "reply_config", posts - fresh),
    ):  # fmt: skip
        most = count(member(told, limit), "quota_total")
        if wanted > 0 and most is not None and (count(told, used) or 0) + wanted > most:
            raise Wait(f"Threads takes {most} a day, and they are used up.", seconds=_FULL)


async def _long_lived(
    options: Mapping[str, Any], path: str, asked: Mapping[str, str], http: Client
) -> Renewed:
    with only_reading(NAME):
        url = f"{containers.server(options)}/{path}"
        body = mapping(await graph.ask(http, "GET", url, "", NAME, params=asked), NAME)
    token, lasts = text(body, "access_token"), lifetime(body, "expires_in")
    if not token or lasts is None:
        raise Wait("Threads' answer holds no token.")
    return Renewed({"token": token}, datetime.now(UTC) + lasts)


def _is_public(address: str) -> bool:
    """Whether an address may be reachable from outside, as far as it can be told by looking."""
    try:
        parsed = urlsplit(address)
        host = (parsed.hostname or "").rstrip(".")
    except ValueError:
        return False
    if parsed.scheme not in ("http", "https") or not host:
        return False
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and host.rpartition(".")[2] not in _NO_HOSTS


def _number(number: str) -> str:
    if not number.isdigit():
        raise Refusal("It is not known which post this is.")
    return number
