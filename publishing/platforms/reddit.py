"""Reddit, in a subreddit. https://www.reddit.com/dev/api/

Reddit takes no key and says nearly everything with status 200, refusals included. A post of ours
is found again among the account's own: by its title, its subreddit and its time. A link that
stands in the subreddit already is refused (ALREADY_SUB), which is looked into.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from config.outbound import Client, Response
from publishing import writing
from publishing.counting import Ruler, Unit
from publishing.document import read as read_document
from publishing.errors import Expired, Reauthorise, Refusal, Unknown, Wait
from publishing.platforms.base import Authorisation, Platform, must_be_ok, only_reading
from publishing.platforms.reading import complaint, count, lifetime, mapping, member, members, text
from publishing.platforms.reddit_errors import complaints, patience
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

NAME = "Reddit"
_TITLE = Ruler(300, Unit.CODE_POINTS)
_LONGEST_TEXT = 40_000  # characters of Markdown
_ON_A_PAGE = 100
_CLOCKS = timedelta(minutes=5)  # by which Reddit's clock and ours may differ
_SCOPES = ("identity", "submit", "edit", "read", "history", "flair")
_AN_HOUR = timedelta(hours=1)
_CLOSED = {
    "private": "is private", "banned": "is banned", "quarantined": "is quarantined",
    "gold_only": "is for Premium members only",
}  # fmt: skip


class Reddit(Platform):
    """A link or a text per story, in one subreddit."""

    key = "reddit"
    label = "Reddit"
    help = (
        "On reddit.com/prefs/apps, create an app of the kind “web app” and enter its id and secret "
        "here. Once saved, this channel's page shows the address to put under “redirect uri”; then "
        "press Connect with the account that is to post. Mind the subreddit's rules on "
        "self-promotion and on bots."
    )
    options = (
        Field("subreddit", "Subreddit", required=True, help="Without the r/, such as northmark."),
        Field(
            "form", "Form", "choice", default="link",
            choices=(("link", "The title and the link"), ("text", "The whole story as text")),
            help="A story without a link goes as text.",
        ),
        Field("flair_id", "Flair", help="The template's id, where the subreddit wants one."),
        Field("sendreplies", "Answers into the account's inbox", "flag", default=True),
        Field("nsfw", "Mark as not safe for work", "flag", default=False),
        Field("spoiler", "Mark as a spoiler", "flag", default=False),
        Field("url", "Reddit API", "url", default="https://oauth.reddit.com"),
        Field("login_url", "Login", "url", default="https://www.reddit.com"),
    )  # fmt: skip
    credentials = (
        Field("client_id", "Client ID", required=True, help="Under the app's name."),
        Field("client_secret", "Client secret", "secret", required=True),
    )
    capabilities = Capabilities(
        once=Once.LOOK_UP,
        in_words="The account's latest hundred posts are searched for the title in the subreddit.",
        ruler=_TITLE,
        form="title and link, or the whole story as text",
        access="Free of charge for up to 100 requests a minute. Since November 2025 a new app must "
        "be approved: ask under “Developer support” on reddithelp.com and say what the desk posts "
        "and where. Commercial use needs an agreement with Reddit.",
    )

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """A title, and a text within Reddit's bounds where the text is what goes."""
        found = [] if post.title else [Problem("title", "A post on Reddit needs a title.")]
        if not _is_link(post, options):
            words = _markdown(post)
            if len(words) > _LONGEST_TEXT:
                said = (
                    f"Reddit takes {_LONGEST_TEXT:,} characters, and this is {len(words):,}: "
                    "shorten it, or send its link instead."
                )
                found.append(Problem("content", said))
        return found

    def texts(self, post: Post, options: Mapping[str, Any]) -> Texts:
        """The title where the link goes; else the story as it is."""
        return Texts((_title(post),), _TITLE) if _is_link(post, options) else Texts(())

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Submit it."""
        form = {
            "api_type": "json",
            "sr": _subreddit(job.options),
            "title": _title(job.post),
            # Whoever it was that submitted a link before: a second one is refused.
            "resubmit": "false",
            "sendreplies": _yes(job.options.get("sendreplies", True)),
            "nsfw": _yes(job.options.get("nsfw")),
            "spoiler": _yes(job.options.get("spoiler")),
        }
        if _is_link(job.post, job.options):
            form |= {"kind": "link", "url": job.post.url}
        else:
            form |= {"kind": "self", "text": _markdown(job.post)}
        if flair := str(job.options.get("flair_id") or ""):
            form["flair_id"] = flair
        answer = _read(await _ask(job, http, "POST", "/api/submit", form=form), job)
        said = complaints(answer)
        if any(each.code == "ALREADY_SUB" for each in said):
            return await self._twin(job, http, answer)
        _must_be_taken(answer)
        made = member(member(mapping(answer, NAME), "json"), "data")
        if not text(made, "name").startswith("t3_"):
            raise Unknown("Reddit took the post, but does not say which it is.",
                          status=answer.status, excerpt=answer.text()[:1000])  # fmt: skip
        return Receipt(
            text(made, "name"), text(made, "url"), http_status=answer.status,
            excerpt=answer.text()[:300],
        )  # fmt: skip

    async def look_up(self, job: Job, http: Client) -> Receipt | None:
        """A post of ours since the delivery was queued, of its title and in its subreddit."""
        name = str(job.credentials.get("name") or "")
        if not name:
            raise Reauthorise("It is not known as whom we post to Reddit: connect anew.")
        params: dict[str, str | int] = {"limit": _ON_A_PAGE, "sort": "new", "raw_json": 1}
        with only_reading(NAME):
            where = f"/user/{quote(name, safe='')}/submitted"
            answer = _read(await _ask(job, http, "GET", where, params=params), job)
            listed = members(member(mapping(answer, NAME), "data"), "children")
        for each in listed:
            there = member(each, "data")
            if _is_ours(job, there):
                return _receipt(there, "look_up", answer)
        return None

    async def edit(self, job: Job, http: Client) -> Receipt:
        """Give a text post its new text. Titles and links stay as they are on Reddit."""
        there = await self._post(job, http)
        if not there.get("is_self"):
            raise Refusal("Nobody can change the title or the link of a post on Reddit.")
        form = {"api_type": "json", "thing_id": job.remote_id, "text": _markdown(job.post)}
        answer = _read(await _ask(job, http, "POST", "/api/editusertext", form=form), job)
        _must_be_taken(answer)
        return Receipt(job.remote_id, job.remote_url, http_status=answer.status)

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Take the post away; Reddit answers a repetition with success, too."""
        answer = _read(await _ask(job, http, "POST", "/api/del", form={"id": job.remote_id}), job)
        return Receipt(job.remote_id, job.remote_url, http_status=answer.status)

    async def seen(self, job: Job, http: Client) -> Seen:
        """The post as it stands; one that moderators or Reddit have removed is not there."""
        there = await self._post(job, http)
        by_whom = text(there, "removed_by_category")
        gone = not there or by_whom or text(there, "author") == "[deleted]"
        words = "\n\n".join(filter(None, (text(there, "title"), text(there, "selftext"))))
        return Seen(not gone, "" if gone else words)

    async def counts(self, job: Job, http: Client) -> Counts:
        """Its score, comments and crossposts. Views are told to nobody but its author."""
        there = await self._post(job, http)
        score = there.get("score")
        return Counts(
            reactions=max(0, score) if isinstance(score, int) else None,
            replies=count(there, "num_comments"),
            shares=count(there, "num_crossposts"),
        )

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """Who is connected, and that the subreddit is there for them."""
        job = Job(Post("", "", ""), options, credentials)
        subreddit = _subreddit(options)
        with only_reading(NAME):
            who = await _me(job, http)
            answer = await _ask(job, http, "GET", f"/r/{quote(subreddit, safe='')}/about")
            if answer.status in (301, 302, 404):
                raise Refusal(f"There is no subreddit r/{subreddit}.", status=answer.status)
            about = member(mapping(_read(answer, job), NAME), "data")
        if not text(about, "display_name"):
            raise Refusal(f"There is no subreddit r/{subreddit}.", status=answer.status)
        if about.get("user_is_banned"):
            raise Refusal(f"u/{who} is banned from r/{subreddit}.")
        return f"Connected as u/{who}, for r/{subreddit}."

    async def renew(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> Renewed:
        """A new token for the next hour. https://github.com/reddit-archive/reddit/wiki/OAuth2"""
        refresh = str(credentials.get("refresh_token") or "")
        if not refresh:
            raise Reauthorise("This channel is not connected to Reddit yet: press Connect.")
        pair = f"{credentials.get('client_id', '')}:{credentials.get('client_secret', '')}"
        login = base64.b64encode(pair.encode()).decode()
        with only_reading(NAME):
            answer = await http.post(
                f"{_login(options)}/api/v1/access_token",
                form={"grant_type": "refresh_token", "refresh_token": refresh},
                secret_headers={"Authorization": f"Basic {login}"},
            )
            if answer.status in (400, 401):
                raise Reauthorise(
                    "Reddit does not renew this token: connect anew.", status=answer.status
                )
            return _tokens(mapping(must_be_ok(answer, NAME), NAME))

    def authorisation(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any]
    ) -> Authorisation:
        """https://github.com/reddit-archive/reddit/wiki/OAuth2"""
        where = f"{_login(options)}/api/v1"
        return Authorisation(
            f"{where}/authorize", f"{where}/access_token", _SCOPES, pkce=False, basic=True,
            extra={"duration": "permanent"},
        )  # fmt: skip

    async def connected(
        self, options: Mapping[str, Any], tokens: Mapping[str, Any], http: Client
    ) -> Renewed:
        """The tokens, and as whom they post."""
        renewed = _tokens(tokens)
        job = Job(Post("", "", ""), options, renewed.credentials)
        with only_reading(NAME):
            name = await _me(job, http)
        return Renewed({**renewed.credentials, "name": name}, renewed.expires_at)

    async def _post(self, job: Job, http: Client) -> dict[str, Any]:
        """The post `job.remote_id`; empty where there is none."""
        params: dict[str, str | int] = {"id": job.remote_id, "raw_json": 1}
        with only_reading(NAME):
            answer = _read(await _ask(job, http, "GET", "/api/info", params=params), job)
            listed = members(member(mapping(answer, NAME), "data"), "children")
        return member(listed[0], "data") if listed else {}

    async def _twin(self, job: Job, http: Client, answer: Response) -> Receipt:
        """The link stands there already: by us, or by somebody else."""
        found = await self.look_up(job, http)
        if found is not None:
            return found
        about: dict[str, Any] = {"status": answer.status, "excerpt": answer.text()[:1000]}
        words = f"This link was submitted to r/{_subreddit(job.options)} before"
        if job.again:
            raise Unknown(f"{words}, and not found among our posts.", **about)
        raise Refusal(f"{words}.", **about)


