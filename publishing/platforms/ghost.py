"""Ghost, by its Admin API. https://docs.ghost.org/admin-api/

Ghost ignores an id of ours, and a used slug silently becomes `slug-2`. So: an invisible draft that
carries our marker as an internal tag (Ghost hides tags that begin with #), its id stored, then the
flip to published, which may be repeated.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any

import orjson
from slugify import slugify

from config.outbound import Client, Response
from publishing.counting import Ruler
from publishing.errors import Reauthorise, Refusal, Unknown, Wait
from publishing.platforms.base import Platform, must_be_ok, only_reading
from publishing.platforms.pictures import as_form, fetched
from publishing.platforms.reading import mapping, members, text
from publishing.post import Capabilities, Field, Job, Once, Post, Problem, Receipt, Seen

_TITLE = Ruler(255)
_SUMMARY = Ruler(300)
_ALT = 125  # characters of a feature image's description
_TOKEN_LIVES = 240  # seconds; Ghost takes five minutes at most


class Ghost(Platform):
    """A post per story."""

    key = "ghost"
    label = "Ghost"
    help = (
        "In Ghost: Settings, Integrations, Add custom integration. Its Admin API key (two parts "
        "with a colon between them) goes here."
    )
    options = (
        Field("url", "Site", "url", required=True, help="Such as https://blog.example.org"),
        Field(
            "featured", "First picture as feature image", "flag", default=True,
            help="It is uploaded to the site with its description.",
        ),
    )  # fmt: skip
    credentials = (Field("key", "Admin API key", "secret", required=True),)
    capabilities = Capabilities(
        once=Once.TWO_PHASE,
        in_words="An invisible draft with our marker as an internal tag, then a repeatable flip.",
        form="whole story",
        pictures=1,
        alt_text=True,
    )

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """Ghost wants a title of at most 255 characters."""
        if not post.title:
            return [Problem("title", "Ghost takes no post without a title.")]
        if over := _TITLE.over(post.title):
            return [Problem("title", f"Ghost's titles have 255 characters: {over} too many.")]
        return []

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Draft, then flip; an earlier attempt's draft is used again."""
        draft = None
        if job.draft_id:
            draft = await self._one(job, http, job.draft_id)
        elif job.again:
            draft = await self._found(job, http)
        if draft is None:
            draft = await self._draft(job, http)
        if text(draft, "id") != job.draft_id:
            await job.keep_draft(text(draft, "id"))
        if draft.get("status") == "published":
            return _receipt(draft, "look_up", 200)
        return await self._write(job, http, draft, status="published")

    async def look_up(self, job: Job, http: Client) -> Receipt | None:
        """The published post that carries our marker."""
        found = await self._found(job, http)
        published = found is not None and found.get("status") == "published"
        return _receipt(found, "look_up", 200) if found and published else None

    async def edit(self, job: Job, http: Client) -> Receipt:
        """Change the post; Ghost wants to be told which version we change."""
        post = await self._one(job, http, job.remote_id)
        if post is None:
            raise Refusal("The post is not there any more.", status=404)
        return await self._write(job, http, post)

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Take the post away."""
        answer = await self._ask(job, http, "DELETE", f"/posts/{job.remote_id}/")
        if answer.status != 404:
            must_be_ok(answer, "Ghost")
        return Receipt(job.remote_id, job.remote_url, http_status=answer.status)

    async def seen(self, job: Job, http: Client) -> Seen:
        """The post as it stands."""
        post = await self._one(job, http, job.remote_id)
        if post is None or post.get("status") != "published":
            return Seen(there=False)
        return Seen(there=True, text=text(post, "html"))

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """Which site it is."""
        job = Job(Post("", "", ""), options, credentials)
        answer = must_be_ok(await self._ask(job, http, "GET", "/posts/", limit="1"), "Ghost")
        mapping(answer, "Ghost")
        return f"Connected to {options['url']}."

    async def _draft(self, job: Job, http: Client) -> dict[str, Any]:
        picture = await self._featured(job, http)
        body = {**_fields(job.post), **picture, "status": "draft", "slug": _slug(job.post)}
        answer = await self._ask(job, http, "POST", "/posts/", {"posts": [body]}, source="html")
        return _post(must_be_ok(answer, "Ghost"))

    async def _featured(self, job: Job, http: Client) -> dict[str, str]:
        """The story's first picture, uploaded. https://docs.ghost.org/admin-api/images/uploading"""
        if not (job.post.pictures and job.options.get("featured", True)):
            return {}
        first = job.post.pictures[0]
        with only_reading("Ghost"):  # an image that no post names is seen by nobody
            file = await fetched(first, http)
            content, kind = as_form(file, purpose="image", ref=first.src[:200])
            answer = await self._ask(
                job, http, "POST", "/images/upload/", content=content, kind=kind
            )
            images = members(mapping(must_be_ok(answer, "Ghost"), "Ghost"), "images")
        address = text(images[0], "url") if images else ""
        return {"feature_image": address, "feature_image_alt": first.alt[:_ALT]} if address else {}

    async def _write(
        self, job: Job, http: Client, there: Mapping[str, Any], **more: str
    ) -> Receipt:
        body = {**_fields(job.post), "updated_at": text(there, "updated_at"), **more}
        path = f"/posts/{text(there, 'id')}/"
        answer = await self._ask(job, http, "PUT", path, {"posts": [body]}, source="html")
        if answer.status == 409:
            raise Wait("Somebody is changing the post in Ghost at this moment.", status=409)
        return _receipt(_post(must_be_ok(answer, "Ghost")), "answer", answer.status)

    async def _one(self, job: Job, http: Client, number: str) -> dict[str, Any] | None:
        with only_reading("Ghost"):
            answer = await self._ask(job, http, "GET", f"/posts/{number}/", formats="html")
            return None if answer.status == 404 else _post(must_be_ok(answer, "Ghost"))

    async def _found(self, job: Job, http: Client) -> dict[str, Any] | None:
        with only_reading("Ghost"):
            wanted = f"tag:hash-{_mark(job.post)}"
            answer = must_be_ok(
                await self._ask(job, http, "GET", "/posts/", filter=wanted, formats="html"), "Ghost"
            )
            posts = members(mapping(answer, "Ghost"), "posts")
        published = (each for each in posts if each.get("status") == "published")
        return next(published, posts[0] if posts else None)

    async def _ask(
        self, job: Job, http: Client, method: str, path: str,
        body: Mapping[str, Any] | None = None, *, content: bytes | None = None, kind: str = "",
        **params: str,
    ) -> Response:  # fmt: skip
        where = str(job.options["url"]).rstrip("/")
        answer = await http.request(
            method,
            f"{where}/ghost/api/admin{path}",
            params=params,
            json=body,
            content=content,
            headers={"Accept-Version": "v5.0", **({"Content-Type": kind} if kind else {})},
            secret_headers={"Authorization": f"Ghost {token(job.credentials, time.time())}"},
        )
        if answer.status == 400 and "token" in said_by_ghost(answer).lower():
            raise Reauthorise("Ghost does not know this Admin API key.", status=400)
        return answer


