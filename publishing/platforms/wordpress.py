"""WordPress by its REST API. https://developer.wordpress.org/rest-api/reference/posts/

WordPress takes no key of ours, and a used slug silently becomes `slug-2`. So: an invisible draft
first, whose slug carries our marker; its number is stored before the next step; then the draft is
flipped to published, which may be repeated. A lost answer leaves at worst a draft too many.
"""

import base64
from collections.abc import Mapping
from typing import Any

from slugify import slugify

from config.outbound import Client, Response
from publishing.errors import Reauthorise, Refusal, Unknown
from publishing.platforms.base import Platform, must_be_ok, only_reading
from publishing.platforms.reading import parsed
from publishing.post import Capabilities, Field, Job, Once, Post, Problem, Receipt


class WordPress(Platform):
    """A post per story."""

    key = "wordpress"
    label = "WordPress"
    help = (
        "In WordPress: Users, Profile, Application Passwords. The account needs the role Author "
        "or higher. WordPress takes application passwords over https only."
    )
    options = (Field("url", "Site", "url", required=True, help="Such as https://blog.example.org"),)
    credentials = (
        Field("user", "User name", "text", required=True),
        Field("app_password", "Application password", "secret", required=True),
    )
    capabilities = Capabilities(
        once=Once.TWO_PHASE,
        in_words="An invisible draft under a slug that carries our marker, then a repeatable flip.",
        form="whole story",
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
            draft_id = str((await self._draft(job, http))["id"])
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

    async def _draft(self, job: Job, http: Client) -> dict[str, Any]:
        answer = await self._ask(
            job.options, job.credentials, http, "POST", "/posts",
            json={"status": "draft", "slug": slug_of(job.post), **_fields(job.post)},
        )  # fmt: skip
        return _object(answer)

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
        address = f"{str(options['url']).rstrip('/')}/wp-json/wp/v2{path}"
        words = f"{credentials['user']}:{credentials['app_password']}"
        login = base64.b64encode(words.encode()).decode()
        answer = await http.request(
            method, address, secret_headers={"Authorization": f"Basic {login}"}, **more
        )
        if answer.status == 403 and "rest_cannot" in answer.text():
            raise Reauthorise(
                "WordPress knows the account, but it may not do this (role Author or higher).",
                status=403,
                excerpt=answer.text()[:1000],
            )
        return must_be_ok(answer, "WordPress")


def slug_of(post: Post) -> str:
    """The title in the address, and enough of our marker that no other post has it."""
    short = post.marker.replace("-", "")[:12]
    return f"{slugify(post.title, max_length=60, word_boundary=True) or 'story'}-{short}"


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
