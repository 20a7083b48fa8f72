"""WordPress by its REST API. https://developer.wordpress.org/rest-api/reference/posts/

WordPress takes no key of ours, and a used slug silently becomes `slug-2`. So: an invisible draft
first, whose slug carries our marker; its number is stored before the next step; then the draft is
flipped to published, which may be repeated. A lost answer leaves at worst a draft too many.
"""

import base64
import re
from collections.abc import Mapping
from typing import Any

from slugify import slugify

from articles.clean import plain_text
from config.outbound import Client, Response
from publishing.errors import Reauthorise, Refusal, Unknown
from publishing.platforms.base import Platform, must_be_ok, only_reading
from publishing.platforms.pictures import fetched
from publishing.platforms.reading import count, member, parsed, text
from publishing.post import Capabilities, Counts, Field, Job, Once, Post, Problem, Receipt, Seen


class WordPress(Platform):
    """A post per story."""

    key = "wordpress"
    label = "WordPress"
    help = (
        "In WordPress: Users, Profile, Application Passwords. The account needs the role Author "
        "or higher. WordPress takes application passwords over https only."
    )
    options = (
        Field("url", "Site", "url", required=True, help="Such as https://blog.example.org"),
        Field(
            "featured", "First picture as featured image", "flag", default=True,
            help="It is uploaded to the site's media with its description.",
        ),
    )  # fmt: skip
    credentials = (
        Field("user", "User name", "text", required=True),
        Field("app_password", "Application password", "secret", required=True),
    )
    capabilities = Capabilities(
        once=Once.TWO_PHASE,
        in_words="An invisible draft under a slug that carries our marker, then a repeatable flip.",
        form="whole story",
        pictures=1,
        alt_text=True,
        tried_against="WordPress 6.5",
    )

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """WordPress refuses a post with neither title nor text."""
        if not (post.title or post.text):
            return [Problem("title", "WordPress takes no post without title and text.")]
        return []

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Draft, then flip; an earlier attempt's draft is used again."""
        draft_id = job.draft_id
        if not draft_id and job.again:
            draft_id = str((await self._found(job, http) or {}).get("id", ""))
        if not draft_id:
            media = await self._picture(job, http)
            draft_id = str((await self._draft(job, http, media))["id"])
        if draft_id != job.draft_id:
            await job.keep_draft(draft_id)
        answer = await self._ask(
            job.options, job.credentials, http, "POST", f"/posts/{draft_id}",
            json={"status": "publish", **_fields(job.post)},
        )  # fmt: skip
        return _receipt(_object(answer), "answer", answer.status)

    async def look_up(self, job: Job, http: Client) -> Receipt | None:
        """The published post whose slug carries our marker."""
        found = await self._found(job, http)
        if found is None or found.get("status") != "publish":
            return None
        return _receipt(found, "look_up", 200)

    async def edit(self, job: Job, http: Client) -> Receipt:
        """Give the post its new text; address and featured image stay."""
        answer = await self._ask(
            job.options, job.credentials, http, "POST", f"/posts/{_number(job)}",
            json=_fields(job.post),
        )  # fmt: skip
        return _receipt(_object(answer), "answer", answer.status)

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Move the post to the trash, where the site's own people find it."""
        answer = await self._send(
            job.options, job.credentials, http, "DELETE", f"/posts/{_number(job)}"
        )
        if answer.status not in (404, 410):  # 410: it is in the trash already
            _read(answer)
        return Receipt(job.remote_id, job.remote_url, http_status=answer.status)

    async def seen(self, job: Job, http: Client) -> Seen:
        """The post as it stands for readers."""
        with only_reading("WordPress"):
            answer = await self._send(
                job.options, job.credentials, http, "GET", f"/posts/{_number(job)}",
                params={"context": "edit"},
            )  # fmt: skip
            post = {} if answer.status in (404, 410) else _object(_read(answer))
        if post.get("status") != "publish":
            return Seen(there=False)
        return Seen(there=True, text=plain_text(text(member(post, "content"), "rendered")))

    async def counts(self, job: Job, http: Client) -> Counts:
        """Its comments, which is all that WordPress counts without a plugin."""
        with only_reading("WordPress"):
            answer = await self._ask(
                job.options, job.credentials, http, "GET", "/comments",
                params={"post": _number(job), "per_page": 1},
            )  # fmt: skip
        total = answer.headers.get("x-wp-total", "")
        return Counts(replies=int(total) if re.fullmatch(r"[0-9]{1,9}", total) else None)

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """Who the password belongs to, and whether it may write."""
        answer = await self._ask(
            options, credentials, http, "GET", "/users/me", params={"context": "edit"}
        )
        user = _object(answer)
        rights = user.get("capabilities")
        if isinstance(rights, dict) and not rights.get("publish_posts", False):
            raise Refusal("WordPress knows this account, but it may not publish posts.")
        return f"Connected as {user.get('name') or user.get('slug')}."

    async def _draft(self, job: Job, http: Client, media: int) -> dict[str, Any]:
        draft = {"status": "draft", "slug": slug_of(job.post), **_fields(job.post)}
        answer = await self._ask(
            job.options, job.credentials, http, "POST", "/posts",
            json=draft | ({"featured_media": media} if media else {}),
        )  # fmt: skip
        return _object(answer)

    async def _picture(self, job: Job, http: Client) -> int:
        """The number of the featured image in the site's media; 0 for none.

        Its name carries our marker, so that a repetition finds it. No reader sees it before the
        post does.
        """
        if not (job.post.pictures and job.options.get("featured", True)):
            return 0
        name = f"newsdesk-{_short(job.post)}"
        with only_reading("WordPress"):
            if job.again and (number := await self._uploaded(job, http, name)):
                return number
            picture = job.post.pictures[0]
            file = await fetched(picture, http)
            answer = await self._ask(
                job.options, job.credentials, http, "POST", "/media", content=file.content,
                headers={
                    "Content-Type": file.content_type,
                    "Content-Disposition":
                        f'attachment; filename="{name}.{file.name.rpartition(".")[2]}"',
                },
            )  # fmt: skip
            number = int(_object(answer)["id"])
            if picture.alt:
                await self._ask(
                    job.options, job.credentials, http, "POST", f"/media/{number}",
                    json={"alt_text": picture.alt},
                )  # fmt: skip
        return number

    async def _uploaded(self, job: Job, http: Client, name: str) -> int:
        answer = await self._ask(
            job.options, job.credentials, http, "GET", "/media", params={"slug": name}
        )
        found = parsed(answer, "WordPress")
        numbers = [count(e, "id") or 0 for e in found if isinstance(e, dict)]
        return numbers[0] if numbers else 0

    async def _found(self, job: Job, http: Client) -> dict[str, Any] | None:
        with only_reading("WordPress"):
            answer = await self._ask(
                job.options, job.credentials, http, "GET", "/posts",
                params={"slug": slug_of(job.post), "status": "any", "context": "edit"},
            )  # fmt: skip
            posts = parsed(answer, "WordPress")
            if not isinstance(posts, list):
                raise Unknown("WordPress's list of posts can't be read.", status=answer.status)
        posts = [post for post in posts if isinstance(post, dict) and post.get("id")]
        return next((p for p in posts if p.get("status") == "publish"), posts[0] if posts else None)

    async def _ask(
        self,
        options: Mapping[str, Any],
        credentials: Mapping[str, Any],
        http: Client,
        method: str,
        path: str,
        **more: Any,
    ) -> Response:
        return _read(await self._send(options, credentials, http, method, path, **more))

    async def _send(
        self,
        options: Mapping[str, Any],
        credentials: Mapping[str, Any],
        http: Client,
        method: str,
        path: str,
        **more: Any,
    ) -> Response:
        address = f"{str(options['url']).rstrip('/')}/wp-json/wp/v2{path}"
        words = f"{credentials['user']}:{credentials['app_password']}"
        login = base64.b64encode(words.encode()).decode()
        return await http.request(
            method, address, secret_headers={"Authorization": f"Basic {login}"}, **more
        )


