"""A Facebook Page. https://developers.facebook.com/documentation/pages-api/posts

A post is made unpublished first (`published=false`) and its number kept; then it is flipped public
(`is_published=true`, https://developers.facebook.com/docs/graph-api/reference/pagepost#updating),
which may be repeated. Only a post that nobody sees can be left over by a lost answer.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from config.outbound import Client, Response
from publishing.compose import short_text
from publishing.counting import Ruler, Unit
from publishing.document import Picture
from publishing.errors import PlatformError, Reauthorise, Refusal, Unknown, Wait
from publishing.platforms import graph
from publishing.platforms.base import Authorisation, Platform, only_reading
from publishing.platforms.pictures import MIB, as_form, fetched
from publishing.platforms.reading import count, letters, mapping, member, members, text
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

_RULER = Ruler(63_206, Unit.UTF16)  # the longest post that Facebook takes
_PICTURES, _LARGEST_PICTURE, _ALT = 10, 10 * MIB, 1000
_DUPLICATE = 506  # “Duplicate posts cannot be published consecutively”
_ON_A_PAGE = 50
_CLOCKS = timedelta(minutes=5)  # by which Facebook's clock and ours may differ
_VIEWS = "post_media_view"  # since 15 November 2025 in place of post_impressions
_NAME = "Facebook"


class FacebookPage(Platform):
    """A post per story on a page: with its link as a card, or with its pictures."""

    key = "facebook_page"
    label = "Facebook Page"
    help = (
        "On developers.facebook.com, create an app of the kind Business with the use case "
        "“Manage everything on your Page”, and enter its id and secret here. Once saved, its page "
        "shows the address to put under “Facebook Login for Business, Valid OAuth Redirect URIs”; "
        "then press Connect and choose the page there."
    )
    options = (
        Field(
            "page_id", "Page's number", required=True,
            help="On the page: About, Page transparency.",
        ),
        Field("pictures", "With pictures", "flag", default=True, help="Instead of a link card."),
        Field(
            "version", "API version", default="v25.0",
            help="Meta keeps each for about two years; its changelog says until when.",
        ),
        Field("url", "Graph API", "url", default="https://graph.facebook.com"),
        Field("login_url", "Login", "url", default="https://www.facebook.com"),
    )  # fmt: skip
    credentials = (
        Field("client_id", "App ID", help="Of your own Meta app."),
        Field("client_secret", "App secret", "secret"),
        Field(
            "token", "Page access token", "secret",
            help="Connect fills it in. A system user's page token can stand here instead.",
        ),
    )  # fmt: skip
    capabilities = Capabilities(
        once=Once.TWO_PHASE,
        in_words="An unpublished post, then a flip to public that may be repeated. Facebook "
        "refuses the same text twice running (506); the page is searched for it then.",
        ruler=_RULER,
        pictures=_PICTURES,
        alt_text=True,
        access="Free of charge. For a page that a member of your Meta app manages, standard access "
        "is enough. For other people's pages Meta asks for App Review and a verified business: "
        "pages_show_list, pages_manage_posts, pages_read_engagement and, for views, read_insights. "
        "Posts of an app in development mode are seen by the app's own people only.",
    )

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """A post needs words or a link, and the channel a page."""
        found = []
        if not (post.title or post.summary or post.text or post.url):
            found.append(Problem("title", "A post needs some text or a link."))
        if not str(options.get("page_id", "")).isdigit():
            found.append(Problem("page_id", "The channel needs the page's number: digits only."))
        return found

    def texts(self, post: Post, options: Mapping[str, Any]) -> Texts:
        """Title, summary and hashtags. The link goes along as a card, which says the rest."""
        return Texts((_words(post, options),), _RULER)

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Make the unpublished post, keep its number, flip it public."""
        draft = job.draft_id
        if draft:
            if (found := await self.look_up(job, http)) is not None:
                return found
            if not await _post(job, http, draft):  # somebody has taken the unpublished post away
                draft = ""
        try:
            if not draft:
                draft = await _draft(job, http)
                await job.keep_draft(draft)
            return await _flip(job, http, draft)
        except Refusal as problem:
            if graph.code_of(problem) != _DUPLICATE:
                raise
            found = await _found(job, http)
            if found is None:
                words = "Facebook takes the same text only once running, and it stands there."
                raise Refusal(words, status=problem.status, excerpt=problem.excerpt) from problem
            return found

    async def look_up(self, job: Job, http: Client) -> Receipt | None:
        """Our post, if it is public: by the number of its draft, else by its words on the page.

        Without a draft nothing of this delivery can be public.
        """
        if not job.draft_id:
            return None
        there = await _post(job, http, job.draft_id)
        if there.get("is_published") is True:
            return _receipt(there, job.draft_id, "look_up")
        return None if there else await _found(job, http)

    async def edit(self, job: Job, http: Client) -> Receipt:
        """Give the post new words. Its link and its pictures stay: Facebook changes only words."""
        form = {"message": _words(job.post, job.options)}
        answer = await _ask(job, http, "POST", _number(job), form=form)
        _must_say_success(answer)
        return Receipt(
            job.remote_id, job.remote_url, http_status=answer.status,
            request_id=graph.request_id(answer),
        )  # fmt: skip

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Take the post away."""
        with suppress(graph.Missing):
            _must_say_success(await _ask(job, http, "DELETE", _number(job)))
        return Receipt(job.remote_id, job.remote_url)

    async def seen(self, job: Job, http: Client) -> Seen:
        """The post as it stands."""
        there = await _post(job, http, _number(job))
        return Seen(there.get("is_published") is True, text(there, "message"))

    async def counts(self, job: Job, http: Client) -> Counts:
        """Reactions, comments and shares; views where the token may read insights."""
        fields = (
            "shares,reactions.limit(0).summary(total_count),comments.limit(0).summary(total_count)"
        )
        with only_reading(_NAME):
            body = mapping(
                await _ask(job, http, "GET", _number(job), params={"fields": fields}), _NAME
            )
        return Counts(
            views=await _views(job, http),
            reactions=graph.total(body, "reactions"),
            replies=graph.total(body, "comments"),
            shares=count(member(body, "shares"), "count") or 0,  # left out while there is none
        )

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """Which page the token belongs to, and whether it is the channel's."""
        job = Job(Post("", "", ""), options, credentials)
        with only_reading(_NAME):
            page = mapping(await _ask(job, http, "GET", "me", params={"fields": "id,name"}), _NAME)
        if text(page, "id") != str(options.get("page_id")):
            raise Reauthorise(
                f"The token is that of “{text(page, 'name')}” ({text(page, 'id')}), not of the "
                f"page {options.get('page_id')}. Connect the channel anew."
            )
        return f"Connected to “{text(page, 'name')}”."

    def authorisation(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any]
    ) -> Authorisation:
        """Facebook Login.

        https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow
        """
        login = str(options.get("login_url") or "https://www.facebook.com").rstrip("/")
        return Authorisation(
            f"{login}/{_version(options)}/dialog/oauth",
            f"{_api(options)}/oauth/access_token",
            (
                "pages_show_list", "pages_manage_posts", "pages_read_engagement", "read_insights",
            ),
            pkce=False,
            separator=",",
        )  # fmt: skip

    async def connected(
        self, options: Mapping[str, Any], tokens: Mapping[str, Any], http: Client
    ) -> Renewed:
        """The page's own token, by way of a long-lived one of the person who signed in.

        Such a page token has no end.
        https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived
        """
        asked = {
            "grant_type": "fb_exchange_token", "client_id": text(tokens, "client_id"),
            "client_secret": text(tokens, "client_secret"),
            "fb_exchange_token": text(tokens, "access_token"),
        }  # fmt: skip
        url = f"{_api(options)}/oauth/access_token"
        with only_reading(_NAME):
            answer = await graph.ask(http, "GET", url, "", _NAME, params=asked)
            person = text(mapping(answer, _NAME), "access_token")
            pages = await _pages(options, person, http)
        wanted = str(options.get("page_id", ""))
        for page in pages:
            if text(page, "id") == wanted and text(page, "access_token"):
                return Renewed({"token": page["access_token"]})
        named = ", ".join(f"{text(each, 'name')} ({text(each, 'id')})" for each in pages)
        raise Refusal(
            f"The page {wanted} is not among those that you let us into: {named or 'none'}. "
            "Enter one's number in “Page's number”, save, and connect again."
        )


