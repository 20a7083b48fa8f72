"""LinkedIn, as a member or an organisation.

https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api

LinkedIn takes no key, but refuses a text that stands there already: 422 DUPLICATE_POST, which names
the post. It has been seen to name posts that aren't there (ComposioHQ/composio#2710), so the post
is read before it is believed. What we may not read (a member's posts, mostly) a person looks at.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from config.outbound import Client, Response
from publishing.compose import Short, short
from publishing.counting import Ruler
from publishing.errors import Reauthorise, Refusal, Unknown, Wait
from publishing.platforms import little_text
from publishing.platforms.base import Authorisation, Platform, only_reading
from publishing.platforms.linkedin_api import (
    NAME,
    VERSION,
    ask,
    not_renewed,
    read,
    role,
    tokens_of,
    uploaded,
)
from publishing.platforms.reading import complaint, count, letters, mapping, member, members, text
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
from publishing.shortening import shortened

_RULER = Ruler(3000)
_CARD_TITLE, _CARD_WORDS, _ALT = Ruler(400), Ruler(4086), 4086
_PICTURES = 9  # LinkedIn takes twenty
_ON_A_PAGE = 50
_CLOCKS = timedelta(minutes=5)  # by which LinkedIn's clock and ours may differ
_POST = re.compile(r"urn:li:(?:share|ugcPost):\d+")


class LinkedIn(Platform):
    """A post per story: title, summary and tags, with its link as a card or with its pictures."""

    key = "linkedin"
    label = "LinkedIn"
    help = (
        "On developer.linkedin.com, create an app with the products named under Access, and enter "
        "its client id and secret here. Once saved, this channel's page shows the address to put "
        "under “Authorized redirect URLs”; then press Connect."
    )
    options = (
        Field(
            "organization", "Organisation's number",
            help="From the address of its admin page: linkedin.com/company/12345/admin. Empty: "
            "posts go out in the name of the person who connects.",
        ),
        Field("pictures", "With pictures", "flag", default=True, help="Instead of a link card."),
        Field(
            "version", "API version", default=VERSION,
            help="A month as YYYYMM. LinkedIn drops each after about a year and then answers 426: "
            "enter a newer one here.",
        ),
        Field("url", "LinkedIn API", "url", default="https://api.linkedin.com"),
        Field("login_url", "Login", "url", default="https://www.linkedin.com"),
    )  # fmt: skip
    credentials = (
        Field("client_id", "Client ID", help="Of your own LinkedIn app."),
        Field("client_secret", "Client secret", "secret"),
    )
    capabilities = Capabilities(
        once=Once.LOOK_UP,
        in_words="The author's own posts are searched, where LinkedIn lets us read them; and it "
        "refuses a text that stands there already, naming the post, which is then read.",
        ruler=_RULER,
        pictures=_PICTURES,
        alt_text=True,
        access="Free of charge. For yourself: the products “Share on LinkedIn” (w_member_social) "
        "and “Sign In with LinkedIn using OpenID Connect” (openid, profile), given at once. No new "
        "application may read a member's posts (r_member_social), so a lost answer needs a "
        "person's look. For an organisation: “Community Management API”, after a review of your "
        "registered business, in an app of its own (w_organization_social, r_organization_social, "
        "rw_organization_admin). The token lasts 60 days; only approved partners can renew it, "
        "everybody else connects anew before its end.",
    )

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """Some text, and an organisation's number that is one."""
        found = []
        if not (post.title or post.summary or post.text):
            found.append(Problem("title", "A post needs some text."))
        named = str(options.get("organization") or "")
        if named and not _organization(options):
            found.append(Problem("organization", f"“{named}” is no organisation's number."))
        return found

    def texts(self, post: Post, options: Mapping[str, Any]) -> Texts:
        """Title, summary and tags. With a card the link stands in that, and not in the text."""
        return Texts((_short(post, options).text,), _RULER)

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Post it, with its pictures or its card."""
        author = _author(job)
        share = {
            "author": author,
            "commentary": _little(_short(job.post, job.options)),
            "visibility": "PUBLIC",
            "distribution": {
                "feedDistribution": "MAIN_FEED", "targetEntities": [],
                "thirdPartyDistributionChannels": [],
            },
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": False,
        }  # fmt: skip
        if content := await _content(job, http, author):
            share["content"] = content
        answer = await ask(job, http, "POST", "/rest/posts", json=share)
        if answer.status == 422 and "DUPLICATE_POST" in answer.text():
            return await self._twin(job, http, answer)
        read(answer, job)
        urn = answer.headers.get("x-restli-id") or answer.headers.get("x-linkedin-id") or ""
        if not _POST.fullmatch(urn):
            raise Unknown("LinkedIn took the post, but does not say which it is.",
                          status=answer.status, excerpt=answer.text()[:1000])  # fmt: skip
        return _receipt(urn, "answer", answer)

    async def look_up(self, job: Job, http: Client) -> Receipt | None:
        """A post of our words since the delivery was queued, among the author's latest fifty.

        Raises `Refusal` where LinkedIn doesn't let us read the author's posts: a person looks then.
        """
        params = {"author": _author(job), "q": "author", "count": _ON_A_PAGE, "sortBy": "CREATED"}
        with only_reading(NAME):
            answer = await ask(
                job, http, "GET", "/rest/posts", params=params,
                headers={"X-RestLi-Method": "FINDER"},
            )  # fmt: skip
            if answer.status in (400, 403):
                raise Refusal(
                    "LinkedIn lets us post in this name, but not read its posts.",
                    status=answer.status, excerpt=answer.text(),
                )  # fmt: skip
            posts = members(mapping(read(answer, job), NAME), "elements")
        for each in posts:
            if _is_ours(job, each) and _POST.fullmatch(text(each, "id")):
                return _receipt(text(each, "id"), "look_up", answer)
        return None

    async def edit(self, job: Job, http: Client) -> Receipt:
        """Give the post new words. Its card and its pictures stay."""
        words = _little(_short(job.post, job.options))
        answer = await ask(
            job, http, "POST", f"/rest/posts/{_quoted(job)}",
            json={"patch": {"$set": {"commentary": words}}},
            headers={"X-RestLi-Method": "PARTIAL_UPDATE"},
        )  # fmt: skip
        return _receipt(job.remote_id, "answer", read(answer, job))

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Take the post away. LinkedIn answers a repetition with success, too."""
        answer = await ask(
            job,
            http,
            "DELETE",
            f"/rest/posts/{_quoted(job)}",
            headers={"X-RestLi-Method": "DELETE"},
        )
        if answer.status != 404:
            read(answer, job)
        return Receipt(job.remote_id, job.remote_url, http_status=answer.status)

    async def seen(self, job: Job, http: Client) -> Seen:
        """The post as it stands."""
        there = await _post(job, http, _quoted(job))
        return Seen(bool(there), little_text.plain(text(there, "commentary")))

    async def counts(self, job: Job, http: Client) -> Counts:
        """Reactions and comments; of an organisation's post views and shares as well.

        https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/social-metadata-api
        """
        with only_reading(NAME):
            answer = await ask(job, http, "GET", f"/rest/socialMetadata/{_quoted(job)}")
            if answer.status == 403:
                return Counts()
            told = mapping(read(answer, job), NAME)
        kinds = member(told, "reactionSummaries")
        reactions = sum(count(member(kinds, kind), "count") or 0 for kind in kinds)
        views, shares = await _statistics(job, http)
        return Counts(views, reactions, count(member(told, "commentSummary"), "count"), shares)

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """Who is connected, and that they may post for the organisation."""
        job = Job(Post("", "", ""), options, credentials)
        with only_reading(NAME):
            if organization := _organization(options):
                return await role(job, http, organization)
            body = mapping(read(await ask(job, http, "GET", "/v2/userinfo"), job), NAME)
        return f"Connected as {text(body, 'name')}."

    async def renew(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> Renewed:
        """A new token, where LinkedIn gave a refresh token with the first one: to partners only.

        https://learn.microsoft.com/en-us/linkedin/shared/authentication/programmatic-refresh-tokens
        """
        refresh = str(credentials.get("refresh_token") or "")
        if not refresh:
            raise not_renewed(credentials)
        form = {
            "grant_type": "refresh_token", "refresh_token": refresh,
            "client_id": str(credentials.get("client_id") or ""),
            "client_secret": str(credentials.get("client_secret") or ""),
        }  # fmt: skip
        with only_reading(NAME):
            answer = await http.post(f"{_login(options)}/oauth/v2/accessToken", form=form)
            if answer.status in (400, 401):
                raise not_renewed(credentials)
            body = mapping(read(answer, Job(Post("", "", ""), options, credentials)), NAME)
        return tokens_of(body)

    def authorisation(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any]
    ) -> Authorisation:
        """https://learn.microsoft.com/en-us/linkedin/shared/authentication/authorization-code-flow"""
        scopes: tuple[str, ...] = ("openid", "profile", "w_member_social")
        if _organization(options):
            scopes = ("w_organization_social", "r_organization_social", "rw_organization_admin")
        where = f"{_login(options)}/oauth/v2"
        return Authorisation(f"{where}/authorization", f"{where}/accessToken", scopes, pkce=False)

    async def connected(
        self, options: Mapping[str, Any], tokens: Mapping[str, Any], http: Client
    ) -> Renewed:
        """The token, and in whose name it posts."""
        renewed = tokens_of(tokens)
        job = Job(Post("", "", ""), options, renewed.credentials)
        if organization := _organization(options):
            with only_reading(NAME):
                await role(job, http, organization)
            return renewed
        with only_reading(NAME):
            body = mapping(read(await ask(job, http, "GET", "/v2/userinfo"), job), NAME)
        if not text(body, "sub"):
            raise Refusal("LinkedIn does not say who has signed in.")
        author = f"urn:li:person:{text(body, 'sub')}"
        return replace(renewed, credentials={**renewed.credentials, "author": author})

    async def _twin(self, job: Job, http: Client, answer: Response) -> Receipt:
        """The post that LinkedIn takes ours for a repetition of, if it is ours."""
        about: dict[str, Any] = {"status": answer.status, "excerpt": answer.text()[:1000]}
        named = _POST.search(text(complaint(answer), "message") or answer.text())
        if named is None:
            raise Unknown("LinkedIn has such a post already, but does not say which.", **about)
        urn = named.group()
        try:
            there = await _post(job, http, quote(urn, safe=""))
        except Reauthorise as problem:
            words = f"LinkedIn has it already, it says, but lets us not read it: {_address(urn)}"
            raise Unknown(words, **about) from problem
        if not there:
            raise Refusal(
                "LinkedIn takes it for a repetition of a post that isn't there any more. It "
                "forgets within two days; change the text, or queue it again then.",
                **about,
            )
        if not _is_ours(job, there):
            raise Refusal(f"LinkedIn has a post of this text already: {_address(urn)}", **about)
        return _receipt(urn, "look_up", answer)


