"""Mastodon and what speaks its API. https://docs.joinmastodon.org/methods/statuses/

Idempotency-Key makes a repetition return the first status. It is kept for an hour, read and set in
two steps, and not heeded by everything that speaks this API (pixelfed/pixelfed#3581), so before
sending again we look through our own latest statuses as well.
"""

from collections.abc import Mapping
from typing import Any

from articles.clean import plain_text
from config.outbound import Client, Response
from publishing.compose import short_text
from publishing.counting import Ruler
from publishing.errors import Unknown
from publishing.platforms.base import Platform, must_be_ok, only_reading
from publishing.platforms.reading import parsed
from publishing.post import Capabilities, Field, Job, Once, Post, Problem, Receipt

_LIMIT, _URL_COUNTS = 500, 23  # where the instance doesn't say


class Mastodon(Platform):
    """One status per story: title, summary, link, hashtags."""

    key = "mastodon"
    label = "Mastodon"
    help = (
        "In Mastodon: Preferences, Development, New application, with the scopes "
        "read:accounts, read:statuses and write:statuses. Its access token goes here."
    )
    options = (
        Field("url", "Instance", "url", required=True, help="Such as https://mastodon.social"),
        Field(
            "visibility", "Visibility", "choice", default="public",
            choices=(("public", "Public"), ("unlisted", "Unlisted"), ("private", "Followers")),
        ),
    )  # fmt: skip
    credentials = (Field("token", "Access token", "secret", required=True),)
    capabilities = Capabilities(
        once=Once.KEY,
        in_words="Idempotency-Key, and a look through our latest statuses before sending again.",
        ruler=Ruler(_LIMIT, url_counts=_URL_COUNTS),
    )

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """Nothing to say is the one thing that can't be made to fit."""
        if not (post.title or post.summary or post.text):
            return [Problem("title", "A status needs some text.")]
        return []

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Post the status."""
        if job.again and (found := await self.look_up(job, http)):
            return found
        status = {
            "status": await _text(job, http),
            "visibility": job.options.get("visibility") or "public",
        }
        if job.post.language:
            status["language"] = job.post.language.partition("-")[0].lower()
        answer = must_be_ok(
            await http.post(
                _at(job.options, "/api/v1/statuses"),
                json=status,
                headers={"Idempotency-Key": job.post.marker},
                secret_headers=_bearer(job.credentials),
            ),
            "Mastodon",
        )
        return _receipt(answer, _object(answer), "answer")

    async def look_up(self, job: Job, http: Client) -> Receipt | None:
        """Our status among the latest 40 of this account, by its text."""
        wanted = _letters(await _text(job, http))
        with only_reading("Mastodon"):
            account = await self._account(job.options, job.credentials, http)
            answer = must_be_ok(
                await http.get(
                    _at(job.options, f"/api/v1/accounts/{account['id']}/statuses"),
                    params={"limit": 40, "exclude_replies": "true", "exclude_reblogs": "true"},
                    secret_headers=_bearer(job.credentials),
                ),
                "Mastodon",
            )
            statuses = parsed(answer, "Mastodon")
            if not isinstance(statuses, list):
                raise Unknown("Mastodon's list of statuses can't be read.", status=answer.status)
        for each in statuses:
            if isinstance(each, dict) and _letters(plain_text(str(each.get("content")))) == wanted:
                return _receipt(answer, each, "look_up")
        return None

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """Who the token belongs to."""
        account = await self._account(options, credentials, http)
        return f"Connected as @{account.get('acct') or account.get('username')}."

    async def _account(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> dict[str, Any]:
        answer = await http.get(
            _at(options, "/api/v1/accounts/verify_credentials"), secret_headers=_bearer(credentials)
        )
        return _object(must_be_ok(answer, "Mastodon"))


async def _text(job: Job, http: Client) -> str:
    """The status's text within the instance's own limits."""
    limit, url_counts = _LIMIT, _URL_COUNTS
    with only_reading("Mastodon"):
        answer = await http.get(
            _at(job.options, "/api/v2/instance"), secret_headers=_bearer(job.credentials)
        )
        # What speaks this API but is older than Mastodon 4 has no such page.
        instance = {} if answer.status == 404 else _object(must_be_ok(answer, "Mastodon"))
    if instance:
        configuration = instance.get("configuration")
        statuses = configuration.get("statuses") if isinstance(configuration, dict) else None
        if isinstance(statuses, dict):
            limit = _number(statuses.get("max_characters"), limit)
            url_counts = _number(statuses.get("characters_reserved_per_url"), url_counts)
    return short_text(job.post, Ruler(limit, url_counts=url_counts))


def _number(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and 20 <= value <= 100_000 else otherwise


def _at(options: Mapping[str, Any], path: str) -> str:
    return str(options["url"]).rstrip("/") + path


def _bearer(credentials: Mapping[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {credentials['token']}"}


def _letters(text: str) -> str:
    """A text's letters and digits: what survives an instance's own formatting of it."""
    return "".join(each for each in text.casefold() if each.isalnum())


def _object(answer: Response) -> dict[str, Any]:
    body = parsed(answer, "Mastodon")
    if not isinstance(body, dict):
        raise Unknown("Mastodon's answer is not what it should be.", status=answer.status)
    return body


def _receipt(answer: Response, status: Mapping[str, Any], confirmed_by: str) -> Receipt:
    if not status.get("id"):
        raise Unknown("Mastodon's answer names no status.", status=answer.status)
    return Receipt(
        remote_id=str(status["id"])[:300],
        remote_url=str(status.get("url") or "")[:2000],
        confirmed_by=confirmed_by,
        http_status=answer.status,
    )
