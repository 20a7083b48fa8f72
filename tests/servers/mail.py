"""A mail server (aiosmtpd) that keeps letters in a Maildir, and a proxy that speaks SMTP."""

import mailbox
import socket
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from importlib import import_module
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.parse import urlsplit

from publishing.models import Channel
from tests.servers import installing, running
from tests.servers.proxy import Handled, Mode, Proxy
from tests.servers.venue import Venue

READER = "rita@readers.example"
_LETTER = "LETTER"  # what comes after DATA, as one request of its own
_NO = {Mode.BUSY: b"421 4.3.2 The proxy says no\r\n", Mode.WAIT: b"451 4.7.1 Later\r\n"}


class Mail(Venue):
    """A server that takes every letter; one reader has subscribed."""

    key, label = "email", "SMTP (aiosmtpd)"
    finds_out = False
    modes = (Mode.LOST, Mode.HUNG, Mode.CUT_SHORT, Mode.NEVER, Mode.BUSY, Mode.WAIT)

    def __init__(self, url: str, letters: Path, version: str) -> None:
        self.url = url
        self.credentials = {}
        self._letters = letters
        self._version = version

    @classmethod
    @contextmanager
    def running(cls, data: Path) -> Iterator["Mail"]:
        """The server with an empty Maildir."""
        python, port, letters = str(installing.python()), running.free_port(), data / "letters"
        mailbox.Maildir(letters, create=True)
        with running.process(
            [
                python, "-m", "aiosmtpd", "--nosetuid", "--listen", f"127.0.0.1:{port}",
                "--class", "aiosmtpd.handlers.Mailbox", str(letters),
            ],
            log=data / "mail.log",
            ready=lambda: running.listens(port),
        ):  # fmt: skip
            asked = "import aiosmtpd; print(aiosmtpd.__version__)"
            version = installing.run(python, "-c", asked).strip()
            yield cls(f"smtp://127.0.0.1:{port}", letters, version)

    def version(self) -> str:
        """Of the package."""
        return self._version

    def proxied(self) -> AbstractContextManager[Proxy]:
        """Behind a proxy that reads SMTP."""
        return _before(self.url)

    def options(self, url: str) -> dict[str, Any]:
        """A server of one's own: without TLS, without a password."""
        where = urlsplit(url)
        return {
            "host": where.hostname, "port": where.port, "security": "none",
            "sender": "news@desk.example", "sender_name": "The Desk", "form": "whole",
        }  # fmt: skip

    def prepare(self, channel: Channel) -> None:
        """One subscriber who agreed."""
        import_module("publishing.subscribing").import_list(channel, READER, agreed=True)

    def meant(self, method: str, path: str) -> bool:
        """Every letter."""
        return method == _LETTER

    def letters(self) -> list[EmailMessage]:
        """All that arrived."""
        parse = BytesParser(EmailMessage, policy=policy.default).parsebytes
        kept = mailbox.Maildir(self._letters)
        return [parse(kept.get_bytes(key)) for key in kept.keys()]  # noqa: SIM118 - no mapping

    def posts(self, title: str) -> list[str]:
        """The letters with this in their subject, as they are read in plain words."""
        ours = [each for each in self.letters() if title in str(each["subject"])]
        bodies = (each.get_body(("plain",)) for each in ours)
        return [
            f"{each['subject']}\n{body.get_content() if body else ''}"
            for each, body in zip(ours, bodies, strict=True)
        ]


@contextmanager
def _before(server: str) -> Iterator[Proxy]:
    proxy = Proxy(server)

    class Handler(_Handler):
        here = proxy

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        proxy.url = f"smtp://127.0.0.1:{listening.server_address[1]}"
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.let_go()
            listening.shutdown()
            thread.join(10)


class _Handler(StreamRequestHandler):
    """One session: commands and answers handed on line by line, a letter as a whole."""

    here: Proxy

    def handle(self) -> None:
        """Until either side ends it."""
        where = self.here.server.hostname or "", self.here.server.port or 25
        try:
            with socket.create_connection(where, timeout=60) as server:
                self._server, self._answers = server, server.makefile("rb")
                self.wfile.write(self._answer())
                while line := self.rfile.readline():
                    if line.strip().upper() == b"DATA":
                        self._letter()
                    else:
                        server.sendall(line)
                        self.wfile.write(self._answer())
        except OSError:
            return

    def _letter(self) -> None:
        """Take it from the client, and then decide what becomes of it."""
        self.wfile.write(b"354 Go ahead\r\n")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise ConnectionError
            lines.append(line)
        fault = self.here.fault_of(_LETTER, "")
        mode = fault.mode if fault else None
        handed_on = mode not in (Mode.NEVER, *_NO)
        answer = self._handed_on(b"".join(lines)) if handed_on else b""
        self.here.log.append(Handled(_LETTER, "", mode, int(answer[:3]) if answer else None))
        if fault:
            fault.hit.set()
        match mode:
            case Mode.LOST | Mode.NEVER:
                raise ConnectionError
            case Mode.HUNG:
                self.here.hang()
                raise ConnectionError
            case Mode.CUT_SHORT:
                self.wfile.write(answer[: len(answer) // 2])
                raise ConnectionError
            case Mode.BUSY | Mode.WAIT:
                self.wfile.write(_NO[mode])
            case _:
                self.wfile.write(answer)

    def _handed_on(self, letter: bytes) -> bytes:
        self._server.sendall(b"DATA\r\n")
        if not self._answer().startswith(b"354"):
            raise ConnectionError
        self._server.sendall(letter + b".\r\n")
        return self._answer()

    def _answer(self) -> bytes:
        """All lines of the server's next answer (RFC 5321 §4.2.1)."""
        lines = [self._answers.readline()]
        while lines[-1][3:4] == b"-":
            lines.append(self._answers.readline())
        if not lines[-1]:
            raise ConnectionError
        return b"".join(lines)
