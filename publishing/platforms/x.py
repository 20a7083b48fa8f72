"""X, as one account. https://docs.x.com/x-api/posts/create-post

X takes no key. A text that the account has posted lately is refused as a duplicate, without naming
the post; so the account's own posts are searched, each of which is a read that X charges for.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from config.outbound import Client, Response
from publishing.compose import short_text, whole_thread
from publishing.counting import Ruler, Unit
from publishing.document import Picture
from publishing.errors import Reauthorise, Refusal, Undecidable, Unknown, Wait
from publishing.platforms.base import Authorisation, Platform, only_reading
from publishing.platforms.pictures import MIB, as_form, fetched
from publishing.platforms.reading import count, letters, lifetime, mapping, member, members, text
from publishing.platforms.x_api import NAME, ask, basic, expanded, is_duplicate, read, read_token
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

_RULER = Ruler(
    280, Unit.WEIGHTED, url_counts=23
)  # https://docs.x.com/fundamentals/counting-characters
_LONG_RULER = Ruler(25_000, Unit.WEIGHTED, url_counts=23)  # for subscribers of X Premium
_PICTURES, _LARGEST_PICTURE, _ALT = 4, 5 * MIB, 1000
_ON_A_PAGE = 100
_CLOCKS = timedelta(minutes=5)  # by which X's clock and ours may differ
_TWO_HOURS = timedelta(hours=2)
_SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")
_FIELDS = "created_at,entities,note_tweet,referenced_tweets"


class X(Platform):
    """A post per story with its link, or the whole story as a thread."""

    key = "x"
    label = "X"
    help = (
        "On console.x.com, create an app, switch on user authentication with “Read and write” and "
        "the kind “Web App”, and enter the OAuth 2.0 client id and secret here. Once saved, this "
        "channel's page shows the callback address to enter there; then press Connect with the "
        "account that is to post."
    )
    options = (
        Field(
            "form", "Form", "choice", default="post",
            choices=(("post", "One post with a link"), ("thread", "The whole story as a thread")),
        ),
        Field("pictures", "With pictures", "flag", default=True),
        Field(
            "premium", "The account has X Premium", "flag", default=False,
            help="Posts may then have 25,000 characters.",
        ),
        Field("url", "X API", "url", default="https://api.x.com"),
        Field("login_url", "Login", "url", default="https://x.com"),
    )  # fmt: skip
    credentials = (
        Field("client_id", "OAuth 2.0 client ID", required=True),
        Field("client_secret", "OAuth 2.0 client secret", "secret"),
    )
    capabilities = Capabilities(
        once=Once.LOOK_UP,
        in_words="The account's own posts since then are searched for ours, which X charges as "
        "reads. X refuses a text that it had lately, too, but doesn't say where.",
        ruler=_RULER,
        form="short text, or the whole story as a thread",
        pictures=_PICTURES,
        alt_text=True,
        access="Paid: since February 2026 new developers pay for each call (posts, and reads for "
        "look-ups, counts and reading back) from credits bought ahead; without credits X answers "
        "402 and the channel is paused. A post with a link costs more than one without.",
    )

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """Some text."""
        if post.title or post.summary or post.text:
            return []
        return [Problem("title", "A post needs some text.")]

    def texts(self, post: Post, options: Mapping[str, Any]) -> Texts:
        """One post, or the parts of a thread."""
        ruler = _ruler(options)
        if options.get("form") == "thread":
            return Texts(tuple(whole_thread(post, ruler)), ruler)
        return Texts((short_text(post, ruler),), ruler)

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Post it; of a thread what isn't out yet, part after part."""
        above, first = "", None
        for number, words in enumerate(self.texts(job.post, job.options).parts):
            if number < len(job.parts):
                above = job.parts[number]
                first = first or _receipt(job, above, "answer")
                continue
            # A thread's look-up says nothing of its parts, so each is searched for on its turn.
            found = await self._found(job, http, words, above) if _is_thread(job) else None
            receipt = found or await self._post(job, http, words, above, pictures=number == 0)
            if _is_thread(job):
                await job.keep_part(receipt.remote_id)
            above, first = receipt.remote_id, first or receipt
        if first is None:
            raise Refusal("There is nothing to say in this post.")
        return first

    async def look_up(self, job: Job, http: Client) -> Receipt | None:
        """A post of our words since the delivery was queued, among the latest hundred."""
        if _is_thread(job):
            return None  # its first part says nothing of the others; see `publish`
        return await self._search(job, http, short_text(job.post, _ruler(job.options)), "")

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Take the post away; of a thread every part, the last first."""
        for number in reversed(job.parts or (job.remote_id,)):
            answer = await ask(job, http, "DELETE", f"/2/tweets/{quote(number, safe='')}")
            if answer.status != 404:
                read(answer)
        return Receipt(job.remote_id, job.remote_url)

    async def reply(self, job: Job, http: Client) -> Receipt:
        """A post that answers the first one."""
        words = short_text(job.post, _ruler(job.options))
        found = await self._found(job, http, words, job.remote_id)
        return found or await self._post(job, http, words, job.remote_id)

    async def seen(self, job: Job, http: Client) -> Seen:
        """The post as it stands."""
        there = await self._read_back(job, http, _FIELDS)
        return Seen(bool(there), expanded(there))

    async def counts(self, job: Job, http: Client) -> Counts:
        """Impressions, likes, answers, and reposts with quotes."""
        told = member(await self._read_back(job, http, "public_metrics"), "public_metrics")
        shares = [count(told, name) for name in ("retweet_count", "quote_count")]
        return Counts(
            views=count(told, "impression_count"),
            reactions=count(told, "like_count"),
            replies=count(told, "reply_count"),
            shares=sum(number or 0 for number in shares) if shares != [None, None] else None,
        )

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """Who is connected."""
        who = await _me(Job(Post("", "", ""), options, credentials), http)
        return f"Connected as @{text(who, 'username')}."

    async def renew(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> Renewed:
        """A new token for two hours, and the next refresh token: each is good for one use.

        https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code
        """
        refresh = str(credentials.get("refresh_token") or "")
        if not refresh:
            raise Reauthorise("This channel is not connected to X yet: press Connect.")
        client = str(credentials.get("client_id") or "")
        form = {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": client}
        with only_reading(NAME):
            answer = await http.post(
                f"{_server(options)}/2/oauth2/token", form=form, secret_headers=basic(credentials)
            )
            return _tokens(read_token(answer))

    def authorisation(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any]
    ) -> Authorisation:
        """https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code"""
        login = str(options.get("login_url") or "https://x.com").rstrip("/")
        return Authorisation(
            f"{login}/i/oauth2/authorize", f"{_server(options)}/2/oauth2/token", _SCOPES,
            basic=bool(credentials.get("client_secret")),
        )  # fmt: skip

    async def connected(
        self, options: Mapping[str, Any], tokens: Mapping[str, Any], http: Client
    ) -> Renewed:
        """The tokens, and as whom they post."""
        renewed = _tokens(tokens)
        who = await _me(Job(Post("", "", ""), options, renewed.credentials), http)
        whose = {"user_id": text(who, "id"), "username": text(who, "username")}
        return replace(renewed, credentials={**renewed.credentials, **whose})

    async def _post(
        self, job: Job, http: Client, words: str, above: str, *, pictures: bool = False
    ) -> Receipt:
        post: dict[str, Any] = {"text": words}
        if above:
            post["reply"] = {"in_reply_to_tweet_id": above}
        if pictures and (media := await self._pictures(job, http)):
            post["media"] = {"media_ids": media}
        answer = await ask(job, http, "POST", "/2/tweets", json=post)
        if is_duplicate(answer):
            return await self._twin(job, http, words, above, answer)
        number = text(member(mapping(read(answer), NAME), "data"), "id")
        if not number.isdigit():
            raise Unknown("X took the post, but does not say which it is.",
                          status=answer.status, excerpt=answer.text()[:1000])  # fmt: skip
        return _receipt(job, number, "answer", answer)

    async def _twin(
        self, job: Job, http: Client, words: str, above: str, answer: Response
    ) -> Receipt:
        """X has had this text lately: from us, if it can be found."""
        if found := await self._search(job, http, words, above):
            return found
        about: dict[str, Any] = {"status": answer.status, "excerpt": answer.text()[:1000]}
        if job.again:
            raise Undecidable("X says that it has this post, and lists none of it.", **about)
        raise Refusal("The account has posted this very text lately: change it.", **about)

    async def _found(self, job: Job, http: Client, words: str, above: str) -> Receipt | None:
        return await self._search(job, http, words, above) if job.again else None

    async def _search(self, job: Job, http: Client, words: str, above: str) -> Receipt | None:
        """Our post of these words, answering `above`, among the account's since it was queued."""
        whose = str(job.credentials.get("user_id") or "")
        if not whose:
            raise Reauthorise("It is not known as whom we post to X: connect anew.")
        since = (job.made_at - _CLOCKS).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        params: dict[str, str | int] = {
            "max_results": _ON_A_PAGE, "start_time": since, "tweet.fields": _FIELDS,
            "exclude": "retweets",
        }  # fmt: skip
        with only_reading(NAME):
            path = f"/2/users/{quote(whose, safe='')}/tweets"
            answer = read(await ask(job, http, "GET", path, params=params))
            listed = members(mapping(answer, NAME), "data")
        for each in listed:
            same = letters(expanded(each)) == letters(words)
            if same and _answers(each) == above and text(each, "id").isdigit():
                return _receipt(job, text(each, "id"), "look_up", answer)
        return None

    async def _read_back(self, job: Job, http: Client, fields: str) -> dict[str, Any]:
        """The post `job.remote_id`; empty where there is none, which X says with status 200."""
        with only_reading(NAME):
            path = f"/2/tweets/{quote(job.remote_id, safe='')}"
            answer = await ask(job, http, "GET", path, params={"tweet.fields": fields})
            if answer.status == 404:
                return {}
            body = mapping(read(answer, missing=True), NAME)
        return member(body, "data")

    async def _pictures(self, job: Job, http: Client) -> list[str]:
        """Ids of the story's pictures on X; one that no post names is swept away in a day."""
        if not job.options.get("pictures", True):
            return []
        with only_reading(NAME):
            return [await _uploaded(job, http, each) for each in job.post.pictures[:_PICTURES]]


