"""Slack, through an incoming webhook or through an app's own API.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
https://docs.slack.dev/reference/methods/chat.postMessage. Slack says 200 to most things: whether a
call worked stands in `ok`.
"""

from collections.abc import Mapping
from typing import Any

from config.outbound import Client, Response
from publishing.compose import Short, short
from publishing.counting import Ruler, Unit
from publishing.errors import Reauthorise, Refusal, Unknown, Wait
from publishing.platforms.base import Platform, must_be_ok, only_reading
from publishing.platforms.reading import mapping, member, members, text
from publishing.post import Capabilities, Counts, Field, Job, Once, Post, Problem, Receipt, Seen

_RULER = Ruler(3000, Unit.CODE_POINTS)  # it cuts at 40,000; nobody reads that in a channel
_EVENT = "newsdesk_story"
_PICTURES, _ALT, _LONGEST_BLOCK = 4, 2000, 3000  # https://docs.slack.dev/reference/block-kit/blocks
# https://docs.slack.dev/reference/methods/chat.postMessage#errors
_DEAD = frozenset((
    "invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive",
    "missing_scope", "not_in_channel", "channel_not_found", "is_archived", "org_login_required",
    "ekm_access_denied", "no_permission", "team_access_not_granted", "access_denied",
))  # fmt: skip
_WAITS = frozenset(("ratelimited", "rate_limited", "message_limit_exceeded", "team_added_to_org"))
_NOBODY_KNOWS = frozenset(("internal_error", "fatal_error", "service_unavailable",
                           "request_timeout"))  # fmt: skip
_HOOK_DEAD = ("no_service", "no_team", "channel_not_found", "channel_is_archived",
              "action_prohibited", "posting_to_general_channel_denied")  # fmt: skip


_WITH_PICTURES = Field(
    "pictures", "With pictures", "flag", default=True,
    help="Slack fetches them where they are, so that must be a public address.",
)  # fmt: skip


class SlackWebhook(Platform):
    """A message per story, through an incoming webhook."""

    key = "slack_webhook"
    label = "Slack (webhook)"
    help = (
        "At api.slack.com/apps make an app, switch on Incoming Webhooks and add one to the "
        "channel. Whoever knows the address can post there, so it is kept like a password."
    )
    options = (_WITH_PICTURES,)
    credentials = (Field("webhook", "Webhook address", "secret", required=True),)
    capabilities = Capabilities(
        once=Once.NONE,
        in_words="Not at all: a webhook gives no number and can't look back; a person does.",
        ruler=_RULER,
        pictures=_PICTURES,
        alt_text=True,
    )

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """A message needs some text."""
        return _problems(post)

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Post the message."""
        address = str(job.credentials.get("webhook", "")).strip()
        if not address.startswith(("https://", "http://")):
            raise Reauthorise("The webhook's address must start with https://; copy it from Slack.")
        answer = await http.post(address, json=_message(job))
        said = answer.text().strip()
        if answer.status in (400, 403, 404, 410) and said.startswith(_HOOK_DEAD):
            raise Reauthorise(f"Slack's webhook is dead: {said}", status=answer.status)
        must_be_ok(answer, "Slack")
        if said != "ok":
            raise Unknown("Slack's webhook answered oddly.", status=answer.status, excerpt=said)
        return Receipt(job.post.marker, http_status=answer.status)


class Slack(Platform):
    """A message per story, by an app of one's own."""

    key = "slack"
    label = "Slack (app)"
    help = (
        "At api.slack.com/apps make an app with the bot scopes chat:write, channels:history and "
        "metadata.message:read, install it and invite it into the channel. Its bot token "
        "(xoxb-…) goes here."
    )
    options = (
        Field("channel", "Channel ID", required=True, help="Such as C0123456789; not its name."),
        _WITH_PICTURES,
        Field("url", "API", "url", default="https://slack.com/api"),
    )
    credentials = (Field("token", "Bot token", "secret", required=True),)
    capabilities = Capabilities(
        once=Once.LOOK_UP,
        in_words="Our marker travels as metadata; the channel's history is searched for it.",
        ruler=_RULER,
        pictures=_PICTURES,
        alt_text=True,
    )

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """A message needs some text."""
        return _problems(post)

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Post the message with our marker."""
        return await self._post(job, http, _message(job))

    async def reply(self, job: Job, http: Client) -> Receipt:
        """A message in the first one's thread."""
        return await self._post(
            job, http, {"text": _escaped(job.post.text), "thread_ts": job.remote_id}
        )

    async def look_up(self, job: Job, http: Client) -> Receipt | None:
        """The message whose metadata holds our marker, among the channel's last 200."""
        with only_reading("Slack"):
            asked = {
                "channel": job.options["channel"], "limit": "200", "include_all_metadata": "true",
            }  # fmt: skip
            body = mapping(await self._call(job, http, "conversations.history", asked), "Slack")
        for each in members(body, "messages"):
            payload = member(member(each, "metadata"), "event_payload")
            if text(payload, "marker") == job.post.marker:
                number = text(each, "ts")
                return Receipt(number, await self._link(job, http, number), "look_up", 200)
        return None

    async def edit(self, job: Job, http: Client) -> Receipt:
        """Change the message."""
        # What an update doesn't name stays, so blocks are named even where there are none any more.
        body = {
            "channel": job.options["channel"], "ts": job.remote_id, "blocks": [], **_message(job),
        }  # fmt: skip
        answer = await self._call(job, http, "chat.update", body)
        return Receipt(job.remote_id, job.remote_url, http_status=answer.status)

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Take the message away."""
        try:
            body = {"channel": job.options["channel"], "ts": job.remote_id}
            await self._call(job, http, "chat.delete", body)
        except Refusal as problem:
            if "message_not_found" not in str(problem):
                raise
        return Receipt(job.remote_id, job.remote_url)

    async def seen(self, job: Job, http: Client) -> Seen:
        """The message as it stands."""
        message = await self._message(job, http)
        return Seen(bool(message), text(message, "text"))

    async def counts(self, job: Job, http: Client) -> Counts:
        """Reactions and replies."""
        message = await self._message(job, http)
        reactions = [each.get("count") for each in members(message, "reactions")]
        replies = message.get("reply_count")
        return Counts(
            reactions=sum(number for number in reactions if isinstance(number, int)),
            replies=replies if isinstance(replies, int) else 0,
        )

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """As whom, in which workspace."""
        job = Job(Post("", "", ""), options, credentials)
        body = mapping(await self._call(job, http, "auth.test", {}), "Slack")
        return f"Connected as {text(body, 'user')} in {text(body, 'team')}."

    async def _post(self, job: Job, http: Client, what: Mapping[str, Any]) -> Receipt:
        marker = {"event_type": _EVENT, "event_payload": {"marker": job.post.marker}}
        body = {"channel": job.options["channel"], "metadata": marker, **what}
        answer = await self._call(job, http, "chat.postMessage", body)
        number = text(mapping(answer, "Slack"), "ts")
        if not number:
            raise Unknown("Slack's answer names no message.", status=answer.status)
        return Receipt(number, await self._link(job, http, number), http_status=answer.status)

    async def _message(self, job: Job, http: Client) -> dict[str, Any]:
        with only_reading("Slack"):
            asked = {
                "channel": job.options["channel"], "latest": job.remote_id, "inclusive": "true",
                "limit": "1",
            }  # fmt: skip
            body = mapping(await self._call(job, http, "conversations.history", asked), "Slack")
        found = members(body, "messages")
        return found[0] if found and text(found[0], "ts") == job.remote_id else {}

    async def _link(self, job: Job, http: Client, number: str) -> str:
        """The message's address; the post is there without it, so no trouble here matters."""
        where = f"{_api(job.options)}/chat.getPermalink"
        answer = await http.get(
            where,
            params={"channel": job.options["channel"], "message_ts": number},
            secret_headers=_bearer(job.credentials),
        )
        return text(mapping(answer, "Slack"), "permalink") if answer.ok else ""

    async def _call(self, job: Job, http: Client, method: str, body: Mapping[str, Any]) -> Response:
        headers = _bearer(job.credentials)
        where = f"{_api(job.options)}/{method}"
        if method.startswith("conversations."):
            answer = await http.get(where, params=dict(body), secret_headers=headers)
        else:
            answer = await http.post(where, json=dict(body), secret_headers=headers)
        return _read(answer)


