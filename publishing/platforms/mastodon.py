"""Mastodon and what speaks its API. https://docs.joinmastodon.org/methods/statuses/

Idempotency-Key makes a repetition return the first status. It is kept for an hour, read and set in
two steps, and not heeded by everything that speaks this API (pixelfed/pixelfed#3581), so before
sending again we look through our own latest statuses as well.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from articles.clean import plain_text
from config.outbound import Client, Response
from publishing.compose import short_text, whole_thread
from publishing.counting import Ruler
from publishing.document import Picture
from publishing.errors import Reauthorise, Refusal, Unknown, Wait
from publishing.platforms.base import Platform, must_be_ok, only_reading, said_by
from publishing.platforms.pictures import MIB, as_form, fetched
from publishing.platforms.reading import count, mapping, member, members, parsed, text
from publishing.post import (
    Capabilities,
    Counts,
    Field,
    Job,
    Limits,
    Once,
    Post,
    Problem,
    Receipt,
    Seen,
)

_LIMIT, _URL_COUNTS, _PICTURES, _ALT = 500, 23, 4, 1500  # where the instance doesn't say
_LOOKS_AT_A_PICTURE, _BETWEEN_LOOKS = 10, 1.0  # Mastodon works on some after it has answered
_ON_A_PAGE = 40  # the most statuses that Mastodon lists at once


@dataclass(frozen=True, slots=True)
class _Limits:
    """What an instance says that it takes."""

    ruler: Ruler
    pictures: int
    picture_bytes: int
    alt: int  # characters of a picture's description


class Mastodon(Platform):
    """One status per story (title, summary, link, hashtags), or the whole story as a thread."""

    key = "mastodon"
    label = "Mastodon"
    help = (
        "In Mastodon: Preferences, Development, New application, with the scopes "
        "read:accounts, read:statuses, write:statuses and write:media. Its access token goes here."
    )
    options = (
        Field("url", "Instance", "url", required=True, help="Such as https://mastodon.social"),
        Field(
            "visibility", "Visibility", "choice", default="public",
            choices=(("public", "Public"), ("unlisted", "Unlisted"), ("private", "Followers")),
        ),
        Field(
            "form", "Form", "choice", default="post",
            choices=(("post", "One post with a link"), ("thread", "The whole story as a thread")),
        ),
        Field("pictures", "With pictures", "flag", default=True),
    )  # fmt: skip
    credentials = (Field("token", "Access token", "secret", required=True),)
    capabilities = Capabilities(
        once=Once.KEY,
        in_words="Idempotency-Key, and a look through our latest statuses before sending again.",
        ruler=Ruler(_LIMIT, url_counts=_URL_COUNTS),
        form="short text, or the whole story as a thread",
        pictures=_PICTURES,
        alt_text=True,
    )

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """Nothing to say is the one thing that can't be made to fit."""
        if not (post.title or post.summary or post.text):
            return [Problem("title", "A status needs some text.")]
        return []

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Post the status, or what is still missing of a thread."""
        limits = await _limits(job, http)
        if _wants_thread(job):
            return await self._thread(job, http, limits)
        words = short_text(job.post, limits.ruler)
        if job.again and (found := await self._found(job, http, words)):
            return found
        media = await self._pictures(job, http, limits)
        return await self._post(job, http, words, job.post.marker, media=media)

    async def look_up(self, job: Job, http: Client) -> Receipt | None:
        """Our status among the latest 40 of this account, by its text."""
        limits = await _limits(job, http)
        if _wants_thread(job):
            return None  # its first part says nothing of the others
        return await self._found(job, http, short_text(job.post, limits.ruler))

    async def edit(self, job: Job, http: Client) -> Receipt:
        """Give the status, or each part of a thread, its new text; pictures stay.

        A thread can get shorter but not longer: new parts would stand below the answers.
        """
        limits = await _limits(job, http)
        if not job.parts:
            return await self._change(job, http, job.remote_id, short_text(job.post, limits.ruler))
        texts, there = whole_thread(job.post, limits.ruler), job.parts
        if len(texts) > len(there):
            raise Refusal(f"The thread has {len(there)} parts and the new text needs {len(texts)}.")
        changed = [
            await self._change(job, http, number, words)
            for number, words in zip(there, texts, strict=False)
        ]
        for number in reversed(there[len(texts) :]):
            await self._remove(job, http, number)
        return changed[0]

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Take the status away; of a thread every part, the last first."""
        for number in reversed(job.parts or (job.remote_id,)):
            await self._remove(job, http, number)
        return Receipt(job.remote_id, job.remote_url)

    async def reply(self, job: Job, http: Client) -> Receipt:
        """A status that answers the first one, under a key of its own."""
        limits = await _limits(job, http)
        words = short_text(job.post, limits.ruler)
        if job.again and (found := await self._found(job, http, words, below=job.remote_id)):
            return found
        return await self._post(job, http, words, job.once_key, below=job.remote_id)

    async def seen(self, job: Job, http: Client) -> Seen:
        """The status as it stands."""
        with only_reading("Mastodon"):
            answer = await _ask(job, http, "GET", _status(job.remote_id))
            if answer.status == 404:
                return Seen(there=False)
            status = mapping(_read(answer), "Mastodon")
        return Seen(there=True, text=plain_text(text(status, "content")))

    async def counts(self, job: Job, http: Client) -> Counts:
        """Favourites, boosts and answers. Mastodon counts no views."""
        with only_reading("Mastodon"):
            status = mapping(
                _read(await _ask(job, http, "GET", _status(job.remote_id))), "Mastodon"
            )
        return Counts(
            reactions=count(status, "favourites_count"),
            replies=count(status, "replies_count"),
            shares=count(status, "reblogs_count"),
        )

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """Who the token belongs to."""
        account = await self._account(Job(Post("", "", ""), options, credentials), http)
        return f"Connected as @{account.get('acct') or account.get('username')}."

    async def limits(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> Limits:
        """The instance's own."""
        found = await _limits(Job(Post("", "", ""), options, credentials), http)
        return Limits(found.ruler.limit, found.ruler.url_counts, found.pictures)

    async def _thread(self, job: Job, http: Client, limits: _Limits) -> Receipt:
        """Part after part, each answering the one before; what is out already stays as it is."""
        above, first = "", None
        for number, words in enumerate(whole_thread(job.post, limits.ruler)):
            if number < len(job.parts):
                above = job.parts[number]
                continue
            receipt = await self._found(job, http, words, below=above) if job.again else None
            if receipt is None:
                media = await self._pictures(job, http, limits) if number == 0 else []
                key = f"{job.post.marker}-{number}" if number else job.post.marker
                receipt = await self._post(job, http, words, key, below=above, media=media)
            await job.keep_part(receipt.remote_id)
            above, first = receipt.remote_id, first or (receipt if number == 0 else None)
        if first is not None:
            return first
        if not job.parts:
            raise Refusal("There is nothing to say in this thread.")
        with only_reading("Mastodon"):
            answer = _read(await _ask(job, http, "GET", _status(job.parts[0])))
        return _receipt(answer, mapping(answer, "Mastodon"), "answer")

    async def _post(
        self, job: Job, http: Client, words: str, key: str,
        *, below: str = "", media: list[str] | None = None,
    ) -> Receipt:  # fmt: skip
        status: dict[str, Any] = {
            "status": words,
            "visibility": job.options.get("visibility") or "public",
        }
        if media:
            status["media_ids"] = media
        if below:
            status["in_reply_to_id"] = below
        if job.post.language:
            status["language"] = job.post.language.partition("-")[0].lower()
        answer = _read(
            await _ask(
                job,
                http,
                "POST",
                "/api/v1/statuses",
                json=status,
                headers={"Idempotency-Key": key},
            )
        )
        return _receipt(answer, mapping(answer, "Mastodon"), "answer")

    async def _change(self, job: Job, http: Client, number: str, words: str) -> Receipt:
        """Whatever an edit doesn't name is taken off the status, so its pictures are named."""
        with only_reading("Mastodon"):
            there = mapping(_read(await _ask(job, http, "GET", _status(number))), "Mastodon")
        status: dict[str, Any] = {"status": words}
        if media := [text(each, "id") for each in members(there, "media_attachments")]:
            status["media_ids"] = media
        if language := text(there, "language"):
            status["language"] = language
        answer = _read(await _ask(job, http, "PUT", _status(number), json=status))
        return _receipt(answer, mapping(answer, "Mastodon"), "answer")

    async def _remove(self, job: Job, http: Client, number: str) -> None:
        answer = await _ask(job, http, "DELETE", _status(number))
        if answer.status != 404:
            _read(answer)

    async def _found(
        self, job: Job, http: Client, words: str, *, below: str = ""
    ) -> Receipt | None:
        """Our status of these words among the latest of this account; `below` which it answers."""
        wanted = _letters(words)
        with only_reading("Mastodon"):
            account = await self._account(job, http)
            answer = _read(
                await _ask(
                    job,
                    http,
                    "GET",
                    f"/api/v1/accounts/{quote(text(account, 'id'))}/statuses",
                    params={"limit": _ON_A_PAGE, "exclude_reblogs": "true"},
                )
            )
            statuses = parsed(answer, "Mastodon")
            if not isinstance(statuses, list):
                raise Unknown("Mastodon's list of statuses can't be read.", status=answer.status)
        for each in statuses:
            if not isinstance(each, dict) or text(each, "in_reply_to_id") != below:
                continue
            if _letters(plain_text(text(each, "content"))) == wanted:
                return _receipt(answer, each, "look_up")
        return None

    async def _pictures(self, job: Job, http: Client, limits: _Limits) -> list[str]:
        """Ids of the story's pictures on the instance; one that no status names is swept away."""
        if not job.options.get("pictures", True):
            return []
        with only_reading("Mastodon"):
            pictures = job.post.pictures[: limits.pictures]
            return [await self._picture(job, http, each, limits) for each in pictures]

    async def _picture(self, job: Job, http: Client, picture: Picture, limits: _Limits) -> str:
        file = await fetched(picture, http, max_bytes=limits.picture_bytes)
        body, kind = as_form(file, description=picture.alt[: limits.alt])
        answer = _read(
            await _ask(
                job, http, "POST", "/api/v2/media", content=body, headers={"Content-Type": kind}
            )
        )
        number = text(mapping(answer, "Mastodon"), "id")
        looks = 0
        while answer.status in (202, 206):  # taken, and still being worked on
            looks += 1
            if looks > _LOOKS_AT_A_PICTURE:
                raise Wait("Mastodon is still working on a picture.", seconds=30)
            await asyncio.sleep(_BETWEEN_LOOKS)
            answer = _read(await _ask(job, http, "GET", f"/api/v1/media/{quote(number, safe='')}"))
        return number

    async def _account(self, job: Job, http: Client) -> dict[str, Any]:
        answer = await _ask(job, http, "GET", "/api/v1/accounts/verify_credentials")
        return mapping(_read(answer), "Mastodon")


async def _limits(job: Job, http: Client) -> _Limits:
    """The instance's own limits. https://docs.joinmastodon.org/entities/Instance/"""
    with only_reading("Mastodon"):
        answer = await _ask(job, http, "GET", "/api/v2/instance")
        # What speaks this API but is older than Mastodon 4 has no such page.
        instance = {} if answer.status == 404 else mapping(_read(answer), "Mastodon")
    configuration = member(instance, "configuration")
    statuses, media = member(configuration, "statuses"), member(configuration, "media_attachments")
    return _Limits(
        ruler=Ruler(
            _number(statuses, "max_characters", _LIMIT),
            url_counts=_number(statuses, "characters_reserved_per_url", _URL_COUNTS),
        ),
        pictures=min(count(statuses, "max_media_attachments") or _PICTURES, 40),
        picture_bytes=min(count(media, "image_size_limit") or 8 * MIB, 16 * MIB),
        alt=_number(media, "description_limit", _ALT),
    )


def _number(body: Mapping[str, Any], name: str, otherwise: int) -> int:
    value = count(body, name)
    return value if value is not None and 20 <= value <= 100_000 else otherwise


def _wants_thread(job: Job) -> bool:
    return job.options.get("form") == "thread"


def _status(number: str) -> str:
    return f"/api/v1/statuses/{quote(number, safe='')}"


async def _ask(job: Job, http: Client, method: str, path: str, **more: Any) -> Response:
    return await http.request(
        method,
        str(job.options["url"]).rstrip("/") + path,
        secret_headers={"Authorization": f"Bearer {job.credentials['token']}"},
        **more,
    )


def _read(answer: Response) -> Response:
    """The answer if it is a success. Takahe says 400 of a bad token, Mastodon 401."""
    if answer.status == 400 and "token" in said_by(answer).lower():
        raise Reauthorise("Mastodon does not know this access token.", status=400)
    if answer.status == 429 and answer.retry_after is None:
        raise Wait("Mastodon asks for patience.", seconds=_until_reset(answer), status=429)
    return must_be_ok(answer, "Mastodon")


def _until_reset(answer: Response) -> float | None:
    """Seconds until the window begins anew (X-RateLimit-Reset is an ISO time)."""
    try:
        at = datetime.fromisoformat(answer.headers.get("x-ratelimit-reset", ""))
    except ValueError:
        return None
    now = answer.http_date or datetime.now(UTC)
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def _letters(words: str) -> str:
    """A text's letters and digits: what survives an instance's own formatting of it."""
    return "".join(each for each in words.casefold() if each.isalnum())


def _receipt(answer: Response, status: Mapping[str, Any], confirmed_by: str) -> Receipt:
    if not text(status, "id"):
        raise Unknown("Mastodon's answer names no status.", status=answer.status)
    return Receipt(
        remote_id=text(status, "id"),
        remote_url=text(status, "url")[:2000],
        confirmed_by=confirmed_by,
        http_status=answer.status,
        request_id=answer.headers.get("x-request-id", "")[:200],
    )
