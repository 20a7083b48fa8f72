"""Micropub, the IndieWeb's way to post to one's own site. https://www.w3.org/TR/micropub/

Micropub takes no key. A post is asked for under a slug with our marker (mp-slug, an extension that
most servers heed), and found again by it in the server's list (q=source).
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from slugify import slugify

from config.outbound import Client, Response
from publishing.errors import Reauthorise, Refusal, Unknown
from publishing.platforms.base import Platform, must_be_ok, only_reading, said_by
from publishing.platforms.reading import complaint, mapping, member, members, parsed, text
from publishing.post import Capabilities, Field, Job, Once, Post, Problem, Receipt, Seen


class Micropub(Platform):
    """An h-entry per story."""

    key = "micropub"
    label = "Micropub"
    help = (
        "For sites of the IndieWeb: the address of the Micropub endpoint (the page names it as "
        "rel=micropub) and a token with the scopes create, update and delete."
    )
    options = (Field("url", "Endpoint", "url", required=True),)
    credentials = (Field("token", "Access token", "secret", required=True),)
    capabilities = Capabilities(
        once=Once.LOOK_UP,
        in_words="A slug that carries our marker, looked for in the site's own list.",
        form="whole story",
        pictures=1,
        alt_text=True,
    )

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """An entry needs some text."""
        if not (post.title or post.text):
            return [Problem("title", "An entry needs a title or some text.")]
        return []

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Create the entry; its address is in Location."""
        body = {
            "type": ["h-entry"],
            "properties": {**_properties(job.post), "mp-slug": [_slug(job)]},
        }
        answer = _read(await _ask(job, http, "POST", json=body))
        place = answer.headers.get("location", "")
        if answer.status not in (201, 202) or not place:
            raise Unknown("The site took the entry, but does not say where it is.",
                          status=answer.status, excerpt=answer.text()[:1000])  # fmt: skip
        place = urljoin(str(job.options["url"]), place)
        return Receipt(place[:300], place, http_status=answer.status)

    async def look_up(self, job: Job, http: Client) -> Receipt | None:
        """The entry whose address ends with our slug."""
        with only_reading("The site"):
            answer = _read(await _ask(job, http, "GET", params={"q": "source", "limit": 100}))
            body = parsed(answer, "The site")
        items = members(body, "items") if isinstance(body, dict) else []
        for each in items:
            urls = member(each, "properties").get("url")
            for url in urls if isinstance(urls, list) else []:
                if isinstance(url, str) and _slug(job) in url:
                    return Receipt(url[:300], url, "look_up", answer.status)
        return None

    async def edit(self, job: Job, http: Client) -> Receipt:
        """Replace what the entry says."""
        body = {"action": "update", "url": job.remote_url, "replace": _properties(job.post)}
        answer = _read(await _ask(job, http, "POST", json=body))
        place = answer.headers.get("location", "") or job.remote_url
        return Receipt(job.remote_id, place, http_status=answer.status)

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Take the entry away."""
        body = {"action": "delete", "url": job.remote_url}
        answer = await _ask(job, http, "POST", json=body)
        if answer.status not in (404, 410):
            _read(answer)
        return Receipt(job.remote_id, job.remote_url, http_status=answer.status)

    async def seen(self, job: Job, http: Client) -> Seen:
        """The entry as the site's own list has it."""
        with only_reading("The site"):
            answer = await _ask(job, http, "GET", params={"q": "source", "url": job.remote_url})
            if answer.status in (400, 404, 410):
                return Seen(there=False)
            body = mapping(_read(answer), "The site")
        content = member(body, "properties").get("content")
        first = content[0] if isinstance(content, list) and content else ""
        return Seen(True, text(first, "html") if isinstance(first, dict) else str(first))

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """Whether the endpoint knows the token."""
        job = Job(Post("", "", ""), options, credentials)
        mapping(_read(await _ask(job, http, "GET", params={"q": "config"})), "The site")
        return f"Connected to {options['url']}."


def _properties(post: Post) -> dict[str, list[Any]]:
    properties: dict[str, list[Any]] = {
        "name": [post.title],
        "content": [{"html": post.html}],
        "summary": [post.summary],
        "category": list(post.tags),
        "syndication": [],
        "bookmark-of": [post.url] if post.url else [],
        "photo": [{"value": each.src, "alt": each.alt} for each in post.pictures[:1]],
    }
    return {name: values for name, values in properties.items() if any(values)}


def _slug(job: Job) -> str:
    short = job.post.marker.replace("-", "")[:12]
    return f"{slugify(job.post.title, max_length=50, word_boundary=True) or 'story'}-{short}"


async def _ask(job: Job, http: Client, method: str, **more: Any) -> Response:
    return await http.request(
        method,
        str(job.options["url"]),
        headers={"Accept": "application/json"},
        secret_headers={"Authorization": f"Bearer {job.credentials['token']}"},
        **more,
    )


def _read(answer: Response) -> Response:
    if answer.status in (400, 401, 403):
        name = text(complaint(answer), "error")
        about: dict[str, Any] = {"status": answer.status, "excerpt": answer.text()[:1000]}
        if name == "insufficient_scope":
            raise Reauthorise("The token lacks a scope: create, update and delete.", **about)
        if name == "invalid_request":
            raise Refusal(f"The site refused it: {said_by(answer)}", **about)
    return must_be_ok(answer, "The site")
