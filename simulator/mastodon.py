"""A Mastodon server, as far as one account's publisher uses it.

https://docs.joinmastodon.org/methods/statuses/. Its Idempotency-Key is read and kept for an hour.
"""

import json
import time
from datetime import UTC, datetime
from typing import Any, ClassVar

from aiohttp import web

from simulator import pages
from simulator.credentials import MASTODON_ACCOUNT, MASTODON_TOKEN
from simulator.limits import Allowance
from simulator.mastodon_statuses import CHARACTERS, URL_LENGTH, Draft, Rejected, Status
from simulator.postings import Posting
from simulator.readers import audience

KEY_LIFETIME = 3600  # seconds
# A large server's: a benchmark mustn't measure the simulator's limit. The real default is 300.
ALLOWED, WINDOW = 30_000, 300
ACCOUNT_ID = "110224538612341312"


class Mastodon:
    """The server, with the one account the token belongs to."""

    name = "Mastodon"
    remembers: ClassVar[tuple[str, ...]] = ("_statuses", "_keys", "_media", "_last_id", "_told")

    def __init__(self) -> None:
        self._allowance = Allowance(ALLOWED, WINDOW)
        self.clear()

    def routes(self) -> list[web.RouteDef]:
        """What it answers to."""
        api, one = "/mastodon/api", "/mastodon/api/v1/statuses/{id}"
        account = f"/mastodon/@{MASTODON_ACCOUNT}"
        return [
            web.get(f"{api}/v2/instance", self.instance),
            web.get(f"{api}/v1/accounts/verify_credentials", self._signed_in(self.verify)),
            web.post(f"{api}/v1/statuses", self._signed_in(self.create)),
            web.get(one, self._limited(self.read)),
            web.get(f"{one}/source", self._signed_in(self.source)),
            web.put(one, self._signed_in(self.edit)),
            web.delete(one, self._signed_in(self.delete)),
            web.get(f"{api}/v1/accounts/{{id}}/statuses", self._limited(self.timeline)),
            web.post(f"{api}/v2/media", self._signed_in(self.upload)),
            web.get(f"{api}/v1/media/{{id}}", self._signed_in(self.read_media)),
            web.get(account, self.profile),
            web.get(f"{account}/{{id}}", self.page),
        ]

    def postings(self) -> list[Posting]:
        """The statuses that weren't deleted; their Idempotency-Key is the marker."""
        return [
            Posting(
                id=status.id,
                marker=status.key,
                title="",
                html=status.html(),
                path=f"/mastodon/@{MASTODON_ACCOUNT}/{status.id}" if status.is_public else "",
                at=status.created_at,
                public=status.is_public,
            )
            for status in self._statuses.values()
        ]

    def read_by(self, status_id: str, favourites: int, boosts: int) -> bool:
        """Give a status these numbers from now on; False if there is none."""
        if status_id not in self._statuses:
            return False
        self._told[status_id] = (favourites, boosts)
        return True

    def clear(self) -> None:
        """An account that has posted nothing, and a fresh allowance."""
        self._statuses: dict[str, Status] = {}
        self._keys: dict[str, tuple[float, str]] = {}  # key: until when, which status
        self._media: dict[str, dict[str, Any]] = {}
        self._told: dict[str, tuple[int, int]] = {}  # favourites and boosts as a test wants them
        self._at_work: dict[str, int] = {}  # for how many looks a film is still being made
        self._last_id = int(time.time() * 1000) << 16  # as Mastodon makes its ids
        self._allowance.refill()

    def refusal(self, status: int, retry_after: float) -> web.Response:
        """An error as Mastodon says it; its 429 names the time instead of Retry-After."""
        said = {401: "The access token is invalid", 429: "Too many requests"}
        body = {"error": said.get(status, "Remote data could not be fetched")}
        response = web.json_response(body, status=status)
        if status == 429:
            response.headers["X-RateLimit-Limit"] = "300"
            response.headers["X-RateLimit-Remaining"] = "0"
            response.headers["X-RateLimit-Reset"] = _iso(time.time() + retry_after)
        return response

    async def instance(self, request: web.Request) -> web.Response:
        """What the server is and allows."""
        statuses = {
            "max_characters": CHARACTERS,
            "max_media_attachments": 4,
            "characters_reserved_per_url": URL_LENGTH,
        }
        types = ["image/jpeg", "image/png", "image/gif", "image/webp"]
        media = {
            "supported_mime_types": types,
            "image_size_limit": 16_777_216,
            "description_limit": 1500,
        }
        return web.json_response(
            {
                "domain": request.host,
                "title": "northmark.social",
                "version": "4.5.0",
                "source_url": "https://github.com/mastodon/mastodon",
                "description": "Where the simulator's statuses appear",
                "usage": {"users": {"active_month": 1}},
                "languages": ["en"],
                "configuration": {
                    "urls": {},
                    "accounts": {"max_featured_tags": 10, "max_pinned_statuses": 5},
                    "statuses": statuses,
                    "media_attachments": media,
                    "translation": {"enabled": False},
                },
                "registrations": {"enabled": False, "approval_required": False, "message": None},
                "api_versions": {"mastodon": 7},
                "contact": {"email": "desk@northmark.example", "account": None},
                "rules": [],
            }
        )

    async def verify(self, request: web.Request) -> web.Response:
        """Whose token it is."""
        source = {"privacy": "public", "sensitive": False, "language": "en", "note": ""}
        return web.json_response(self._account(request) | {"source": source})

    async def create(self, request: web.Request) -> web.Response:
        """A new status, or the one that was made with the same Idempotency-Key."""
        key = request.headers.get("Idempotency-Key", "")
        until, known = self._keys.get(key, (0.0, ""))
        if key and until > time.time():
            return self._answer(known, request)
        draft = Draft.from_fields(await _sent(request))
        if draft.in_reply_to is not None and draft.in_reply_to not in self._statuses:
            raise Rejected(422, "Validation failed: Replied-to post does not exist")
        if any(one in self._at_work and self._at_work[one] for one in draft.media_ids):
            said = "Cannot attach files that have not finished processing. Try again in a moment!"
            raise Rejected(422, said)
        self._last_id = max(int(time.time() * 1000) << 16, self._last_id + 1)
        status = Status(str(self._last_id), draft, key, created_at=datetime.now(UTC))
        self._statuses[status.id] = status
        if key:
            self._keys[key] = (time.time() + KEY_LIFETIME, status.id)
        return self._answer(status.id, request)

    async def read(self, request: web.Request) -> web.Response:
        """One status; a private one is for its author only."""
        status = self._statuses.get(request.match_info["id"])
        if status and not status.is_public and not _has_token(request):
            status = None
        return self._answer(status.id if status else "", request)

    async def source(self, request: web.Request) -> web.Response:
        """The text as it was typed."""
        status = self._find(request)
        shown = {"id": status.id, "text": status.draft.text, "spoiler_text": status.draft.warning}
        return web.json_response(shown)

    async def edit(self, request: web.Request) -> web.Response:
        """A new text."""
        status = self._find(request)
        status.draft = Draft.from_fields(await _sent(request), before=status.draft)
        status.edited_at = datetime.now(UTC)
        return self._answer(status.id, request)

    async def delete(self, request: web.Request) -> web.Response:
        """Gone; the answer has the text once more."""
        status = self._find(request)
        shown = self._shown(status, request) | {"text": status.draft.text}
        del self._statuses[status.id]
        return web.json_response(shown)

    async def timeline(self, request: web.Request) -> web.Response:
        """The account's statuses, newest first: `limit`, `max_id`, `since_id`, `min_id`."""
        if request.match_info["id"] != ACCOUNT_ID:
            raise Rejected(404, "Record not found")
        mine = _has_token(request)
        found = [one for one in self._statuses.values() if mine or one.is_public]
        found = _between(found, request)
        response = web.json_response([self._shown(status, request) for status in found])
        if found:
            here = f"{_base(request)}{request.path}"
            older, newer = f"<{here}?max_id={found[-1].id}>", f"<{here}?min_id={found[0].id}>"
            response.headers["Link"] = f'{older}; rel="next", {newer}; rel="prev"'
        return response

    async def upload(self, request: web.Request) -> web.Response:
        """A picture, ready at once; but a GIF is made into a film first, and until then a 202."""
        sent = await request.post()
        file = sent.get("file")
        if not isinstance(file, web.FileField):
            raise Rejected(422, "Validation failed: File can't be blank")
        number = str(len(self._media) + 1)
        self._media[number] = {
            "id": number,
            "type": "image" if file.content_type.startswith("image/") else "unknown",
            "url": f"{_base(request)}/mastodon/media/{number}",
            "preview_url": None,
            "description": sent.get("description"),
        }
        if file.content_type == "image/gif":
            self._at_work[number] = 2
            return web.json_response(self._media[number] | {"url": None}, status=202)
        return web.json_response(self._media[number])

    async def read_media(self, request: web.Request) -> web.Response:
        """One uploaded picture's description."""
        if request.match_info["id"] not in self._media:
            raise Rejected(404, "Record not found")
        number = request.match_info["id"]
        if self._at_work.get(number, 0) > 0:
            self._at_work[number] -= 1
            return web.json_response(self._media[number] | {"url": None}, status=206)
        return web.json_response(self._media[number])

    async def profile(self, request: web.Request) -> web.Response:
        """The account for readers."""
        shown = "".join(
            f'<li>{status.html()}<a class="meta" href="/mastodon/@{MASTODON_ACCOUNT}/{status.id}">'
            f"{status.created_at:%d %B %Y, %H:%M}</a></li>"
            for status in reversed(self._statuses.values())
            if status.is_public
        )
        return pages.page(f"@{MASTODON_ACCOUNT}", f"<h1>@{MASTODON_ACCOUNT}</h1><ol>{shown}</ol>")

    async def page(self, request: web.Request) -> web.Response:
        """One status for readers."""
        status = self._statuses.get(request.match_info["id"])
        if status is None or not status.is_public:
            return pages.not_found("This status doesn't exist.")
        return pages.article_page(
            f"@{MASTODON_ACCOUNT}",
            status.html(),
            byline=f"{status.created_at:%d %B %Y, %H:%M} UTC",
            site="northmark.social",
        )

    def _signed_in(self, handler: Any) -> Any:
        async def answer(request: web.Request) -> web.Response:
            if not _has_token(request):
                raise Rejected(401, "The access token is invalid")
            response: web.Response = await handler(request)
            return response

        return self._limited(answer)

    def _limited(self, handler: Any) -> Any:
        """Counts the request, answers rejections in Mastodon's words, tells the allowance."""

        async def answer(request: web.Request) -> web.Response:
            enough = self._allowance.spend()
            response: web.Response
            try:
                response = await handler(request) if enough else self.refusal(429, 0)
            except Rejected as rejected:
                response = web.json_response({"error": rejected.message}, status=rejected.status)
            response.headers["X-RateLimit-Limit"] = str(self._allowance.limit)
            response.headers["X-RateLimit-Remaining"] = str(self._allowance.remaining)
            response.headers["X-RateLimit-Reset"] = _iso(self._allowance.resets_at)
            return response

        return answer

    def _find(self, request: web.Request) -> Status:
        status = self._statuses.get(request.match_info["id"])
        if status is None:
            raise Rejected(404, "Record not found")
        return status

    def _answer(self, status_id: str, request: web.Request) -> web.Response:
        if status_id not in self._statuses:
            raise Rejected(404, "Record not found")
        return web.json_response(self._shown(self._statuses[status_id], request))

    def _shown(self, status: Status, request: web.Request) -> dict[str, Any]:
        base = f"{_base(request)}/mastodon"
        media = [self._media[one] for one in status.draft.media_ids if one in self._media]
        return status.as_json(base, self._account(request), media, self._counts(status))

    def _counts(self, status: Status) -> dict[str, int]:
        age = (datetime.now(UTC) - status.created_at).total_seconds()
        favourites, boosts = self._told.get(status.id) or audience(status.id, age)
        replies = sum(one.draft.in_reply_to == status.id for one in self._statuses.values())
        return {
            "replies_count": replies, "reblogs_count": boosts, "favourites_count": favourites,
        }  # fmt: skip

    def _account(self, request: web.Request) -> dict[str, Any]:
        statuses = list(self._statuses.values())
        return {
            "id": ACCOUNT_ID,
            "username": MASTODON_ACCOUNT,
            "acct": MASTODON_ACCOUNT,
            "display_name": "The desk",
            "locked": False,
            "bot": False,
            "created_at": "2026-01-05T00:00:00.000Z",
            "note": "",
            "url": f"{_base(request)}/mastodon/@{MASTODON_ACCOUNT}",
            "uri": f"{_base(request)}/mastodon/users/{MASTODON_ACCOUNT}",
            "followers_count": 0,
            "following_count": 0,
            "statuses_count": len(statuses),
            "last_status_at": f"{statuses[-1].created_at:%Y-%m-%d}" if statuses else None,
            "emojis": [],
            "fields": [],
        }


