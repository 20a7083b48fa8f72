"""LinkedIn, Threads and a Facebook Page, small: they keep what is posted, as the real ones do.

`lose` holds routes ("POST /rest/posts") whose next answer is lost after the work was done;
`fail` those that answer 500 although it was done, `refuse` those that are not even reached.
"""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote

from aiohttp import web

from tests.publishing.wire import Wire


class Walled(Wire):
    """What the three have in common."""

    def __init__(self) -> None:
        super().__init__()
        self.posts: dict[str, dict[str, Any]] = {}
        self.lose: set[str] = set()
        self.refuse: set[str] = set()
        self.fail: set[str] = set()
        self.last = 100

    def number(self) -> str:
        self.last += 1
        return str(self.last)

    async def handle(self, request: web.Request) -> web.Response:
        """Do the work, and lose the answer where a test wants that."""
        route = f"{request.method} {unquote(request.path)}"
        if route in self.refuse:
            self.refuse.discard(route)
            return _cut(request)
        body = await request.read()
        answer = self.work(route, request, body)
        if route in self.lose:
            self.lose.discard(route)
            return _cut(request)
        if route in self.fail:
            self.fail.discard(route)
            return web.json_response({"error": {"code": 2, "message": "Retry later"}}, status=500)
        return answer

    def work(self, route: str, request: web.Request, body: bytes) -> web.Response:
        """Answer one request."""
        raise NotImplementedError


class SmallLinkedIn(Walled):
    """Refuses a text that it has already, naming the post; lists an author's posts."""

    may_be_read = True
    oldest = ""  # version that is still served

    def work(self, route, request, body):
        if request.headers["LinkedIn-Version"] < self.oldest:
            gone = {"status": 426, "code": "NONEXISTENT_VERSION", "message": "It is not active"}
            return web.json_response(gone, status=426)
        match route.split(" "):
            case ["POST", "/rest/posts"]:
                return self._create(json.loads(body))
            case ["GET", "/rest/posts"]:
                if not self.may_be_read:
                    return web.json_response({"code": "ACCESS_DENIED"}, status=403)
                mine = [e for e in self.posts.values() if e["author"] == request.query["author"]]
                return web.json_response({"elements": mine})
            case ["GET", path] if path.removeprefix("/rest/posts/") in self.posts:
                return web.json_response(self.posts[path.removeprefix("/rest/posts/")])
        return web.json_response({"code": "NOT_FOUND"}, status=404)

    def _create(self, share):
        for urn, there in self.posts.items():
            if there["commentary"] == share["commentary"]:
                refusal = {
                    "message": f"Content is a duplicate of {urn}",
                    "errorDetails": {"inputErrors": [{"code": "DUPLICATE_POST"}]},
                }
                return web.json_response(refusal, status=422)
        urn = f"urn:li:share:{self.number()}"
        now = int(datetime.now(UTC).timestamp() * 1000)
        self.posts[urn] = {**share, "id": urn, "createdAt": now}
        return web.Response(status=201, headers={"x-restli-id": urn})


class SmallThreads(Walled):
    """Makes one post of a container, however often that is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.containers: dict[str, dict[str, Any]] = {}

    def work(self, route, request, body):
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        match route.split(" "):
            case ["GET", "/v1.0/me/threads_publishing_limit"]:
                return web.json_response({"data": []})
            case ["POST", "/v1.0/me/threads"]:
                number = self.number()
                self.containers[number] = {**form, "status": "FINISHED"}
                return web.json_response({"id": number})
            case ["POST", "/v1.0/me/threads_publish"]:
                return self._publish(form["creation_id"])
            case ["GET", "/v1.0/me/threads"]:
                roots = [e for e in self.posts.values() if "replied_to" not in e]
                return web.json_response({"data": roots})
            case ["GET", "/v1.0/me/replies"]:
                answers = [e for e in self.posts.values() if "replied_to" in e]
                return web.json_response({"data": answers})
        thing = request.path.removeprefix("/v1.0/")
        if thing in self.containers:
            return web.json_response({"id": thing, "status": self.containers[thing]["status"]})
        if thing in self.posts:
            return web.json_response(self.posts[thing])
        missing = {"message": "No such thing", "code": 24, "error_subcode": 4279009}
        return web.json_response({"error": missing}, status=400)

    def _publish(self, container):
        made = self.containers[container]
        if made["status"] == "PUBLISHED":
            return web.json_response({"error": {"code": 100, "message": "Already."}}, status=400)
        made["status"] = "PUBLISHED"
        number = self.number()
        post = {
            "id": number,
            "text": made["text"],
            "permalink": f"https://threads.example/{number}",
        }
        if "reply_to_id" in made:
            post["replied_to"] = {"id": made["reply_to_id"]}
        self.posts[number] = post
        return web.json_response({"id": number})


class SmallPage(Walled):
    """Keeps unpublished posts, which nobody sees, until they are flipped."""

    def work(self, route, request, body):
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        thing = request.path.removeprefix("/v25.0/")
        if route == "POST /v25.0/5/feed":
            number = f"5_{self.number()}"
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
            self.posts[number] = {
                "id": number, "message": form["message"], "created_time": now,
                "is_published": form["published"] == "true",
            }  # fmt: skip
            return web.json_response({"id": number})
        if thing in self.posts and request.method == "POST":
            self.posts[thing]["is_published"] = True
            return web.json_response({"success": True})
        if thing in self.posts:
            return web.json_response(self.posts[thing])
        return web.json_response({"error": {"code": 100, "error_subcode": 33}}, status=400)

    @property
    def public(self) -> list[dict[str, Any]]:
        """What readers see."""
        return [each for each in self.posts.values() if each["is_published"]]


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