def _problems(post: Post) -> list[Problem]:
    if not (post.title or post.summary or post.text):
        return [Problem("title", "A message needs some text.")]
    return []


def _message(job: Job) -> dict[str, Any]:
    """The text, and blocks where pictures go along: the text is for notifications then."""
    pieces = _pieces(job.post)
    message: dict[str, Any] = {"text": "\n\n".join(pieces)}
    pictures = job.post.pictures[:_PICTURES] if job.options.get("pictures", True) else ()
    if pictures and all(len(piece) <= _LONGEST_BLOCK for piece in pieces):
        message["blocks"] = [
            *({"type": "section", "text": {"type": "mrkdwn", "text": each}} for each in pieces),
            *(
                {"type": "image", "image_url": each.src, "alt_text": each.alt[:_ALT] or "Picture"}
                for each in pictures
            ),
        ]
    return message


def _pieces(post: Post) -> list[str]:
    """Title, summary, link and tags in Slack's own mark-up."""
    made: Short = short(post, _RULER)
    title = f"*{_escaped(made.title).replace('*', '∗')}*" if made.title else ""
    rest = (_escaped(made.body), _escaped(made.link), _escaped(" ".join(made.tags)))
    return [piece for piece in (title, *rest) if piece]


def _escaped(words: str) -> str:
    """Slack's three special characters: none of them may call anybody or make a link."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _read(answer: Response) -> Response:
    """The answer if Slack says that it worked."""
    must_be_ok(answer, "Slack")
    body = mapping(answer, "Slack")
    if body.get("ok") is True:
        return answer
    said = text(body, "error") or "no reason"
    about: dict[str, Any] = {"status": answer.status, "excerpt": answer.text()[:1000]}
    if said in _DEAD:
        raise Reauthorise(f"Slack does not let us in: {said}", **about)
    if said in _WAITS:
        raise Wait(f"Slack asks for patience: {said}", seconds=answer.retry_after, **about)
    if said in _NOBODY_KNOWS:
        raise Unknown(f"Slack has trouble of its own: {said}", **about)
    raise Refusal(f"Slack refused it: {said}", **about)


def _api(options: Mapping[str, Any]) -> str:
    return str(options.get("url") or "https://slack.com/api").rstrip("/")


def _bearer(credentials: Mapping[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {credentials['token']}"}
