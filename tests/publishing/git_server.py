"""A git server: git's own http-backend behind a small HTTP server on loopback."""

import base64
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit


class GitServer:
    """One bare repository `site.git`; `before` may answer instead of git, with a status."""

    def __init__(self, home: Path) -> None:
        self.repository = home / "site.git"
        self.token = ""
        self.before: Callable[[str, str], int | None] = lambda _method, _path: None
        self.after: Callable[[str, str], bool] = lambda _method, _path: False
        self.port = 0
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.repository))
        self.git("config", "http.receivepack", "true")

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/site.git"

    def git(self, *arguments: str, given: str = "") -> str:
        """git in the repository, as its owner."""
        where = [] if arguments[0] == "init" else ["-C", str(self.repository)]
        return subprocess.run(
            ["git", *where, *arguments], input=given, capture_output=True, text=True, check=True
        ).stdout

    def files(self) -> list[str]:
        return self.git("ls-tree", "-r", "--name-only", "main").split("\n")[:-1]

    def commits(self) -> int:
        return int(self.git("rev-list", "--count", "main"))


@contextmanager
def git_server(home: Path) -> Iterator[GitServer]:
    """The server, until the end."""
    server = GitServer(home)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve(b"")

        def do_POST(self) -> None:
            self._serve(self._body())

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _serve(self, body: bytes) -> None:
            path = urlsplit(self.path)
            wanted = f"Basic {base64.b64encode(f'git:{server.token}'.encode()).decode()}"
            if server.token and self.headers.get("Authorization") != wanted:
                self._say(401)
                return
            if status := server.before(self.command, path.path):
                self._say(status)
                return
            answer = subprocess.run(
                ["git", "http-backend"], input=body, capture_output=True, check=True,
                env={
                    "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(home),
                    "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path.path,
                    "QUERY_STRING": path.query, "REQUEST_METHOD": self.command,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                    "CONTENT_LENGTH": str(len(body)), "REMOTE_USER": "desk",
                },
            ).stdout  # fmt: skip
            if server.after(self.command, path.path):
                self.close_connection = True  # the work is done, the answer is lost
                return
            head, _, rest = answer.partition(b"\r\n\r\n")
            lines = [line.split(": ", 1) for line in head.decode().split("\r\n")]
            status_line = next((value for name, value in lines if name == "Status"), "200 OK")
            self.send_response(int(status_line.split()[0]))
            for name, value in lines:
                if name != "Status":
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(rest)

        def _say(self, status: int) -> None:
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        server.port = web.server_address[1]
        threading.Thread(target=web.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            web.shutdown()