async def _me(job: Job, http: Client) -> str:
    name = text(mapping(_read(await _ask(job, http, "GET", "/api/v1/me"), job), NAME), "name")
    if not name:
        raise Refusal("Reddit does not say who has signed in.")
    return name


async def _ask(job: Job, http: Client, method: str, path: str, **more: Any) -> Response:
    token = job.credentials.get("token")
    if not token:
        raise Expired("There is no session with Reddit yet.")
    where = str(job.options.get("url") or "https://oauth.reddit.com").rstrip("/")
    return await http.request(
        method, where + path, secret_headers={"Authorization": f"Bearer {token}"}, **more
    )


def _read(answer: Response, job: Job) -> Response:
    """The answer if Reddit let us in; what it says inside is another matter."""
    if answer.ok:
        return answer
    about: dict[str, Any] = {"status": answer.status, "excerpt": answer.text()[:1000]}
    match answer.status:
        case 401:
            raise Expired("The session with Reddit has run out.", **about)
        case 403 if (reason := text(complaint(answer), "reason")) in _CLOSED:
            words = f"r/{_subreddit(job.options)} {_CLOSED[reason]}."
            raise Refusal(words, **about)
        case 429:
            raise Wait("Reddit asks for patience.", seconds=_until_reset(answer), **about)
    return must_be_ok(answer, NAME)


