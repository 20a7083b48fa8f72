"""A WordPress site's REST interface, as far as a publisher uses it.

https://developer.wordpress.org/rest-api/reference/posts/. What it does that surprises senders is
kept: no key against duplicates, a used slug gets `-2`, unregistered meta is dropped silently.
"""

import base64
import json
from datetime import UTC, datetime
from html import escape
from typing import Any, ClassVar

from aiohttp import web

from simulator import pages
from simulator.credentials import WORDPRESS_APP_PASSWORD, WORDPRESS_USER
from simulator.postings import Posting
from simulator.wordpress_posts import Fields, Post, Refused, Shelf, slug_of

API = "/wordpress/wp-json"
Answer = dict[str, Any]
_RIGHTS = ("read", "edit_posts", "publish_posts", "delete_posts", "upload_files", "editor")


class WordPress:
    """The site, its REST interface and its pages."""

    name = "WordPress"
    remembers: ClassVar[tuple[str, ...]] = ("_shelf", "_media", "_alts", "_tags")

    def __init__(self) -> None:
        self._shelf = Shelf()
        self._media: dict[int, tuple[str, str, bytes]] = {}
        self._alts: dict[int, str] = {}
        self._tags: dict[int, str] = {}

    def routes(self) -> list[web.RouteDef]:
        """What it answers to."""
        posts, post = f"{API}/wp/v2/posts", f"{API}/wp/v2/posts/{{id:\\d+}}"
        change = self._guarded(self.update)
        return [
            web.get("/wordpress/", self.front),
            web.get(f"{API}/", self.index),
            web.get(API, self.index),
            web.get(f"{API}/wp/v2/users/me", self._guarded(self.me)),
            web.post(posts, self._guarded(self.create)),
            web.get(posts, self._guarded(self.search)),
            web.get(post, self._guarded(self.read)),
            web.post(post, change),
            web.put(post, change),
            web.patch(post, change),
            web.delete(post, self._guarded(self.delete)),
            web.get(f"{API}/wp/v2/tags", self._guarded(self.search_tags)),
            web.post(f"{API}/wp/v2/tags", self._guarded(self.create_tag)),
            web.post(f"{API}/wp/v2/media", self._guarded(self.upload)),
            web.get(f"{API}/wp/v2/media", self._guarded(self.search_media)),
            web.get(f"{API}/wp/v2/media/{{id:\\d+}}", self._guarded(self.read_media)),
            web.post(f"{API}/wp/v2/media/{{id:\\d+}}", self._guarded(self.describe_media)),
            web.get(f"{API}/wp/v2/comments", self._guarded(self.comments)),
            web.get("/wordpress/wp-content/uploads/{id:\\d+}/{name}", self.media_file),
            web.get("/wordpress/{slug}/", self.page),
            web.get("/wordpress/{slug}", self.page),
        ]

    def postings(self) -> list[Posting]:
        """Everything but what was erased; the slug that was asked for is the marker."""
        return [
            Posting(
                id=str(post.id),
                marker=post.asked_slug,
                title=post.title,
                html=post.content,
                path=f"/wordpress/{post.slug}/" if post.is_public else "",
                at=post.date,
                public=post.is_public,
            )
            for post in self._shelf.posts.values()
        ]

    def clear(self) -> None:
        """An empty site."""
        self._shelf = Shelf()
        self._media.clear()
        self._alts.clear()
        self._tags.clear()

    def refusal(self, status: int, retry_after: float) -> web.Response:
        """An error as WordPress (or the server in front of it) says it."""
        said = {
            401: (
                "incorrect_password",
                "The provided password is an invalid application password.",
            ),
            429: ("too_many_requests", "Too many requests."),
            503: ("service_unavailable", "Briefly unavailable for scheduled maintenance."),
        }
        code, message = said.get(status, ("error", "Refused."))
        return _error(Refused(status, code, message))

    async def front(self, request: web.Request) -> web.Response:
        """The site's front page, which also says where the interface is."""
        rows = "".join(
            f'<li><a href="/wordpress/{post.slug}/">{escape(post.title)}</a></li>'
            for post in reversed(self._shelf.posts.values())
            if post.is_public
        )
        response = pages.page("The Desk's Site", f"<h1>The Desk's Site</h1><ul>{rows}</ul>")
        response.headers["Link"] = f'<{_base(request)}{API}/>; rel="https://api.w.org/"'
        return response

    async def index(self, request: web.Request) -> web.Response:
        """What the site is and can do."""
        site = f"{_base(request)}/wordpress"
        grants = {"endpoints": {"authorization": f"{site}/wp-admin/authorize-application.php"}}
        return _json(
            {
                "name": "The Desk's Site",
                "description": "Where the simulator's WordPress posts appear",
                "url": site,
                "home": site,
                "gmt_offset": "0",
                "timezone_string": "UTC",
                "namespaces": ["wp/v2"],
                "authentication": {"application-passwords": grants},
                "routes": {
                    f"/wp/v2/{name}": {"namespace": "wp/v2", "methods": ["GET", "POST"]}
                    for name in ("posts", "media", "tags", "users/me")
                },
            }
        )

    async def me(self, request: web.Request) -> web.Response:
        """Whose password it is."""
        if not _signed_in(request):
            raise Refused(401, "rest_not_logged_in", "You are not currently logged in.")
        known = {"id": 1, "name": WORDPRESS_USER, "url": "", "description": "", "slug": "desk"}
        more = {
            "username": WORDPRESS_USER,
            "roles": ["editor"],
            "capabilities": dict.fromkeys(_RIGHTS, True),
        }
        return _json(known | (more if request.query.get("context") == "edit" else {}))

    async def create(self, request: web.Request) -> web.Response:
        """A new post: 201, its address in `Location`."""
        _must_sign_in(
            request,
            "rest_cannot_create",
            "Sorry, you are not allowed to create posts as this user.",
        )
        post = self._shelf.add(Fields.from_json(await _sent(request)))
        shown = self._shown(post, request, edit=True)
        location = f"{_base(request)}{API}/wp/v2/posts/{post.id}"
        return _json(shown, status=201, headers={"Location": location})

    async def update(self, request: web.Request) -> web.Response:
        """Changes the fields that were sent."""
        _must_sign_in(request, "rest_cannot_edit", "Sorry, you are not allowed to edit this post.")
        post = self._shelf.get(int(request.match_info["id"]))
        self._shelf.change(post, Fields.from_json(await _sent(request)))
        return _json(self._shown(post, request, edit=True))

    async def read(self, request: web.Request) -> web.Response:
        """One post; what isn't public needs a sign-in."""
        post = self._shelf.get(int(request.match_info["id"]))
        if not post.is_public:
            _must_sign_in(request, "rest_forbidden", "Sorry, you are not allowed to do that.")
        return _json(self._shown(post, request, edit=_wants_edit(request)))

    async def search(self, request: web.Request) -> web.Response:
        """Posts by `slug`, `status`, `search`, a page at a time, newest first."""
        query = request.query
        statuses = query.get("status", "publish").split(",")
        if statuses != ["publish"] and not _signed_in(request):
            forbidden = {"status": "Status is forbidden."}
            message = "Invalid parameter(s): status"
            raise Refused(400, "rest_invalid_param", message, {"params": forbidden})
        slugs = query["slug"].split(",") if "slug" in query else None
        found = self._shelf.search(statuses, slugs, query.get("search", ""))
        per_page, page = _whole(query.get("per_page"), 10, 100), _whole(query.get("page"), 1)
        pages_in_all = -(-len(found) // per_page)
        if page > max(pages_in_all, 1):
            message = "The page number requested is larger than the number of pages available."
            raise Refused(400, "rest_post_invalid_page_number", message)
        shown = found[(page - 1) * per_page : page * per_page]
        return _json(
            [self._shown(post, request, edit=_wants_edit(request)) for post in shown],
            headers={"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages_in_all)},
        )

    async def delete(self, request: web.Request) -> web.Response:
        """Into the trash, or with `force=true` away for good."""
        _must_sign_in(
            request, "rest_cannot_delete", "Sorry, you are not allowed to delete this post."
        )
        post = self._shelf.get(int(request.match_info["id"]))
        previous = self._shown(post, request, edit=True)
        if request.query.get("force") in ("true", "1"):
            self._shelf.erase(post)
            return _json({"deleted": True, "previous": previous})
        self._shelf.trash(post)
        return _json(self._shown(post, request, edit=True))

    async def search_tags(self, request: web.Request) -> web.Response:
        """Tags whose name contains `search`, or of a `slug`."""
        wanted, slug = request.query.get("search", "").lower(), request.query.get("slug")
        found = [
            _tag(number, name)
            for number, name in self._tags.items()
            if wanted in name.lower() and slug in (None, slug_of(name))
        ]
        total = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": "1"}
        return _json(found[: _whole(request.query.get("per_page"), 10, 100)], headers=total)

    async def create_tag(self, request: web.Request) -> web.Response:
        """A new tag; a name that exists is refused with its id."""
        _must_sign_in(
            request,
            "rest_cannot_create",
            "Sorry, you are not allowed to create terms in this taxonomy.",
        )
        name = str((await _sent(request)).get("name", "")).strip()
        if not name:
            missing = {"params": ["name"]}
            raise Refused(400, "rest_missing_callback_param", "Missing parameter(s): name", missing)
        for number, known in self._tags.items():
            if slug_of(known) == slug_of(name):
                message = "A term with the name provided already exists in this taxonomy."
                raise Refused(400, "term_exists", message, {"term_id": number})
        number = len(self._tags) + 2  # 1 is the default category in the same table
        self._tags[number] = name
        return _json(_tag(number, name), status=201)

    async def upload(self, request: web.Request) -> web.Response:
        """A file as the raw body, its name in Content-Disposition."""
        _must_sign_in(
            request,
            "rest_cannot_create",
            "Sorry, you are not allowed to create posts as this user.",
        )
        body = await request.read()
        if not body:
            raise Refused(400, "rest_upload_no_data", "No data supplied.")
        said = request.headers.get("Content-Disposition", "")
        name = said.partition("filename=")[2].split(";")[0].strip(' "')
        if not name:
            message = "No Content-Disposition supplied."
            raise Refused(400, "rest_upload_no_content_disposition", message)
        number = self._shelf.next_id()
        self._media[number] = (name.replace("/", "-"), request.content_type, body)
        return _json(self._medium(number, request), status=201)

    async def read_media(self, request: web.Request) -> web.Response:
        """One uploaded file's description."""
        number = int(request.match_info["id"])
        if number not in self._media:
            raise Refused(404, "rest_post_invalid_id", "Invalid post ID.")
        return _json(self._medium(number, request))

    async def search_media(self, request: web.Request) -> web.Response:
        """Uploaded files, of a `slug`: the name without its ending."""
        slug = request.query.get("slug")
        shown = [self._medium(number, request) for number in self._media]
        return _json([each for each in shown if slug in (None, each["slug"])])

    async def describe_media(self, request: web.Request) -> web.Response:
        """Sets what a picture shows (`alt_text`)."""
        _must_sign_in(request, "rest_cannot_edit", "Sorry, you are not allowed to edit this post.")
        number = int(request.match_info["id"])
        if number not in self._media:
            raise Refused(404, "rest_post_invalid_id", "Invalid post ID.")
        self._alts[number] = str((await _sent(request)).get("alt_text", ""))
        return _json(self._medium(number, request))

    async def comments(self, request: web.Request) -> web.Response:
        """Nobody comments here."""
        return _json([], headers={"X-WP-Total": "0", "X-WP-TotalPages": "0"})

    async def media_file(self, request: web.Request) -> web.Response:
        """The file itself."""
        name, media_type, body = self._media.get(int(request.match_info["id"]), ("", "", b""))
        if name != request.match_info["name"]:
            return pages.not_found("No such file.")
        return web.Response(body=body, content_type=media_type)

    async def page(self, request: web.Request) -> web.Response:
        """A published post for readers."""
        post = self._shelf.by_slug(request.match_info["slug"])
        if post is None or not post.is_public:
            return pages.not_found("It looks like nothing was found at this location.")
        return pages.article_page(
            post.title,
            post.content,
            byline=f"{WORDPRESS_USER} · {post.date:%d %B %Y, %H:%M} UTC",
            site="The Desk's Site",
        )

    def _guarded(self, handler: Any) -> Any:
        """Turns a refusal into WordPress's error, and refuses a wrong password at every door."""

        async def answer(request: web.Request) -> web.Response:
            try:
                _check_password(request)
                response: web.Response = await handler(request)
            except Refused as refusal:
                return _error(refusal)
            return response

        return answer

    def _shown(self, post: Post, request: web.Request, *, edit: bool) -> Answer:
        shown = post.as_json(f"{_base(request)}/wordpress", edit=edit)
        href = f"{_base(request)}{API}/wp/v2/posts/{post.id}"
        return shown | {"_links": {"self": [{"href": href}]}}

    def _medium(self, number: int, request: web.Request) -> Answer:
        name, media_type, _ = self._media[number]
        url = f"{_base(request)}/wordpress/wp-content/uploads/{number}/{name}"
        kind = "image" if media_type.startswith("image/") else "file"
        slug = slug_of(name.rpartition(".")[0] or name)
        about = {"id": number, "slug": slug, "type": "attachment", "status": "inherit"}
        about["alt_text"] = self._alts.get(number, "")
        return about | {"media_type": kind, "mime_type": media_type, "source_url": url, "link": url}


def _check_password(request: web.Request) -> None:
    """Refuses a sign-in that is there and wrong; none at all is a visitor."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        user = password = ""
    if user != WORDPRESS_USER:
        message = "Unknown username. Check again or try your email address."
        raise Refused(401, "invalid_username", message)
    if password.replace(" ", "") != WORDPRESS_APP_PASSWORD.replace(" ", ""):
        message = "The provided password is an invalid application password."
        raise Refused(401, "incorrect_password", message)


def _signed_in(request: web.Request) -> bool:
    return request.headers.get("Authorization", "").lower().startswith("basic ")


def _must_sign_in(request: web.Request, code: str, message: str) -> None:
    if not _signed_in(request):
        raise Refused(401, code, message)


async def _sent(request: web.Request) -> dict[str, Any]:
    """The fields, from JSON or a form."""
    if request.content_type != "application/json":
        return dict(await request.post())
    try:
        sent = json.loads(await request.text() or "{}")
    except ValueError:
        raise Refused(400, "rest_invalid_json", "Invalid JSON body passed.") from None
    return sent if isinstance(sent, dict) else {}


def _wants_edit(request: web.Request) -> bool:
    return request.query.get("context") == "edit" and _signed_in(request)


def _whole(given: str | None, default: int, most: int = 1_000_000) -> int:
    if given is None:
        return default
    if not given.isdigit() or not 1 <= int(given) <= most:
        message = "Invalid parameter(s): per_page"
        raise Refused(400, "rest_invalid_param", message, {"params": {"per_page": message}})
    return int(given)


def _tag(number: int, name: str) -> Answer:
    return {"id": number, "count": 0, "name": name, "slug": slug_of(name), "taxonomy": "post_tag"}


def _base(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"


def _json(answer: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    at = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    known = {"X-Robots-Tag": "noindex", "X-Content-Type-Options": "nosniff", "Date": at}
    return web.json_response(answer, status=status, headers=known | (headers or {}))


def _error(refusal: Refused) -> web.Response:
    data = {"status": refusal.status} | refusal.data
    body = {"code": refusal.code, "message": refusal.message, "data": data}
    return _json(body, status=refusal.status)
