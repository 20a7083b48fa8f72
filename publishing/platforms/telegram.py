"""Telegram channels and groups, through a bot. https://core.telegram.org/bots/api

A bot can't read a channel back and Telegram takes no key: what is in doubt stays in doubt until a
person has looked.
"""

from collections.abc import Mapping
from html import escape
from typing import Any

from config.outbound import Client, Response
from publishing.compose import Short, short
from publishing.counting import Ruler, Unit
from publishing.errors import Reauthorise, Refusal, Wait
from publishing.platforms.base import Platform, must_be_ok
from publishing.platforms.reading import complaint, count, mapping, member, text
from publishing.post import Capabilities, Field, Job, Once, Post, Problem, Receipt, Texts

_RULER = Ruler(4096, Unit.UTF16)
_CAPTION = Ruler(1024, Unit.UTF16)
# https://core.telegram.org/bots/api#making-requests: description is for people, but stable.
_NOT_OURS = ("bot was kicked", "not enough rights", "need administrator rights", "bot was blocked")


class Telegram(Platform):
    """One message per story: title, summary, link, with a picture if the story has one."""

    key = "telegram"
    label = "Telegram"
    help = (
        "Make a bot with @BotFather, and make it an administrator of your channel with the right "
        "to post messages. Its token goes here. A group takes 20 messages a minute at most."
    )
    options = (
        Field("chat", "Channel", required=True, help="@name of a public channel, or its number."),
        Field("pictures", "With picture", "flag", default=True),
        Field("silent", "Without a sound", "flag", default=False),
        Field("url", "API", "url", default="https://api.telegram.org"),
    )
    credentials = (Field("token", "Bot token", "secret", required=True),)
    capabilities = Capabilities(
        once=Once.NONE,
        in_words="Not at all: bots can't read a channel back, so a person looks.",
        ruler=_RULER,
        pictures=1,
    )

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """A message needs some text."""
        if not (post.title or post.summary or post.text):
            return [Problem("title", "A message needs some text.")]
        return []

    def texts(self, post: Post, options: Mapping[str, Any]) -> Texts:
        """A picture's caption holds less than a message."""
        ruler = _CAPTION if _with_picture(post, options) else _RULER
        return Texts((short(post, ruler).text,), ruler)

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Post the message."""
        about = {
            "chat_id": job.options["chat"],
            "parse_mode": "HTML",
            "disable_notification": bool(job.options.get("silent")),
        }
        if _with_picture(job.post, job.options):
            body = {
                **about, "photo": job.post.pictures[0].src,
                "caption": _marked_up(short(job.post, _CAPTION)),
            }  # fmt: skip
            answer = await _call(job, http, "sendPhoto", body)
        else:
            body = {**about, "text": _marked_up(short(job.post, _RULER))}
            answer = await _call(job, http, "sendMessage", body)
        return _receipt(answer)

    async def edit(self, job: Job, http: Client) -> Receipt:
        """Change the text, or the caption of the picture."""
        chat, number = _place(job)
        about = {"chat_id": chat, "message_id": number, "parse_mode": "HTML"}
        try:
            body = {**about, "text": _marked_up(short(job.post, _RULER))}
            answer = await _call(job, http, "editMessageText", body)
        except Refusal as problem:
            if "not modified" in str(problem):  # an edit that was lost on its way back
                return Receipt(job.remote_id, job.remote_url, http_status=problem.status)
            if "no text in the message" not in str(problem):
                raise
            body = {**about, "caption": _marked_up(short(job.post, _CAPTION))}
            answer = await _call(job, http, "editMessageCaption", body)
        return _receipt(answer)

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Take the message away; Telegram allows it for 48 hours."""
        chat, number = _place(job)
        try:
            await _call(job, http, "deleteMessage", {"chat_id": chat, "message_id": number})
        except Refusal as problem:
            if "message to delete not found" not in str(problem):
                raise
        return Receipt(job.remote_id, job.remote_url)

    async def reply(self, job: Job, http: Client) -> Receipt:
        """A message that answers the first one."""
        chat, number = _place(job)
        body = {
            "chat_id": chat, "parse_mode": "HTML", "reply_parameters": {"message_id": number},
            "text": escape(job.post.text, quote=False),
        }  # fmt: skip
        return _receipt(await _call(job, http, "sendMessage", body))

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """Which bot it is, and whether it may post in the channel."""
        job = Job(Post("", "", ""), options, credentials)
        bot = member(mapping(await _call(job, http, "getMe", {}), "Telegram"), "result")
        asked = {"chat_id": options["chat"], "user_id": bot.get("id")}
        answer = await _call(job, http, "getChatMember", asked)
        place = member(mapping(answer, "Telegram"), "result")
        if place.get("status") == "administrator" and place.get("can_post_messages") is False:
            raise Refusal("The bot is an administrator there, but may not post messages.")
        if place.get("status") in ("left", "kicked"):
            raise Refusal("The bot is not in this channel; add it as an administrator.")
        return f"Connected as @{text(bot, 'username')} in {options['chat']}."