async def _uploaded(job: Job, http: Client, picture: Picture) -> str:
    """https://docs.x.com/x-api/media/upload-media and …/create-media-metadata"""
    file = await fetched(picture, http, max_bytes=_LARGEST_PICTURE)
    body, kind = as_form(file, part="media", media_category="tweet_image")
    answer = read(
        await ask(
            job, http, "POST", "/2/media/upload", content=body, headers={"Content-Type": kind}
        )
    )
    number = text(member(mapping(answer, NAME), "data"), "id")
    if not number:
        raise Unknown("X does not say what became of a picture.", status=answer.status)
    if picture.alt:
        told = {"id": number, "metadata": {"alt_text": {"text": picture.alt[:_ALT]}}}
        read(await ask(job, http, "POST", "/2/media/metadata", json=told))
    return number


async def _me(job: Job, http: Client) -> dict[str, Any]:
    with only_reading(NAME):
        who = member(mapping(read(await ask(job, http, "GET", "/2/users/me")), NAME), "data")
    if not text(who, "id"):
        raise Wait("X does not say who has signed in.")
    return who


def _tokens(body: Mapping[str, Any]) -> Renewed:
    """Credentials, and their end, out of what the token endpoint says."""
    if not text(body, "access_token"):
        raise Wait("X's answer holds no token.")
    found = {"token": text(body, "access_token")}
    if refresh := text(body, "refresh_token"):
        found["refresh_token"] = refresh
    return Renewed(found, datetime.now(UTC) + (lifetime(body, "expires_in") or _TWO_HOURS))


def _receipt(job: Job, number: str, how: str, answer: Response | None = None) -> Receipt:
    who = str(job.credentials.get("username") or "i/web")
    return Receipt(
        number, f"https://x.com/{who}/status/{number}", confirmed_by=how,
        http_status=answer.status if answer else None,
    )  # fmt: skip


def _answers(there: Mapping[str, Any]) -> str:
    """The number of the post that this one answers; "" for none."""
    for each in members(there, "referenced_tweets"):
        if text(each, "type") == "replied_to":
            return text(each, "id")
    return ""


def _is_thread(job: Job) -> bool:
    return job.options.get("form") == "thread"


def _ruler(options: Mapping[str, Any]) -> Ruler:
    return _LONG_RULER if options.get("premium") else _RULER


def _server(options: Mapping[str, Any]) -> str:
    return str(options.get("url") or "https://api.x.com").rstrip("/")
