"""Bluesky and other servers of AT Protocol. https://docs.bsky.app/docs/api/

putRecord under a key that we choose: however often it is repeated, there is one record. The key
and the record's own time are made from the delivery, so every attempt writes the same.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from config.outbound import Client, Response
from publishing.compose import short_text, whole_thread
from publishing.counting import Ruler, Unit
from publishing.errors import Expired, PlatformError, Reauthorise, Refusal, Wait
from publishing.facets import facets
from publishing.platforms.base import Platform, must_be_ok, only_reading
from publishing.platforms.pictures import File, fetched
from publishing.platforms.reading import complaint, count, mapping, member, members, text
from publishing.platforms.tid import tid
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
)

_RULER = Ruler(300, Unit.GRAPHEMES, most_bytes=3000)  # app.bsky.feed.post
_POST = "app.bsky.feed.post"
_MOST_PICTURES, _LARGEST_PICTURE = 4, 1_000_000  # app.bsky.embed.images
_RUN_OUT = ("ExpiredToken", "InvalidToken")  # which Bluesky says with status 400
_SHUT = ("AccountTakedown", "AccountSuspended", "AccountDeactivated", "AuthMissing")
_SESSION = timedelta(minutes=90)  # an access token lives for two hours


class Bluesky(Platform):
    """A post per story with its link as a card, or the whole story as a thread."""

    key = "bluesky"
    label = "Bluesky"
    help = (
        "In Bluesky: Settings, Privacy and security, App passwords. Enter your handle and the app "
        "password, never the password you sign in with."
    )
    options = (
        Field("url", "Server", "url", default="https://bsky.social", help="Or your own PDS."),
        Field(
            "form", "Form", "choice", default="post",
            choices=(("post", "One post with a link"), ("thread", "The whole story as a thread")),
        ),
        Field("pictures", "With pictures", "flag", default=True, help="Instead of a link card."),
    )  # fmt: skip
    credentials = (
        Field("handle", "Handle", required=True, help="Such as desk.bsky.social"),
        Field("app_password", "App password", "secret", required=True),
    )
    capabilities = Capabilities(
        once=Once.KEY,
        in_words="The record's key is made from ours: writing it again writes the same record.",
        ruler=_RULER,
        form="short text, or the whole story as a thread",
        pictures=_MOST_PICTURES,
        alt_text=True,
        tried_against="Bluesky PDS 0.5",
    )

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """A post needs some text, and a link must leave room for it."""
        if not (post.title or post.summary or post.text):
            return [Problem("title", "A post needs some text.")]
        if post.url and not _RULER.fits(f"…\n\n{post.url}"):
            return [Problem("url", "The link alone is longer than Bluesky's 300 characters.")]
        return []

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Write the record, or the records of a thread in their order."""
        if job.options.get("form") == "thread":
            return await self._thread(job, http)
        record = _record(job, short_text(job.post, _RULER))
        if embed := await self._embed(job, http):
            record["embed"] = embed
        return await self._put(job, http, record)

    async def edit(self, job: Job, http: Client) -> Receipt:
        """Replace the record under its key. Some apps go on showing the first version."""
        with only_reading("Bluesky"):
            there = await self._get(job, http, _key_of(job))
        record = _record(job, short_text(job.post, _RULER)) | {
            name: there[name] for name in ("createdAt", "reply", "embed") if name in there
        }
        return await self._put(job, http, record, key=_key_of(job))

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Take the record away, and those of a thread after it, the last first."""
        for part in reversed(job.parts or (job.remote_id,)):
            body = {"repo": job.credentials["did"], "collection": _POST, "rkey": _last(part)}
            await self._call(job, http, "POST", "com.atproto.repo.deleteRecord", json=body)
        return Receipt(job.remote_id, job.remote_url)

    async def reply(self, job: Job, http: Client) -> Receipt:
        """A post that answers the first one, under a key of its own."""
        with only_reading("Bluesky"):
            first = await self._reference(job, http, _key_of(job))
        record = _record(job, job.post.text) | {"reply": {"root": first, "parent": first}}
        return await self._put(job, http, record)

    async def seen(self, job: Job, http: Client) -> Seen:
        """The record as it stands."""
        with only_reading("Bluesky"):
            record = await self._get(job, http, _key_of(job))
        return Seen(bool(record), text(record, "text"))

    async def counts(self, job: Job, http: Client) -> Counts:
        """Likes, reposts and replies, as the app's own view counts them."""
        with only_reading("Bluesky"):
            answer = await self._call(
                job, http, "GET", "app.bsky.feed.getPosts", params={"uris": job.remote_id}
            )
            posts = members(mapping(answer, "Bluesky"), "posts")
        if not posts:
            return Counts()
        shares = [count(posts[0], name) for name in ("repostCount", "quoteCount")]
        return Counts(
            reactions=count(posts[0], "likeCount"),
            replies=count(posts[0], "replyCount"),
            shares=sum(number or 0 for number in shares),
        )

    async def renew(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> Renewed:
        """A new session: by the refresh token, else by the app password (30 in five minutes)."""
        where = _server(options)
        answer: Response | None = None
        if refresh := credentials.get("refresh_jwt"):
            answer = await http.post(
                f"{where}/xrpc/com.atproto.server.refreshSession",
                secret_headers={"Authorization": f"Bearer {refresh}"},
            )
        if answer is None or answer.status in (400, 401):
            answer = await _signed_in(options, credentials, http)
        session = mapping(_read(answer), "Bluesky")
        if not (text(session, "accessJwt") and text(session, "did")):
            raise Wait("Bluesky's answer holds no session.", status=answer.status)
        return Renewed(
            {
                "access_jwt": session["accessJwt"],
                "refresh_jwt": session.get("refreshJwt", ""),
                "did": session["did"],
            },
            datetime.now(UTC) + _SESSION,
        )

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """Who handle and app password belong to: by signing in, as there may be no session yet."""
        session = mapping(await _signed_in(options, credentials, http), "Bluesky")
        return f"Connected as @{text(session, 'handle')}."

    async def _thread(self, job: Job, http: Client) -> Receipt:
        """Each part under its own key; parts that are out already are written again, the same."""
        root: dict[str, str] = {}
        parent: dict[str, str] = {}
        receipt: Receipt | None = None
        for number, part in enumerate(whole_thread(job.post, _RULER)):
            record = _record(job, part)
            if parent:
                record["reply"] = {"root": root, "parent": parent}
            key = tid(job.made_at, job.post.marker, number)
            answer = await self._write(job, http, record, key)
            parent = _strong(mapping(answer, "Bluesky"))
            root = root or parent
            if parent["uri"] not in job.parts:
                await job.keep_part(parent["uri"])
            receipt = receipt or _receipt(answer)
        if receipt is None:
            raise Refusal("There is nothing to say in this thread.")
        return receipt

    async def _embed(self, job: Job, http: Client) -> dict[str, Any]:
        """The story's pictures, else its link as a card with a picture."""
        pictures = job.post.pictures[:_MOST_PICTURES]
        if pictures and job.options.get("pictures", True):
            files = [await fetched(each, http, max_bytes=_LARGEST_PICTURE) for each in pictures]
            blobs = [await self._blob(job, http, file) for file in files]
            images = [
                {"alt": picture.alt, "image": blob}
                for picture, blob in zip(pictures, blobs, strict=True)
            ]
            return {"$type": "app.bsky.embed.images", "images": images}
        if not job.post.url:
            return {}
        card: dict[str, Any] = {
            "uri": job.post.url, "title": job.post.title, "description": job.post.summary,
        }  # fmt: skip
        if pictures:
            try:
                file = await fetched(pictures[0], http, max_bytes=_LARGEST_PICTURE)
                card["thumb"] = await self._blob(job, http, file)
            except (Refusal, Wait):  # a card is a card without its picture, too
                pass
        return {"$type": "app.bsky.embed.external", "external": card}

    async def _blob(self, job: Job, http: Client, file: File) -> dict[str, Any]:
        with only_reading("Bluesky"):  # a blob that no record names is swept away
            answer = await self._call(
                job, http, "POST", "com.atproto.repo.uploadBlob", content=file.content,
                headers={"content-type": file.content_type},
            )  # fmt: skip
            return member(mapping(answer, "Bluesky"), "blob")

    async def _put(
        self, job: Job, http: Client, record: Mapping[str, Any], *, key: str = ""
    ) -> Receipt:
        key = key or tid(job.made_at, job.post.marker)
        return _receipt(await self._write(job, http, record, key))

    async def _write(self, job: Job, http: Client, record: Mapping[str, Any], key: str) -> Response:
        body = {
            "repo": job.credentials.get("did", ""), "collection": _POST, "rkey": key,
            "record": record,
        }  # fmt: skip
        return await self._call(job, http, "POST", "com.atproto.repo.putRecord", json=body)

    async def _reference(self, job: Job, http: Client, key: str) -> dict[str, str]:
        asked = {"repo": job.credentials["did"], "collection": _POST, "rkey": key}
        answer = await self._call(job, http, "GET", "com.atproto.repo.getRecord", params=asked)
        return _strong(mapping(answer, "Bluesky"))

    async def _get(self, job: Job, http: Client, key: str) -> dict[str, Any]:
        asked = {"repo": job.credentials["did"], "collection": _POST, "rkey": key}
        try:
            answer = await self._call(job, http, "GET", "com.atproto.repo.getRecord", params=asked)
        except PlatformError as problem:
            if "RecordNotFound" in problem.excerpt:
                return {}
            raise
        return member(mapping(answer, "Bluesky"), "value")

    async def _call(self, job: Job, http: Client, method: str, name: str, **more: Any) -> Response:
        token = job.credentials.get("access_jwt")
        if not token:
            raise Expired("There is no session with Bluesky yet.")
        return _read(
            await http.request(
                method,
                f"{_server(job.options)}/xrpc/{name}",
                secret_headers={"Authorization": f"Bearer {token}"},
                **more,
            )
        )


async def _signed_in(
    options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
) -> Response:
    """The answer to signing in by handle and app password."""
    login = {
        "identifier": str(credentials.get("handle", "")).lstrip("@"),
        "password": credentials.get("app_password", ""),
    }
    where = f"{_server(options)}/xrpc/com.atproto.server.createSession"
    answer = await http.post(where, json=login)
    if answer.status == 401 and complaint(answer).get("error") not in _SHUT:
        raise Reauthorise("Bluesky does not know this handle and app password.", status=401)
    return _read(answer)


def _record(job: Job, words: str) -> dict[str, Any]:
    """The record; its time is the delivery's, so that every attempt writes the same bytes."""
    record: dict[str, Any] = {
        "$type": _POST,
        "text": words,
        "createdAt": job.made_at.astimezone(UTC).isoformat(timespec="milliseconds"),
    }
    record["createdAt"] = record["createdAt"].replace("+00:00", "Z")
    if job.post.language:
        record["langs"] = [job.post.language]
    features = {
        "link": lambda value: {"$type": "app.bsky.richtext.facet#link", "uri": value},
        "tag": lambda value: {"$type": "app.bsky.richtext.facet#tag", "tag": value},
    }
    found = [
        {
            "index": {"byteStart": each.start, "byteEnd": each.end},
            "features": [features[each.kind](each.value)],
        }
        for each in facets(words)
    ]
    return record | ({"facets": found} if found else {})


def _read(answer: Response) -> Response:
    if answer.ok:
        return answer
    body = complaint(answer) if answer.status < 500 else {}
    name, said = text(body, "error"), text(body, "message")
    about: dict[str, Any] = {"status": answer.status, "excerpt": answer.text()[:1000]}
    if name in _RUN_OUT:
        raise Expired("The session with Bluesky has run out.", **about)
    if name in _SHUT:
        raise Reauthorise(f"Bluesky does not let us in: {said or name}", **about)
    if answer.status == 429:
        raise Wait("Bluesky asks for patience.", seconds=_until_reset(answer), **about)
    return must_be_ok(answer, "Bluesky")


def _until_reset(answer: Response) -> float | None:
    """Seconds until the window begins anew (ratelimit-reset is a Unix time)."""
    named = answer.headers.get("ratelimit-reset", "")
    if not (named.isascii() and named.isdigit() and len(named) < 12):
        return answer.retry_after
    now = answer.http_date or datetime.now(UTC)
    return max(0.0, int(named) - now.timestamp())


def _receipt(answer: Response) -> Receipt:
    found = _strong(mapping(answer, "Bluesky"))
    did, _, key = found["uri"].removeprefix("at://").partition(f"/{_POST}/")
    return Receipt(
        found["uri"], f"https://bsky.app/profile/{did}/post/{key}", http_status=answer.status
    )


def _strong(body: Mapping[str, Any]) -> dict[str, str]:
    """A record's address and the hash of what it says."""
    return {"uri": text(body, "uri"), "cid": text(body, "cid")}


def _key_of(job: Job) -> str:
    if not job.remote_id.startswith("at://"):
        raise Refusal("It is not known which post this is.")
    return _last(job.remote_id)


def _last(address: str) -> str:
    return address.rpartition("/")[2]


def _server(options: Mapping[str, Any]) -> str:
    return str(options.get("url") or "https://bsky.social").rstrip("/")