def _with_picture(post: Post, options: Mapping[str, Any]) -> bool:
    return bool(options.get("pictures", True) and post.pictures)


def _marked_up(made: Short) -> str:
    """The title bold, everything else as it is; tags don't count towards the limit."""
    title = f"<b>{escape(made.title, quote=False)}</b>" if made.title else ""
    rest = (made.body, made.link, " ".join(made.tags))
    return "\n\n".join(filter(None, (title, *(escape(each, quote=False) for each in rest))))


async def _call(job: Job, http: Client, method: str, body: Mapping[str, Any]) -> Response:
    # The token is part of the address; config.outbound names hosts only, in errors and logs.
    where = str(job.options.get("url") or "https://api.telegram.org").rstrip("/")
    answer = await http.post(f"{where}/bot{job.credentials['token']}/{method}", json=body)
    if answer.status < 500 and answer.status != 404:
        _read(answer)
    elif answer.status == 404:  # the address holds the token: an unknown one is a 404
        raise Reauthorise("Telegram does not know this bot token.", status=404)
    return must_be_ok(answer, "Telegram")


def _read(answer: Response) -> None:
    if not answer.ok and not complaint(answer):
        must_be_ok(answer, "Telegram")  # not Telegram's words, but those of a proxy before it
    body = mapping(answer, "Telegram")
    if body.get("ok") is True:
        return
    said = text(body, "description") or f"error {answer.status}"
    about: dict[str, Any] = {"status": answer.status, "excerpt": answer.text()[:1000]}
    parameters = member(body, "parameters")
    if (seconds := count(parameters, "retry_after")) is not None:
        raise Wait(f"Telegram asks for patience: {said}", seconds=float(seconds), **about)
    if moved := text(parameters, "migrate_to_chat_id"):
        raise Reauthorise(f"The group has become a supergroup; enter {moved} instead.", **about)
    if answer.status in (401, 403) or any(words in said for words in _NOT_OURS):
        raise Reauthorise(f"Telegram refuses the bot: {said}", **about)
    raise Refusal(f"Telegram refused it: {said}", **about)


def _receipt(answer: Response) -> Receipt:
    message = member(mapping(answer, "Telegram"), "result")
    chat = member(message, "chat")
    number = text(message, "message_id")
    where = text(chat, "username")
    return Receipt(
        remote_id=f"{text(chat, 'id')}/{number}",
        remote_url=f"https://t.me/{where}/{number}" if where else "",
        http_status=answer.status,
    )


def _place(job: Job) -> tuple[str, int]:
    chat, _, number = job.remote_id.rpartition("/")
    if not number.isdigit():
        raise Refusal("It is not known which message this is.")
    return chat, int(number)
