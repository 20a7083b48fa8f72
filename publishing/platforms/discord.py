"""Discord, through a channel's webhook or through a bot.

https://discord.com/developers/docs/resources/webhook#execute-webhook and
https://discord.com/developers/docs/resources/message#create-message
"""

from collections.abc import Mapping
from typing import Any

import orjson

from config.outbound import Client, Response
from publishing.compose import short_text
from publishing.counting import Ruler, Unit
from publishing.errors import Reauthorise, Refusal, Wait
from publishing.platforms.base import Platform, must_be_ok, only_reading
from publishing.platforms.pictures import MIB, fetched, multipart
from publishing.platforms.reading import complaint, count, mapping, parsed, text
from publishing.post import Capabilities, Counts, Field, Job, Once, Post, Problem, Receipt, Seen

_RULER = Ruler(2000, Unit.CODE_POINTS)
_PICTURES, _LARGEST_TOGETHER = 4, 10 * MIB  # Discord takes ten, of 10 MiB together
_ALT = 1024
_NOBODY: dict[str, list[str]] = {"parse": []}  # nobody is called, whatever the story says
# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
_UNKNOWN_MESSAGE = 10008
_NO_ACCESS = (10003, 10015, 50001, 50013, 50027)  # channel, webhook, access, permission, token


class _Discord(Platform):
    """What both ways in have in common."""

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """A message needs some text."""
        if not (post.title or post.summary or post.text):
            return [Problem("title", "A message needs some text.")]
        return []

    async def edit(self, job: Job, http: Client) -> Receipt:
        """Change the message."""
        body = {"content": _text(job.post), "allowed_mentions": _NOBODY}
        answer = await self._message(job, http, "PATCH", json=body)
        return _receipt(answer, job)

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Take the message away."""
        try:
            await self._message(job, http, "DELETE")
        except Refusal as problem:
            if problem.status != 404:
                raise
        return Receipt(job.remote_id, job.remote_url)

    async def seen(self, job: Job, http: Client) -> Seen:
        """The message as it stands."""
        with only_reading("Discord"):
            try:
                answer = await self._message(job, http, "GET")
            except Refusal as problem:
                if problem.status != 404:
                    raise
                return Seen(there=False)
            return Seen(there=True, text=text(mapping(answer, "Discord"), "content"))

    async def counts(self, job: Job, http: Client) -> Counts:
        """The reactions to the message."""
        with only_reading("Discord"):
            body = mapping(await self._message(job, http, "GET"), "Discord")
        found = body.get("reactions")
        reactions = found if isinstance(found, list) else []
        numbers = [count(each, "count") or 0 for each in reactions if isinstance(each, dict)]
        return Counts(reactions=sum(numbers))

    async def _message(self, job: Job, http: Client, method: str, **more: Any) -> Response:
        raise NotImplementedError


_WITH_PICTURES = Field("pictures", "With pictures", "flag", default=True)


class DiscordWebhook(_Discord):
    """A message per story, through the webhook of one channel."""

    key = "discord"
    label = "Discord (webhook)"
    help = (
        "In Discord: the channel's settings, Integrations, Webhooks, New webhook, Copy URL. "
        "Whoever knows the address can post there, so it is kept like a password."
    )
    options = (
        Field("username", "Shown as", help="Instead of the webhook's own name."),
        _WITH_PICTURES,
    )
    credentials = (Field("webhook", "Webhook address", "secret", required=True),)
    capabilities = Capabilities(
        once=Once.NONE,
        in_words="Not at all: a webhook can't look back, so a person does.",
        ruler=_RULER,
        pictures=_PICTURES,
        alt_text=True,
    )

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Post the message with its pictures, and wait for its number."""
        body: dict[str, Any] = {"content": _text(job.post), "allowed_mentions": _NOBODY}
        if name := job.options.get("username"):
            body["username"] = str(name)[:80]
        address = _address(job.credentials)
        sent = await _with_pictures(job, http, body)
        answer = _read(await http.post(address, params={"wait": "true"}, **sent))
        return _receipt(answer, job)

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """Which webhook it is."""
        hook = mapping(_read(await http.get(_address(credentials))), "Discord")
        return f"Connected as “{text(hook, 'name')}”."

    async def _message(self, job: Job, http: Client, method: str, **more: Any) -> Response:
        place = f"{_address(job.credentials)}/messages/{_number(job)}"
        return _read(await http.request(method, place, **more))