def token(credentials: Mapping[str, Any], now: float) -> str:
    """A token for one request: a JWT that the key's secret half signs (HS256)."""
    number, _, secret = str(credentials.get("key", "")).strip().partition(":")
    try:
        signing = bytes.fromhex(secret)
    except ValueError:
        signing = b""
    if not number or len(signing) < 16:
        raise Reauthorise("The Admin API key must be two parts with a colon between them.")
    head = {"alg": "HS256", "typ": "JWT", "kid": number}
    claims = {"iat": int(now), "exp": int(now) + _TOKEN_LIVES, "aud": "/admin/"}
    unsigned = b".".join(_base64(orjson.dumps(each)) for each in (head, claims))
    signature = _base64(hmac.new(signing, unsigned, hashlib.sha256).digest())
    return (unsigned + b"." + signature).decode()


def said_by_ghost(answer: Response) -> str:
    """Ghost's own place for what is wrong."""
    found = members(mapping(answer, "Ghost"), "errors") if answer.status < 500 else []
    return " ".join(text(found[0], name) for name in ("message", "context")) if found else ""


def _fields(post: Post) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "title": post.title,
        "html": post.html or "<p></p>",
        "tags": [{"name": tag} for tag in post.tags] + [{"name": f"#{_mark(post)}"}],
    }
    if post.summary and _SUMMARY.fits(post.summary):
        fields["custom_excerpt"] = post.summary
    if post.canonical_url:
        fields["canonical_url"] = post.canonical_url
    return fields


def _mark(post: Post) -> str:
    return f"desk-{post.marker}"


def _slug(post: Post) -> str:
    short = post.marker.replace("-", "")[:12]
    return f"{slugify(post.title, max_length=60, word_boundary=True) or 'story'}-{short}"


def _post(answer: Response) -> dict[str, Any]:
    posts = members(mapping(answer, "Ghost"), "posts")
    if not posts or not text(posts[0], "id"):
        raise Unknown("Ghost's answer names no post.", status=answer.status)
    return posts[0]


def _receipt(post: Mapping[str, Any], confirmed_by: str, status: int) -> Receipt:
    return Receipt(text(post, "id"), text(post, "url"), confirmed_by, status)


def _base64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
