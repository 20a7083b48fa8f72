"""DEV, and what runs on Forem. https://developers.forem.com/api/v1

Forem refuses an article whose canonical address, or whose title and text, one of ours has already
(422), but has been seen to make a draft in spite of a 422 (forem/forem#16664): after one we look.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import regex

from config.outbound import Client, Response
from publishing import writing
from publishing.counting import Ruler
from publishing.document import read
from publishing.errors import Refusal, Unknown
from publishing.platforms.base import Platform, must_be_ok, only_reading, said_by
from publishing.platforms.reading import count, mapping, parsed, text
from publishing.post import Capabilities, Counts, Field, Job, Once, Post, Problem, Receipt, Seen

_TITLE = Ruler(128)
_MOST_TAGS = 4


class Dev(Platform):
    """An article per story, in Markdown."""

    key = "devto"
    label = "DEV (Forem)"
    help = (
        "In DEV: Settings, Extensions, DEV Community API Keys. DEV lets an account write one "
        "article a second, ten in thirty seconds."
    )
    options = (
        Field("url", "Site", "url", default="https://dev.to", help="Or your own Forem's."),
        Field("organization", "Organisation's number", "number", help="To publish under it."),
    )
    credentials = (Field("key", "API key", "secret", required=True),)
    capabilities = Capabilities(
        once=Once.LOOK_UP,
        in_words="Our marker stands in the article as a comment; our own articles are searched.",
        form="whole story",
    )

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """A title is needed, and not a long one."""
        if not post.title:
            return [Problem("title", "DEV takes no article without a title.")]
        if over := _TITLE.over(post.title):
            return [Problem("title", f"DEV's titles have 128 characters: {over} too many.")]
        return []

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Publish the article."""
        answer = await _ask(job, http, "POST", "/articles", json={"article": _article(job)})
        if answer.status == 422:
            if (found := await self.look_up(job, http)) is not None:
                return found
            raise Refusal(f"DEV refused it: {said_by(answer)}", status=422, excerpt=answer.text())
        return _receipt(must_be_ok(answer, "DEV"), "answer")

    async def look_up(self, job: Job, http: Client) -> Receipt | None:
        """The article that carries our marker among our last hundred, drafts included."""
        with only_reading("DEV"):
            answer = must_be_ok(
                await _ask(job, http, "GET", "/articles/me/all", params={"per_page": 100}), "DEV"
            )
            found = parsed(answer, "DEV")
        for each in found if isinstance(found, list) else []:
            if isinstance(each, dict) and _mark(job.post) in text(each, "body_markdown"):
                if each.get("published") is not True:  # made in spite of its refusal
                    return await self.edit(_at(job, each), http)
                return Receipt(text(each, "id"), text(each, "url"), "look_up", answer.status)
        return None

    async def edit(self, job: Job, http: Client) -> Receipt:
        """Change the article."""
        path = f"/articles/{_number(job)}"
        answer = await _ask(job, http, "PUT", path, json={"article": _article(job)})
        return _receipt(must_be_ok(answer, "DEV"), "answer")

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Unpublish the article: DEV lets nobody delete one through its API."""
        body = {"article": {"published": False}}
        answer = await _ask(job, http, "PUT", f"/articles/{_number(job)}", json=body)
        if answer.status != 404:
            must_be_ok(answer, "DEV")
        return Receipt(job.remote_id, job.remote_url, http_status=answer.status)

    async def seen(self, job: Job, http: Client) -> Seen:
        """The article as it stands."""
        with only_reading("DEV"):
            answer = await _ask(job, http, "GET", f"/articles/{_number(job)}")
            if answer.status == 404:
                return Seen(there=False)
            body = mapping(must_be_ok(answer, "DEV"), "DEV")
        return Seen(there=True, text=text(body, "body_markdown"))

    async def counts(self, job: Job, http: Client) -> Counts:
        """Views, reactions and comments; views are told to the author only."""
        with only_reading("DEV"):
            answer = must_be_ok(
                await _ask(job, http, "GET", "/articles/me/published", params={"per_page": 100}),
                "DEV",
            )
            found = parsed(answer, "DEV")
        for each in found if isinstance(found, list) else []:
            if isinstance(each, dict) and text(each, "id") == job.remote_id:
                return Counts(
                    views=count(each, "page_views_count"),
                    reactions=count(each, "public_reactions_count"),
                    replies=count(each, "comments_count"),
                )
        return Counts()

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """Whose key it is."""
        job = Job(Post("", "", ""), options, credentials)
        answer = must_be_ok(await _ask(job, http, "GET", "/users/me"), "DEV")
        return f"Connected as @{text(mapping(answer, 'DEV'), 'username')}."


def _article(job: Job) -> dict[str, Any]:
    post = job.post
    article: dict[str, Any] = {
        "title": post.title,
        "body_markdown": f"{writing.markdown(read(post.html))}\n\n{_mark(post)}\n",
        "published": True,
        "description": post.summary,
        "tags": _tags(post),
    }
    if post.canonical_url:
        article["canonical_url"] = post.canonical_url
    if post.pictures:
        article["main_image"] = post.pictures[0].src
    if number := job.options.get("organization"):
        article["organization_id"] = number
    return article


def _mark(post: Post) -> str:
    """A Markdown comment that no reader sees."""
    return f"<!-- newsdesk {post.marker} -->"


def _tags(post: Post) -> list[str]:
    """Letters and digits, four at most."""
    words = (regex.sub(r"[^\p{L}\p{N}]", "", tag).lower() for tag in post.tags)
    return list(dict.fromkeys(filter(None, words)))[:_MOST_TAGS]


async def _ask(job: Job, http: Client, method: str, path: str, **more: Any) -> Response:
    where = str(job.options.get("url") or "https://dev.to").rstrip("/")
    return await http.request(
        method,
        f"{where}/api{path}",
        headers={"Accept": "application/vnd.forem.api-v1+json"},
        secret_headers={"api-key": str(job.credentials["key"])},
        **more,
    )


def _at(job: Job, article: Mapping[str, Any]) -> Job:
    return replace(job, remote_id=text(article, "id"))


def _number(job: Job) -> str:
    if not job.remote_id.isdigit():
        raise Refusal("It is not known which article this is.")
    return job.remote_id


def _receipt(answer: Response, confirmed_by: str) -> Receipt:
    body = mapping(answer, "DEV")
    if not text(body, "id"):
        raise Unknown("DEV's answer names no article.", status=answer.status)
    return Receipt(text(body, "id"), text(body, "url"), confirmed_by, answer.status)
