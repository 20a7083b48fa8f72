"""A letter to one subscriber, in words and in HTML. Pure.

RFC 5322, RFC 2369 and 8058 (one click ends the subscription). Every attempt writes the same bytes.
"""

from collections.abc import Mapping
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime
from html import escape
from typing import Any

from publishing.post import Job, Post
from publishing.recipients import Recipient


class _OneLine(UnstructuredHeader, BaseHeader):
    """A header that mailboxes read by its letter: never folded, never encoded (RFC 2369 §2)."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
for _name in ("List-Unsubscribe", "Message-ID", "In-Reply-To", "References"):
    _HEADERS.map_to_type(_name.lower(), _OneLine)
_POLICY = SMTP.clone(header_factory=_HEADERS)


def letter(job: Job, to: Recipient, *, answers: bool = False) -> bytes:
    """The message, ready for DATA; `answers` hangs it on the first one to this subscriber.

    Raises `ValueError` if the sender or the address is none.
    """
    options, post = job.options, job.post
    sender = Address(str(options.get("sender_name") or ""), addr_spec=str(options["sender"]))
    message = EmailMessage(policy=_POLICY)
    message["Date"] = format_datetime(job.made_at)
    message["From"] = sender
    message["To"] = Address(addr_spec=to.address)
    message["Subject"] = post.title or "News"
    message["Message-ID"] = message_id(job.once_key, to, sender.domain)
    if answers:
        first = message_id(job.remote_id, to, sender.domain)
        message["In-Reply-To"] = first
        message["References"] = first
    if reply_to := options.get("reply_to"):
        message["Reply-To"] = Address(addr_spec=str(reply_to))
    message["List-ID"] = f"<newsdesk.{sender.domain}>"
    message["List-Unsubscribe"] = f"<{to.unsubscribe_url}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if post.language:
        message["Content-Language"] = post.language
    message.set_content(_words(post, options, to), cte="quoted-printable")
    message.add_alternative(_markup(post, options, to), subtype="html", cte="quoted-printable")
    message.set_boundary(f"newsdesk-{job.once_key}-{to.mark}")
    return message.as_bytes()


def message_id(key: str, to: Recipient, domain: str) -> str:
    """The same for a delivery and a subscriber, over all attempts."""
    return f"<{key}.{to.mark}@{domain}>"


def _words(post: Post, options: Mapping[str, Any], to: Recipient) -> str:
    body = post.text if _whole(post, options) else post.summary
    pieces = (
        post.title, body, post.url,
        f"-- \n{options.get('footer') or 'You get this because you subscribed.'}\n"
        f"No more of these: {to.unsubscribe_url}",
    )  # fmt: skip
    return "\n\n".join(filter(None, pieces)) + "\n"


def _markup(post: Post, options: Mapping[str, Any], to: Recipient) -> str:
    body = post.html if _whole(post, options) else f"<p>{escape(post.summary)}</p>"
    link = f'<p><a href="{escape(post.url)}">{escape(post.url)}</a></p>' if post.url else ""
    footer = escape(str(options.get("footer") or "You get this because you subscribed."))
    style = "max-width:40em;margin:0 auto;padding:1em;font-family:Georgia,serif;line-height:1.5"
    small = "margin-top:3em;font-size:.8em;color:#666"
    return (
        f'<!doctype html>\n<html lang="{escape(post.language or "en")}"><head>'
        f'<meta charset="utf-8"><title>{escape(post.title)}</title></head>\n'
        f'<body style="{style}">\n<h1>{escape(post.title)}</h1>\n{body}\n{link}\n'
        f'<p style="{small}">{footer} '
        f'<a href="{escape(to.unsubscribe_url)}">No more of these</a></p>\n</body></html>\n'
    )


def _whole(post: Post, options: Mapping[str, Any]) -> bool:
    return options.get("form") != "summary" or not post.summary
