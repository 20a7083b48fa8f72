"""A receiver of signed webhooks as its users write one: verify, drop what was seen, keep the rest.

Run in the servers' environment: `python receiver.py PORT`, the secret in WEBHOOK_SECRET.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

KEPT: dict[str, Any] = {}  # by webhook-id


class Receiver(BaseHTTPRequestHandler):
    """POST /hook takes a message, GET /kept lists them, GET /version names the package."""

    def do_POST(self) -> None:
        """Take a message whose signature is right; a repetition is a success that changes nothing.

        A signature that isn't is a 401.
        """
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            message = Webhook(os.environ["WEBHOOK_SECRET"]).verify(body, dict(self.headers))
        except WebhookVerificationError as problem:
            self._say(401, {"error": str(problem)})
            return
        new = KEPT.setdefault(self.headers["webhook-id"], message) is message
        self._say(200, {"new": new})

    def do_GET(self) -> None:
        """What was kept, in the order it came."""
        self._say(200, version("standardwebhooks") if self.path == "/version" else [*KEPT.values()])

    def _say(self, status: int, what: Any) -> None:
        answer = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