async def _draft(job: Job, http: Client) -> str:
    """The number of an unpublished post; one that is lost on the way back is seen by nobody."""
    form = {"message": _words(job.post, job.options), "published": "false"}
    with only_reading(_NAME):
        photos = [await _photo(job, http, each) for each in _pictures(job)]
        for place, photo in enumerate(photos):
            form[f"attached_media[{place}]"] = json.dumps({"media_fbid": photo})
        if job.post.url and not photos:
            form["link"] = job.post.url
        answer = await _ask(job, http, "POST", f"{_page(job)}/feed", form=form)
        number = text(mapping(answer, _NAME), "id")
    if not _looks_like_one(number):
        raise Wait("Facebook's answer names no post.", status=answer.status)
    return number


async def _photo(job: Job, http: Client, picture: Picture) -> str:
    """The number of a photo that no post shows yet."""
    file = await fetched(picture, http, max_bytes=_LARGEST_PICTURE)
    fields = {"published": "false", "alt_text_custom": picture.alt[:_ALT]}
    body, kind = as_form(file, part="source", **fields)
    answer = await _ask(
        job, http, "POST", f"{_page(job)}/photos", content=body, headers={"Content-Type": kind}
    )
    number = text(mapping(answer, _NAME), "id")
    if not number.isdigit():
        raise Wait("Facebook's answer names no photo.", status=answer.status)
    return number


