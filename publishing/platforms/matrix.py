"""Matrix rooms. https://spec.matrix.org/v1.16/client-server-api/

A transaction's id is ours: the same id with the same token gives the same event. It is bound to the
session, so the token must stay the same over the attempts of one delivery.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from config.outbound import Client, Response
from publishing import writing
from publishing.document import read
from publishing.errors import Reauthorise, Refusal, Unknown, Wait
from publishing.platforms.base import Platform, must_be_ok, only_reading
from publishing.platforms.pictures import fetched
from publishing.platforms.reading import complaint, mapping, member, text
from publishing.post import Capabilities, Field, Job, Once, Post, Problem, Receipt, Seen, Texts

_PICTURES = 4
_MOST_BYTES = 60_000  # an event has 65,536 with everything around it
_NOT_IN = ("M_FORBIDDEN", "M_GUEST_ACCESS_FORBIDDEN")
_DEAD = ("M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED", "M_USER_SUSPENDED")


class Matrix(Platform):
    """A message per story: the title and summary, or the whole text."""

    key = "matrix"
    label = "Matrix"
    help = (
        "Make an account for the desk, invite it into the room and let it join. Its access token "
        "stands in Element under Settings, Help & About. Don't sign that session out."
    )
    options = (
        Field("url", "Homeserver", "url", required=True, help="Such as https://matrix.org"),
        Field("room", "Room ID", required=True, help="Such as !abc:matrix.org, not its alias."),
        Field(
            "form", "Form", "choice", default="short",
            choices=(("short", "Title, summary and link"), ("whole", "The whole story")),
        ),
        Field("pictures", "With pictures", "flag", default=True, help="Below the message."),
    )  # fmt: skip
    credentials = (Field("token", "Access token", "secret", required=True),)
    capabilities = Capabilities(
        once=Once.KEY,
        in_words="The transaction's id is our marker; the server answers a repetition with it.",
        form="title, summary and link, or the whole story",
        pictures=_PICTURES,
        alt_text=True,
        tried_against="Matrix Synapse 1.163",
    )

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """A message needs text, and not more than an event holds."""
        if not (post.title or post.summary or post.text):
            return [Problem("title", "A message needs some text.")]
        size = len(_content(post, options)["formatted_body"].encode())
        if size * 2 > _MOST_BYTES:
            return [
                Problem(
                    "content", "The story is longer than a Matrix event; choose the short form."
                )
            ]
        return []

    def texts(self, post: Post, options: Mapping[str, Any]) -> Texts:
        """Title, summary and link, unless the whole story goes there."""
        return Texts(() if options.get("form") == "whole" else (_content(post, options)["body"],))

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Send the message under our transaction's id, then its pictures under theirs."""
        pictures = await self._uploaded(
            job, http
        )  # what can't be had is found before anything is out
        marker = job.post.marker
        receipt = await self._send(job, http, marker, _content(job.post, job.options))
        events = [receipt.remote_id]
        for number, picture in enumerate(pictures, 1):
            sent = await self._send(job, http, f"{marker}-{number}", picture)
            events.append(sent.remote_id)
        for event in events if pictures else ():
            if event not in job.parts:
                await job.keep_part(event)
        return receipt

    async def edit(self, job: Job, http: Client) -> Receipt:
        """Replace the message (m.replace); the first event stays the one that is known."""
        fresh = _content(job.post, job.options)
        content = {
            **fresh, "body": f"* {fresh['body']}", "m.new_content": fresh,
            "m.relates_to": {"rel_type": "m.replace", "event_id": job.remote_id},
        }  # fmt: skip
        await self._send(job, http, job.once_key, content)
        return Receipt(job.remote_id, job.remote_url)

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Redact the message and its pictures."""
        for number, event in enumerate(job.parts or (job.remote_id,)):
            key = f"{job.once_key}-{number}" if number else job.once_key
            path = f"/redact/{quote(event, safe='')}/{quote(key, safe='')}"
            await self._room(job, http, "PUT", path, json={"reason": "Withdrawn by the editors"})
        return Receipt(job.remote_id, job.remote_url)

    async def reply(self, job: Job, http: Client) -> Receipt:
        """A message that answers the first one."""
        content = {
            "msgtype": "m.text", "body": job.post.text,
            "m.relates_to": {"m.in_reply_to": {"event_id": job.remote_id}},
        }  # fmt: skip
        return await self._send(job, http, job.once_key, content)

    async def seen(self, job: Job, http: Client) -> Seen:
        """The message as it stands; a redacted one has no text."""
        with only_reading("Matrix"):
            path = f"/event/{quote(job.remote_id, safe='')}"
            try:
                event = mapping(await self._room(job, http, "GET", path), "Matrix")
            except Refusal as problem:
                if problem.status != 404:
                    raise
                return Seen(there=False)
        said = text(member(event, "content"), "body")
        return Seen(bool(said), said)

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """Who the token belongs to, and whether it is in the room."""
        job = Job(Post("", "", ""), options, credentials)
        answer = _read(await self._ask(job, http, "GET", "/account/whoami"))
        who = text(mapping(answer, "Matrix"), "user_id")
        joined = mapping(_read(await self._ask(job, http, "GET", "/joined_rooms")), "Matrix")
        rooms = joined.get("joined_rooms")
        if not isinstance(rooms, list) or options["room"] not in rooms:
            raise Refusal(f"{who} is not in this room; invite it and let it join.")
        return f"Connected as {who}."

    async def _uploaded(self, job: Job, http: Client) -> list[dict[str, Any]]:
        """The story's pictures as messages; one that none of them names is seen by nobody.

        https://spec.matrix.org/v1.16/client-server-api/#post_matrixmediav3upload
        """
        if not job.options.get("pictures", True):
            return []
        found = []
        for picture in job.post.pictures[:_PICTURES]:
            with only_reading("Matrix"):
                file = await fetched(picture, http)
                answer = _read(
                    await self._request(
                        job, http, "POST", "/_matrix/media/v3/upload", content=file.content,
                        params={"filename": file.name}, headers={"Content-Type": file.content_type},
                    )
                )  # fmt: skip
                address = text(mapping(answer, "Matrix"), "content_uri")
                if not address.startswith("mxc://"):
                    raise Unknown("Matrix does not say where a picture is.", status=answer.status)
            info = {"mimetype": file.content_type, "size": len(file.content)}
            words = picture.alt or file.name
            found.append(
                {
                    "msgtype": "m.image", "body": words, "filename": file.name, "url": address,
                    "info": info,
                }
            )  # fmt: skip
        return found

    async def _send(
        self, job: Job, http: Client, transaction: str, content: Mapping[str, Any]
    ) -> Receipt:
        path = f"/send/m.room.message/{quote(transaction, safe='')}"
        answer = await self._room(job, http, "PUT", path, json=dict(content))
        event = text(mapping(answer, "Matrix"), "event_id")
        if not event:
            raise Unknown("Matrix's answer names no event.", status=answer.status)
        room = str(job.options["room"])
        return Receipt(event, f"https://matrix.to/#/{room}/{event}", http_status=answer.status)

    async def _room(self, job: Job, http: Client, method: str, path: str, **more: Any) -> Response:
        room = quote(str(job.options["room"]), safe="")
        return _read(await self._ask(job, http, method, f"/rooms/{room}{path}", **more))

    async def _ask(self, job: Job, http: Client, method: str, path: str, **more: Any) -> Response:
        return await self._request(job, http, method, f"/_matrix/client/v3{path}", **more)

    async def _request(
        self, job: Job, http: Client, method: str, path: str, **more: Any
    ) -> Response:
        where = str(job.options["url"]).rstrip("/")
        return await http.request(
            method,
            f"{where}{path}",
            secret_headers={"Authorization": f"Bearer {job.credentials['token']}"},
            **more,
        )


def _content(post: Post, options: Mapping[str, Any]) -> dict[str, str]:
    """A message in words, and in HTML for those who show it."""
    link = f'<p><a href="{_quoted(post.url)}">{_escaped(post.url)}</a></p>' if post.url else ""
    title = f"<h4>{_escaped(post.title)}</h4>" if post.title else ""
    if options.get("form") == "whole":
        words, markup = writing.plain(read(post.html)), post.html
    else:
        words, markup = post.summary, f"<p>{_escaped(post.summary)}</p>" if post.summary else ""
    return {
        "msgtype": "m.text",
        "body": "\n\n".join(filter(None, (post.title, words, post.url))),
        "format": "org.matrix.custom.html",
        "formatted_body": title + markup + link,
    }


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quoted(address: str) -> str:
    return _escaped(address).replace('"', "&quot;")


def _read(answer: Response) -> Response:
    if answer.ok or answer.status >= 500:
        return must_be_ok(answer, "Matrix")
    body = complaint(answer)
    code, said = text(body, "errcode"), text(body, "error")
    about: dict[str, Any] = {"status": answer.status, "excerpt": answer.text()[:1000]}
    if answer.status == 429 or code == "M_LIMIT_EXCEEDED":
        named = body.get("retry_after_ms")
        seconds = named / 1000 if isinstance(named, int | float) else answer.retry_after
        raise Wait("Matrix asks for patience.", seconds=seconds, **about)
    if code in _DEAD:
        raise Reauthorise(f"Matrix does not know this token any more: {said}", **about)
    if code in _NOT_IN:
        raise Reauthorise(f"The desk's account may not post in this room: {said}", **about)
    if not code:  # not the homeserver's words, but those of a proxy before it
        return must_be_ok(answer, "Matrix")
    raise Refusal(f"Matrix refused it: {said or code}", **about)
