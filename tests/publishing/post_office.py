"""A mail server on loopback that takes letters as a test wants it (aiosmtpd, in this process)."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


@dataclass
class PostOffice:
    """What it took, and how it behaves."""

    port: int = 0
    arrived: list[tuple[str, EmailMessage]] = field(default_factory=list)  # to whom, what
    raw: list[tuple[str, bytes]] = field(default_factory=list)  # the same in bytes
    said_at_rcpt: dict[str, str] = field(default_factory=dict)  # address: answer
    said_at_data: str = ""  # instead of 250, for every letter
    loses: set[str] = field(default_factory=set)  # taken, and the line cut before the answer
    most_in_a_session: int = 1000
    sessions: int = 0

    def to(self, address: str) -> list[EmailMessage]:
        """What one mailbox got."""
        return [letter for who, letter in self.arrived if who == address]

    def authenticate(self, _s: Any, _session: Any, _e: Any, _m: str, data: Any) -> AuthResult:
        """One user and one password."""
        known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"desk", b"pw")
        return AuthResult(success=known, handled=known)

    async def handle_EHLO(
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """A new session."""
        session.host_name = hostname
        self.sessions += 1
        return responses

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Take it, or say what the test wants."""
        session.letters = getattr(session, "letters", 0) + 1
        if session.letters > self.most_in_a_session:
            server.transport.close()
            return "421 4.7.0 Too many letters in one session"
        if address in self.said_at_rcpt:
            return self.said_at_rcpt[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:
        """Take it, and perhaps lose the line."""
        if self.said_at_data:
            return self.said_at_data
        letter = message_from_bytes(envelope.content, policy=policy.default)
        for address in envelope.rcpt_tos:
            self.arrived.append((address, letter))
            self.raw.append((address, envelope.content))
            if address in self.loses:
                self.loses.discard(address)
                server.transport.abort()
        return "250 2.0.0 Taken as 4711"


@contextmanager
def post_office(tls: ssl.SSLContext | None = None) -> Iterator[PostOffice]:
    """A running mail server; with `tls` it asks for STARTTLS and a sign-in."""
    office = PostOffice()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        office.port = free.getsockname()[1]
    strict: dict[str, Any] = (
        {"require_starttls": True, "tls_context": tls, "auth_required": True} if tls else {}
    )
    controller = Controller(
        office, hostname="127.0.0.1", port=office.port, authenticator=office.authenticate, **strict
    )
    controller.start()
    try:
        yield office
    finally:
        controller.stop()
