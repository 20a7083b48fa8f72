"""A small authorisation server with a page of its own, for the browser: RFC 6749 §4.1 with PKCE."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT = ("newsdesk", "s3cret")
ACCOUNT = "@harbour"


class Platform:
    """What the server knows, and what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.visits: dict[str, dict[str, str]] = {}  # by code: what was asked for
        self.redeemed: list[dict[str, str]] = []
        self.gives_refresh_tokens = True
        self.lies_about_the_state = False

    def page(self, asked: dict[str, str]) -> str:
        """Where the person is asked."""
        code = f"code-{len(self.visits) + 1}"
        self.visits[code] = asked
        state = "forged" if self.lies_about_the_state else asked["state"]
        allow = urlencode({"code": code, "state": state})
        deny = urlencode(
            {"error": "access_denied", "error_description": "The person said no.", "state": state}
        )
        back = asked["redirect_uri"]
        return (
            f"<!doctype html><title>Harbour</title><p>Newsdesk asks for {asked['scope']}.</p>"
            f'<a href="{back}?{allow}">Allow</a> <a href="{back}?{deny}">Deny</a>'
        )

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        """Tokens for a code that was given, once, to whoever began the visit."""
        self.redeemed.append(form)
        asked = self.visits.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        known = (form.get("client_id"), form.get("client_secret")) == CLIENT
        if asked is None or asked["code_challenge"] != challenge or not known:
            return 400, {"error": "invalid_grant"}
        number = len(self.redeemed)
        tokens: dict[str, object] = {"access_token": f"access-{number}", "expires_in": 3600}
        if self.gives_refresh_tokens:
            tokens["refresh_token"] = f"refresh-{number}"
        return 200, tokens


@contextmanager
def asking() -> Iterator[Platform]:
    """The server, on loopback."""
    platform = Platform()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            there = urlsplit(self.path)
            if there.path == "/authorize":
                asked = {name: value[0] for name, value in parse_qs(there.query).items()}
                return self._say(200, "text/html", platform.page(asked))
            if there.path == "/me" and self.headers["Authorization"].startswith("Bearer access-"):
                return self._say(200, "application/json", json.dumps({"name": ACCOUNT}))
            found = 200 if there.path == "/favicon.ico" else 404
            return self._say(found, "text/plain", "")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: value[0] for name, value in parse_qs(body).items()}
            status, tokens = platform.token(form)
            self._say(status, "application/json", json.dumps(tokens))

        def _say(self, status: int, kind: str, body: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_words: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    platform.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield platform
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
