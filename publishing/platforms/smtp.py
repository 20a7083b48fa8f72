"""Talking to a mail server: signed in over TLS, one letter at a time. RFC 5321, 3207, 4954.

The connection goes to an address that the desk's own guard has judged.
"""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiosmtplib
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from config.outbound import Client
from publishing.errors import Reauthorise, Refusal, Wait
from publishing.recipients import Ending

PORTS = frozenset({25, 465, 587, 2525})
_SECONDS = 15.0  # for one command's answer
_NO_SUCH = (550, 551, 553, 556)  # of RCPT: the mailbox, not the letter (RFC 5321 §4.2.3)


@dataclass(frozen=True, slots=True)
class Server:
    """An open session with a mail server."""

    smtp: aiosmtplib.SMTP
    sender: str

    async def take(self, address: str, letter: bytes) -> tuple[Ending, str]:
        """Hand one letter over; what became of it, and what the server said.

        Raises `Reauthorise` if the sender isn't taken, `Wait` if the server ends the session
        before the letter has begun. After `IN_DOUBT` the session is over.
        """
        try:
            await self.smtp.mail(self.sender)
            await self.smtp.rcpt(address)
        except SMTPSenderRefused as problem:
            raise _turned_away("takes no letters from this sender", problem) from problem
        except SMTPRecipientRefused as problem:
            ending = await self._after(problem, _NO_SUCH)
            return ending, _said(problem)
        except (SMTPException, OSError) as problem:
            raise Wait(f"The mail server broke off. {problem}"[:500]) from problem
        try:
            _code, said = await self.smtp.data(letter)
        except SMTPResponseException as problem:
            return await self._after(problem, ()), _said(problem)
        except (SMTPException, OSError) as problem:
            return Ending.IN_DOUBT, f"The line broke: {problem}"[:500]
        return Ending.SENT, str(said)[:500]

    async def _after(self, problem: SMTPResponseException, no_such: tuple[int, ...]) -> Ending:
        """What a refusal means; the session goes on with a clean slate."""
        if problem.code == 421:
            raise Wait(f"The mail server closes: {_said(problem)}")
        with suppress(SMTPException, OSError):  # the next letter finds out
            await self.smtp.rset()
        if problem.code < 500:
            return Ending.PUT_OFF
        return Ending.NO_SUCH if problem.code in no_such else Ending.REFUSED


@asynccontextmanager
async def session(
    options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
) -> AsyncIterator[Server]:
    """A server that has let us in. Raises `Wait`, `Reauthorise`, `Refusal` or `OutboundError`."""
    host, sender = str(options["host"]).strip(), str(options["sender"])
    how = options.get("security") or "starttls"
    port = int(options.get("port") or (465 if how == "tls" else 587))
    user, password = str(credentials.get("user") or ""), str(credentials.get("password") or "")
    if user and how == "none":
        raise Refusal("Without TLS the password would travel in the clear; choose STARTTLS or TLS.")
    smtp = aiosmtplib.SMTP(
        hostname=host, port=None, sock=await http.connect(host, port, own_ports=PORTS),
        use_tls=how == "tls", start_tls=False, tls_context=http.tls, timeout=_SECONDS,
        local_hostname=sender.rpartition("@")[2] or "localhost",
    )  # fmt: skip
    try:
        await _let_in(smtp, how, user, password)
        yield Server(smtp, sender)
    finally:
        try:
            await smtp.quit(timeout=2)
        except (SMTPException, OSError):
            smtp.close()


async def _let_in(smtp: aiosmtplib.SMTP, how: str, user: str, password: str) -> None:
    try:
        await smtp.connect()
        await smtp.ehlo()
        if how == "starttls":
            if not smtp.supports_extension("starttls"):
                raise Reauthorise("The mail server offers no STARTTLS here; try TLS on port 465.")
            await smtp.starttls()
        if user:
            await smtp.login(user, password)
    except SMTPAuthenticationError as problem:
        raise _turned_away("does not know this user and password", problem) from problem
    except SMTPResponseException as problem:
        raise _turned_away("does not let us in", problem) from problem
    except (SMTPException, OSError) as problem:
        for cause in (problem, problem.__cause__, problem.__context__):
            if isinstance(cause, ssl.SSLCertVerificationError):
                words = cause.verify_message.rstrip(".")
                raise Wait(f"The mail server's certificate is not valid: {words}.") from problem
        raise Wait(f"The mail server can't be used now. {problem}"[:500]) from problem


def _turned_away(words: str, problem: SMTPResponseException) -> Wait | Reauthorise:
    """4xx is for now, 5xx until somebody has seen to the channel."""
    sentence = f"The mail server {words}: {_said(problem)}"
    return Wait(sentence) if problem.code < 500 else Reauthorise(sentence)


def _said(problem: SMTPResponseException) -> str:
    return " ".join(f"{problem.code} {problem.message}".split())[:400]
