"""Any receiver of signed webhooks, as Standard Webhooks has it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any

import orjson

from config.outbound import Client, Response
from publishing.errors import Reauthorise, Refusal
from publishing.platforms.base import Platform, must_be_ok
from publishing.post import Capabilities, Field, Job, Once, Post, Receipt

_SHORTEST_KEY = 24  # bytes, as the specification asks


class Webhook(Platform):
    """Sends the post as signed JSON; the receiver drops repetitions by `webhook-id`."""

    key = "webhook"
    label = "Signed webhook"
    help = (
        "Sends each story as JSON to an address of yours, signed as Standard Webhooks describes. "
        "The receiver must check the signature and drop an id that it has seen."
    )
    options = (Field("url", "Address", "url", required=True, help="Where the JSON is posted."),)
    credentials = (
        Field(
            "secret", "Signing secret", "secret", required=True,
            help="whsec_ and at least 24 bytes in base64; the receiver has the same.",
        ),
    )  # fmt: skip
    capabilities = Capabilities(
        once=Once.KEY,
        in_words="webhook-id is the same at every attempt; the receiver drops repetitions.",
        form="whole story",
        tried_against="the official standardwebhooks package 1.1",
    )

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Post the signed message."""
        body = orjson.dumps({"type": "story.published", "data": _data(job.post)})
        answer = await http.post(
            job.options["url"],
            content=body,
            headers={"content-type": "application/json"},
            secret_headers=signed(job.post.marker, body, job.credentials["secret"], time.time()),
        )
        return Receipt(
            remote_id=job.post.marker,
            http_status=_read(answer).status,
            excerpt=answer.text()[:1000],
        )

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """Check that the secret is well-formed; a test message would be a message."""
        _key_of(credentials.get("secret", ""))
        return "The secret is well-formed. The receiver is not asked before the first story."


def signed(marker: str, body: bytes, secret: str, now: float) -> dict[str, str]:
    """The three headers of Standard Webhooks: id, timestamp in seconds, signature."""
    stamp = str(int(now))
    message = b".".join((marker.encode(), stamp.encode(), body))
    digest = hmac.new(_key_of(secret), message, hashlib.sha256).digest()
    return {
        "webhook-id": marker,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


def _key_of(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith("whsec_") or len(key) < _SHORTEST_KEY:
        raise Reauthorise("The signing secret must be whsec_ and at least 24 bytes in base64.")
    return key


def _read(answer: Response) -> Response:
    if answer.status == 410:
        # The specification: "the sender should disable the webhook endpoint".
        raise Reauthorise("The receiver is gone for good (410); give its new address.", status=410)
    if 300 <= answer.status < 400:
        raise Refusal(
            f"The receiver answered with a redirect ({answer.status}); give its final address.",
            status=answer.status,
        )
    return must_be_ok(answer, "The receiver")


def _data(post: Post) -> dict[str, Any]:
    return {
        "id": post.marker,
        "title": post.title,
        "summary": post.summary,
        "html": post.html,
        "text": post.text,
        "url": post.url,
        "canonical_url": post.canonical_url,
        "tags": post.tags,
        "authors": post.authors,
        "language": post.language,
    }