def _between(statuses: list[Status], request: web.Request) -> list[Status]:
    """The part of a list that the paging parameters name, newest first."""
    query = request.query
    limit = min(max(int(query.get("limit", "20") or 20), 1), 40)
    for name, keep in (("max_id", int.__lt__), ("since_id", int.__gt__), ("min_id", int.__gt__)):
        if query.get(name, "").isdigit():
            edge = int(query[name])
            statuses = [one for one in statuses if keep(int(one.id), edge)]
    if query.get("min_id"):  # the page right above it; since_id means the newest page
        return statuses[:limit][::-1]
    return statuses[::-1][:limit]


async def _sent(request: web.Request) -> dict[str, Any]:
    """The fields, from JSON or a form, where a list's name ends in []."""
    if request.content_type == "application/json":
        try:
            sent = json.loads(await request.text())
        except ValueError:
            raise Rejected(400, "Error occurred while parsing request parameters") from None
        return sent if isinstance(sent, dict) else {}
    form = await request.post()
    single = {name: form[name] for name in form if not name.endswith("[]")}
    return single | {name[:-2]: form.getall(name) for name in form if name.endswith("[]")}


def _has_token(request: web.Request) -> bool:
    return request.headers.get("Authorization", "") == f"Bearer {MASTODON_TOKEN}"


def _base(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"


def _iso(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