async def _content(job: Job, http: Client, author: str) -> dict[str, Any]:
    """The pictures, else a card of the link; empty for neither."""
    pictures = job.post.pictures[:_PICTURES]
    with only_reading(NAME):
        if pictures and job.options.get("pictures", True):
            images = [
                {"id": await uploaded(job, http, each, author), "altText": each.alt[:_ALT]}
                for each in pictures
            ]
            return {"media": images[0]} if len(images) == 1 else {"multiImage": {"images": images}}
        if not job.post.url:
            return {}
        card = {
            "source": job.post.url,
            "title": shortened(job.post.title, _CARD_TITLE),
            "description": shortened(job.post.summary, _CARD_WORDS),
        }
        if pictures:
            with suppress(Refusal, Wait, Unknown):  # a card is a card without its picture, too
                card["thumbnail"] = await uploaded(job, http, pictures[0], author)
    return {"article": {name: value for name, value in card.items() if value}}


async def _post(job: Job, http: Client, quoted: str) -> dict[str, Any]:
    """A post; empty where there is none."""
    with only_reading(NAME):
        answer = await ask(job, http, "GET", f"/rest/posts/{quoted}")
        return {} if answer.status == 404 else mapping(read(answer, job), NAME)


async def _statistics(job: Job, http: Client) -> tuple[int | None, int | None]:
    """Views and shares of an organisation's post.

    https://learn.microsoft.com/en-us/linkedin/marketing/community-management/organizations/share-statistics
    """
    organization = _organization(job.options)
    if not organization:
        return None, None
    kind = "shares" if ":share:" in job.remote_id else "ugcPosts"
    path = (
        "/rest/organizationalEntityShareStatistics?q=organizationalEntity"
        f"&organizationalEntity={quote(organization, safe='')}&{kind}=List({_quoted(job)})"
    )
    with only_reading(NAME):
        answer = await ask(job, http, "GET", path)
        if answer.status == 403:
            return None, None
        rows = members(mapping(read(answer, job), NAME), "elements")
    told = member(rows[0], "totalShareStatistics") if rows else {}
    return count(told, "impressionCount"), count(told, "shareCount")