class DiscordBot(_Discord):
    """A message per story, by a bot of one's own."""

    key = "discord_bot"
    label = "Discord (bot)"
    help = (
        "At discord.com/developers make an application with a bot and invite it with the rights "
        "View Channel, Send Messages and Read Message History. Copy the channel's ID with "
        "Discord's developer mode."
    )
    options = (
        Field("channel", "Channel ID", required=True),
        _WITH_PICTURES,
        Field("url", "API", "url", default="https://discord.com/api/v10"),
    )
    credentials = (Field("token", "Bot token", "secret", required=True),)
    capabilities = Capabilities(
        once=Once.LOOK_UP,
        in_words="A nonce that Discord enforces for some minutes, then a look through the channel.",
        ruler=_RULER,
        pictures=_PICTURES,
        alt_text=True,
    )

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Post the message under our nonce, with its pictures."""
        body = {
            "content": _text(job.post), "allowed_mentions": _NOBODY, "nonce": _nonce(job.post),
            "enforce_nonce": True,
        }  # fmt: skip
        sent = await _with_pictures(job, http, body)
        answer = await self._ask(job.options, job.credentials, http, "POST", "/messages", **sent)
        return _receipt(answer, job)

    async def look_up(self, job: Job, http: Client) -> Receipt | None:
        """Our message among the channel's last hundred, by its text."""
        wanted = _text(job.post).strip()
        with only_reading("Discord"):
            answer = await self._ask(
                job.options, job.credentials, http, "GET", "/messages", params={"limit": 100}
            )
            found = parsed(answer, "Discord")
        for each in found if isinstance(found, list) else []:
            if isinstance(each, dict) and text(each, "content").strip() == wanted:
                return Receipt(text(each, "id"), _link(each, job), "look_up", answer.status)
        return None

    async def reply(self, job: Job, http: Client) -> Receipt:
        """A message that answers the first one."""
        body = {
            "content": job.post.text, "allowed_mentions": _NOBODY, "nonce": _nonce(job.post),
            "enforce_nonce": True, "message_reference": {"message_id": _number(job)},
        }  # fmt: skip
        answer = await self._ask(job.options, job.credentials, http, "POST", "/messages", json=body)
        return _receipt(answer, job)

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """Which channel it is; that the bot sees it says that it is invited."""
        channel = mapping(await self._ask(options, credentials, http, "GET", ""), "Discord")
        return f"Connected to #{text(channel, 'name')}."

    async def _message(self, job: Job, http: Client, method: str, **more: Any) -> Response:
        return await self._ask(
            job.options, job.credentials, http, method, f"/messages/{_number(job)}", **more
        )

    async def _ask(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client,
        method: str, path: str, **more: Any,
    ) -> Response:  # fmt: skip
        where = str(options.get("url") or "https://discord.com/api/v10").rstrip("/")
        return _read(
            await http.request(
                method,
                f"{where}/channels/{options['channel']}{path}",
                secret_headers={"Authorization": f"Bot {credentials['token']}"},
                **more,
            )
        )


async def _with_pictures(job: Job, http: Client, body: dict[str, Any]) -> dict[str, Any]:
    """How to send the message: as JSON, or as a form with the story's pictures.

    https://discord.com/developers/docs/reference#uploading-files
    """
    pictures = job.post.pictures[:_PICTURES] if job.options.get("pictures", True) else ()
    if not pictures:
        return {"json": body}
    most = _LARGEST_TOGETHER // len(pictures)
    files = [await fetched(each, http, max_bytes=most) for each in pictures]
    body["attachments"] = [
        {"id": number, "description": picture.alt[:_ALT]} for number, picture in enumerate(pictures)
    ]
    content, kind = multipart(
        {"payload_json": orjson.dumps(body).decode()},
        {f"files[{number}]": file for number, file in enumerate(files)},
    )
    return {"content": content, "headers": {"Content-Type": kind}}


def _text(post: Post) -> str:
    return short_text(post, _RULER)


def _nonce(post: Post) -> str:
    """Discord takes 25 characters at most."""
    return post.marker.replace("-", "")[:25]


def _read(answer: Response) -> Response:
    if answer.status == 429:
        body = complaint(answer)
        named = body.get("retry_after")
        seconds = float(named) if isinstance(named, int | float) else answer.retry_after
        raise Wait("Discord asks for patience.", seconds=seconds, status=429)
    if answer.status in (400, 401, 403, 404):
        body = complaint(answer)
        said = text(body, "message") or f"error {answer.status}"
        about: dict[str, Any] = {"status": answer.status, "excerpt": answer.text()[:1000]}
        if body.get("code") == _UNKNOWN_MESSAGE:
            raise Refusal("The message is not there any more.", **about)
        if answer.status == 401 or body.get("code") in _NO_ACCESS:
            raise Reauthorise(f"Discord does not let us in: {said}", **about)
    return must_be_ok(answer, "Discord")


def _address(credentials: Mapping[str, Any]) -> str:
    address = str(credentials.get("webhook", "")).strip().rstrip("/")
    if not address.startswith(("https://", "http://")):
        raise Reauthorise("The webhook's address must start with https://; copy it from Discord.")
    return address.partition("?")[0]


def _number(job: Job) -> str:
    if not job.remote_id.isdigit():
        raise Refusal("It is not known which message this is.")
    return job.remote_id


def _receipt(answer: Response, job: Job) -> Receipt:
    body = mapping(answer, "Discord")
    return Receipt(text(body, "id"), _link(body, job) or job.remote_url, http_status=answer.status)


def _link(message: Mapping[str, Any], job: Job) -> str:
    """Discord's own address of a message; @me stands for a server that it doesn't name."""
    channel = text(message, "channel_id") or str(job.options.get("channel", ""))
    server = text(message, "guild_id") or "@me"
    number = text(message, "id")
    return f"https://discord.com/channels/{server}/{channel}/{number}" if channel and number else ""