def slug_of(post: Post) -> str:
    """The title in the address, and enough of our marker that no other post has it."""
    return f"{slugify(post.title, max_length=60, word_boundary=True) or 'story'}-{_short(post)}"


def _short(post: Post) -> str:
    return post.marker.replace("-", "")[:12]


def _number(job: Job) -> str:
    if not job.remote_id.isdigit():
        raise Refusal("It is not known which post this is.")
    return job.remote_id


def _read(answer: Response) -> Response:
    if answer.status == 403 and "rest_cannot" in answer.text():
        raise Reauthorise(
            "WordPress knows the account, but it may not do this (role Author or higher).",
            status=403,
            excerpt=answer.text()[:1000],
        )
    return must_be_ok(answer, "WordPress")


def _fields(post: Post) -> dict[str, Any]:
    return {"title": post.title, "content": post.html, "excerpt": post.summary}


def _object(answer: Response) -> dict[str, Any]:
    body = parsed(answer, "WordPress")
    if not isinstance(body, dict) or not isinstance(body.get("id"), int):
        raise Unknown("WordPress's answer names no post.", status=answer.status)
    return body


def _receipt(post: Mapping[str, Any], confirmed_by: str, status: int) -> Receipt:
    return Receipt(
        remote_id=str(post["id"]),
        remote_url=str(post.get("link") or "")[:2000],
        confirmed_by=confirmed_by,
        http_status=status,
    )