def _is_ours(job: Job, there: Mapping[str, Any]) -> bool:
    """Whether a post has our words and is younger than the delivery."""
    made = count(there, "createdAt") or count(there, "publishedAt") or 0  # milliseconds
    if made / 1000 < (job.made_at - _CLOCKS).timestamp():
        return False
    words = letters(_short(job.post, job.options).text)
    return letters(little_text.plain(text(there, "commentary"))) == words


def _short(post: Post, options: Mapping[str, Any]) -> Short:
    """The text in its pieces, short enough to fit with all its escapes."""
    card = not (post.pictures and options.get("pictures", True))
    post = replace(post, url="") if card else post
    made = short(post, _RULER)
    over = len(_little(made)) - _RULER.limit
    return short(post, _RULER.less(over)) if over > 0 else made


def _little(made: Short) -> str:
    """The text as LinkedIn wants it, its tags as tags."""
    pieces = [little_text.escaped(each) for each in (made.title, made.body, made.link)]
    pieces.append(" ".join(map(little_text.hashtag, made.tags)))
    return "\n\n".join(filter(None, pieces))


def _author(job: Job) -> str:
    """In whose name it goes out."""
    author = _organization(job.options) or str(job.credentials.get("author") or "")
    if not author:
        raise Reauthorise("It is not known in whose name to post: press Connect.")
    return author


def _organization(options: Mapping[str, Any]) -> str:
    """The organisation's URN; "" for none."""
    number = str(options.get("organization") or "").removeprefix("urn:li:organization:").strip()
    return f"urn:li:organization:{number}" if number.isascii() and number.isdigit() else ""


def _quoted(job: Job) -> str:
    if not _POST.fullmatch(job.remote_id):
        raise Refusal("It is not known which post this is.")
    return quote(job.remote_id, safe="")


def _receipt(urn: str, confirmed_by: str, answer: Response) -> Receipt:
    return Receipt(
        urn, _address(urn), confirmed_by, answer.status,
        request_id=answer.headers.get("x-li-uuid", "")[:200],
    )  # fmt: skip


def _address(urn: str) -> str:
    return f"https://www.linkedin.com/feed/update/{urn}/"


def _login(options: Mapping[str, Any]) -> str:
    return str(options.get("login_url") or "https://www.linkedin.com").rstrip("/")
