"""Email to a channel's subscribers, by SMTP. RFC 5321, 5322 and 8058.

A mail server takes no key of ours and can't be asked afterwards. So every letter has a row that
says "sending" before it leaves; one whose fate is unknown is never sent again by the desk itself,
and the letters after it go on. Its Message-ID is fixed, so a mailbox may still know a second one.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from config.outbound import Client
from publishing.errors import Reauthorise, Refusal, Undecidable, Unfinished, Unknown, Wait
from publishing.platforms.base import Platform
from publishing.platforms.letter import letter
from publishing.platforms.smtp import Server, session
from publishing.post import Capabilities, Field, Job, Once, Post, Problem, Receipt
from publishing.recipients import Ending, Recipient, Recipients

_AT_A_TIME = 25.0  # seconds of one attempt; then it goes on with the next
_PUT_OFF = 600.0  # seconds before asking servers again that put letters off
_BREATH = 5.0  # seconds before a new session with a server that ended one
_MOST_REFUSED = 3  # letters in a row, for what they say: then nobody would take the others


class Email(Platform):
    """A letter per subscriber."""

    key = "email"
    label = "Email (SMTP)"
    help = (
        "Your mail server must sign what it sends (DKIM), the List-Unsubscribe headers included; "
        "else mailboxes show no button to unsubscribe. The subscribers are on a page of their own."
    )
    options = (
        Field("host", "Mail server", required=True, help="Such as smtp.example.org"),
        Field("port", "Port", "number", default=587),
        Field(
            "security", "Security", "choice", default="starttls",
            choices=(
                ("starttls", "STARTTLS (587)"), ("tls", "TLS (465)"),
                ("none", "None: a server of your own, without a password"),
            ),
        ),
        Field("sender", "From, address", required=True, help="Such as news@example.org"),
        Field("sender_name", "From, name"),
        Field("reply_to", "Answers go to", help="An address, if another one."),
        Field(
            "form", "Form", "choice", default="whole",
            choices=(("whole", "The whole story"), ("summary", "Title, summary and link")),
        ),
        Field("footer", "Last line", default="You get this because you subscribed."),
    )  # fmt: skip
    credentials = (
        Field("user", "User name"),
        Field("password", "Password", "secret"),
    )
    capabilities = Capabilities(
        once=Once.KEY,
        in_words=(
            "A row per subscriber, written before the letter leaves: what goes on later goes only "
            "to whom it has not gone. A letter whose fate is unknown is asked about."
        ),
        form="whole story, or summary and link",
        alt_text=True,
        tried_against="aiosmtpd 1.4",
        access="A mail server that lets the desk send, and a list of people who agreed.",
    )
    to_subscribers = True

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """A letter needs a subject."""
        return [] if post.title else [Problem("title", "A letter needs a title as its subject.")]

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Write to every subscriber who has not got it yet."""
        return await self._send(job, http)

    async def reply(self, job: Job, http: Client) -> Receipt:
        """Write once more to those who got the first letter: a correction, or that it was wrong."""
        return await self._send(job, http, answers=True)

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """Whether the server lets us in."""
        async with session(options, credentials, http):
            return f"The mail server {options['host']} lets us in."

    async def _send(self, job: Job, http: Client, *, answers: bool = False) -> Receipt:
        if job.recipients is None:
            raise Refusal("Letters go out through the queue only.")
        going = _Round(job, job.recipients, answers)
        try:
            async with session(job.options, job.credentials, http) as server:
                await going.through(server)
        except Unfinished:
            raise
        except Wait as problem:
            if not going.sent:
                raise
            # Many servers end a session after so many letters; that is no attempt in vain.
            raise Unfinished(f"{problem} The mailing goes on.", seconds=_BREATH) from problem
        return await going.summed_up()


class _Round:
    """One attempt's way through the subscribers."""

    def __init__(self, job: Job, recipients: Recipients, answers: bool) -> None:
        self._job = job
        self._recipients = recipients
        self._answers = answers
        self._refused_in_a_row = 0
        self._said = ""  # by the server that refused last
        self.sent = 0

    async def through(self, server: Server) -> None:
        """Write to everybody whose turn it is. Raises `Unfinished` when the time is up."""
        clock = asyncio.get_running_loop()
        until = clock.time() + _AT_A_TIME
        while clock.time() < until:
            to = await self._recipients.next()
            if to is None:
                return
            await self._write(server, to)
        raise Unfinished("The mailing goes on.")

    async def summed_up(self) -> Receipt:
        """The receipt, if nothing is left to be done or asked."""
        tally = await self._recipients.tally()
        if tally.waiting:
            raise Unfinished(f"{tally.waiting} letters were put off by servers.", seconds=_PUT_OFF)
        if tally.in_doubt:
            raise Undecidable(
                f"{tally.sent} letters are sent, {tally.in_doubt} may be: their lines broke. To "
                "send again sends those once more, and no others."
            )
        if not tally.sent and not tally.refused:
            raise Refusal("Nobody has subscribed to this channel, or nobody is confirmed yet.")
        if not tally.sent:
            raise Refusal(f"Not one letter was taken. {self._said}".strip())
        words = f"{tally.sent} letters sent, {tally.refused} refused."
        return Receipt(self._job.once_key, excerpt=words)

    async def _write(self, server: Server, to: Recipient) -> None:
        try:
            written = letter(self._job, to, answers=self._answers)
        except ValueError as problem:
            await self._recipients.ended(to, Ending.NO_SUCH, f"It can't be addressed: {problem}")
            return
        try:
            ending, said = await server.take(to.address, written)
        except (Wait, Reauthorise) as problem:
            await self._recipients.ended(to, Ending.NOT_BEGUN, str(problem))
            raise
        await self._recipients.ended(to, ending, said)
        match ending:
            case Ending.SENT:
                self.sent += 1
                self._refused_in_a_row = 0
            case Ending.IN_DOUBT:
                raise Unknown(f"The line to the mail server broke. {said}")
            case Ending.REFUSED:
                self._refused_in_a_row += 1
                self._said = said
                if self._refused_in_a_row >= _MOST_REFUSED:
                    raise Refusal(f"The mail server refuses what the letters say. {said}")
            case Ending.NO_SUCH:
                self._said = said