def _must_be_taken(answer: Response) -> None:
    """Raises what a complaint inside an answer of status 200 means."""
    said = complaints(answer)
    if not said:
        return
    words = f"Reddit refuses it: {' '.join(each.words for each in said)}"
    about: dict[str, Any] = {"status": answer.status, "excerpt": answer.text()[:1000]}
    codes = {each.code for each in said}
    if "USER_REQUIRED" in codes:
        raise Expired("The session with Reddit has run out.", **about)
    if (seconds := patience(answer, said)) is not None:
        raise Wait(words, seconds=seconds, **about)
    raise Refusal(words, **about)


def _until_reset(answer: Response) -> float | None:
    """Seconds until the window begins anew, as Reddit names them.

    https://support.reddithelp.com/hc/en-us/articles/16160319875092
    """
    if answer.retry_after is not None:
        return answer.retry_after
    named = answer.headers.get("x-ratelimit-reset", "")
    return float(named) if named.isascii() and named.isdigit() and len(named) < 6 else None


def _tokens(body: Mapping[str, Any]) -> Renewed:
    """Credentials, and their end, out of what the token endpoint says."""
    if not text(body, "access_token"):
        raise Wait("Reddit's answer holds no token.")
    found = {"token": text(body, "access_token")}
    if refresh := text(body, "refresh_token"):
        found["refresh_token"] = refresh
    return Renewed(found, datetime.now(UTC) + (lifetime(body, "expires_in") or _AN_HOUR))


def _is_ours(job: Job, there: Mapping[str, Any]) -> bool:
    made = there.get("created_utc")
    if not isinstance(made, int | float) or made < (job.made_at - _CLOCKS).timestamp():
        return False
    if text(there, "subreddit").casefold() != _subreddit(job.options).casefold():
        return False
    return text(there, "title").strip() == _title(job.post)


def _receipt(there: Mapping[str, Any], how: str, answer: Response) -> Receipt:
    path = text(there, "permalink")
    address = f"https://www.reddit.com{path}" if path.startswith("/r/") else ""
    return Receipt(text(there, "name"), address, confirmed_by=how, http_status=answer.status)


def _title(post: Post) -> str:
    return shortened(post.title, _TITLE)


def _markdown(post: Post) -> str:
    """The story in Markdown, its link below."""
    words = writing.markdown(read_document(post.html)) or post.summary
    return f"{words}\n\n{post.url}" if post.url else words


def _is_link(post: Post, options: Mapping[str, Any]) -> bool:
    return bool(post.url) and options.get("form") != "text"


def _subreddit(options: Mapping[str, Any]) -> str:
    name = str(options.get("subreddit") or "").strip().strip("/")
    return name.removeprefix("r/")


def _login(options: Mapping[str, Any]) -> str:
    return str(options.get("login_url") or "https://www.reddit.com").rstrip("/")


def _yes(value: Any) -> str:
    return "true" if value else "false"