async def _flip(job: Job, http: Client, draft: str) -> Receipt:
    """Make the unpublished post public. Repeating it changes nothing."""
    answer = await _ask(job, http, "POST", draft, form={"is_published": "true"})
    _must_say_success(answer)
    try:
        there = await _post(job, http, draft)
    except PlatformError:  # it is out; only its address is not known
        there = {}
    receipt = _receipt(there, draft, "answer")
    return replace(receipt, http_status=answer.status, request_id=graph.request_id(answer))


async def _post(job: Job, http: Client, number: str) -> dict[str, Any]:
    """A post of the page, published or not; empty where there is none."""
    params = {"fields": "id,message,created_time,is_published,permalink_url"}
    with only_reading(_NAME):
        try:
            return mapping(await _ask(job, http, "GET", number, params=params), _NAME)
        except graph.Missing:
            return {}


async def _found(job: Job, http: Client) -> Receipt | None:
    """A post of our words that is younger than the delivery, among the page's latest fifty."""
    wanted = letters(_words(job.post, job.options))
    params = {"fields": "id,message,created_time,permalink_url", "limit": _ON_A_PAGE}
    with only_reading(_NAME):
        answer = await _ask(job, http, "GET", f"{_page(job)}/published_posts", params=params)
        posts = members(mapping(answer, _NAME), "data")
    for each in posts:
        made = graph.moment(text(each, "created_time"))
        if made is None or made < job.made_at - _CLOCKS:
            continue
        if letters(text(each, "message")) == wanted:
            return _receipt(each, text(each, "id"), "look_up")
    return None


async def _views(job: Job, http: Client) -> int | None:
    """None without read_insights. https://developers.facebook.com/docs/graph-api/reference/insights"""
    try:
        with only_reading(_NAME):
            answer = await _ask(
                job, http, "GET", f"{_number(job)}/insights", params={"metric": _VIEWS}
            )
            return graph.metrics(mapping(answer, _NAME)).get(_VIEWS)
    except (Refusal, Reauthorise):
        return None


async def _pages(options: Mapping[str, Any], person: str, http: Client) -> list[dict[str, Any]]:
    """The pages that a person manages, with a token for each; those of the first hundred."""
    params = {"fields": "id,name,access_token", "limit": 100}
    url = f"{_api(options)}/me/accounts"
    answer = await graph.ask(http, "GET", url, person, _NAME, params=params)
    return members(mapping(answer, _NAME), "data")


async def _ask(job: Job, http: Client, method: str, path: str, **more: Any) -> Response:
    token = str(job.credentials.get("token") or "")
    if not token:
        raise Reauthorise("This channel is not connected to Facebook yet: press Connect.")
    url = f"{_api(job.options)}/{path}"
    return await graph.ask(http, method, url, token, _NAME, **more)


def _must_say_success(answer: Response) -> None:
    if mapping(answer, _NAME).get("success") is not True:
        raise Unknown(
            "Facebook does not say whether it was done.",
            status=answer.status,
            excerpt=answer.text()[:1000],
        )


def _receipt(there: Mapping[str, Any], number: str, confirmed_by: str) -> Receipt:
    where = text(there, "permalink_url") or f"https://www.facebook.com/{number}"
    return Receipt(number, where, confirmed_by)


def _words(post: Post, options: Mapping[str, Any]) -> str:
    """The text: the link stands in it only where there is no card to hold it."""
    card = not (post.pictures and options.get("pictures", True))
    return short_text(replace(post, url="") if card else post, _RULER)


def _pictures(job: Job) -> tuple[Picture, ...]:
    return job.post.pictures[:_PICTURES] if job.options.get("pictures", True) else ()


def _page(job: Job) -> str:
    number = str(job.options.get("page_id", ""))
    if not number.isdigit():
        raise Refusal("The channel needs the page's number: digits only.")
    return number


def _number(job: Job) -> str:
    if not _looks_like_one(job.remote_id):
        raise Refusal("It is not known which post this is.")
    return job.remote_id


def _looks_like_one(number: str) -> bool:
    """Whether this is a post's number: the page's and its own, or its own alone."""
    return bool(number) and all(part.isdigit() for part in number.split("_"))


def _api(options: Mapping[str, Any]) -> str:
    where = str(options.get("url") or "https://graph.facebook.com").rstrip("/")
    return f"{where}/{_version(options)}"


def _version(options: Mapping[str, Any]) -> str:
    return str(options.get("version") or "v25.0")
