"""What WebSub asks of a subscriber, decided without network or database. Pure.

W3C Recommendation of 23 January 2018, https://www.w3.org/TR/websub/. Section numbers below are
of that text.
"""

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit

LEASE = timedelta(days=10)  # what we ask for; the hub decides
_SHORTEST_LEASE, _LONGEST_LEASE = timedelta(minutes=1), timedelta(days=90)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=5), timedelta(hours=24)
_METHODS = ("sha1", "sha256", "sha384", "sha512")  # §8: the methods a hub may sign with
_LONGEST_URL = 2000
_LINK = re.compile(r"<([^<>]*)>((?:[^,<\"]|\"[^\"]*\")*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.I)


@dataclass(frozen=True, slots=True)
class Lease:
    """Until when a hub promised to push, and when we ask it again."""

    ends: datetime
    renew: datetime


def callback_base(public_url: str, allowed: str) -> str:
    """Where hubs reach this desk, without a slash at the end; "" when they can't.

    `allowed` is an address that an administrator named for them; else the desk's own address
    counts if it is https and no address of a private network or of this machine.
    """
    if allowed:
        return allowed.rstrip("/")
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    if parts.scheme != "https" or "." not in host or host.endswith((".local", ".internal")):
        return ""
    try:
        public = ip_address(host).is_global
    except ValueError:
        public = not host.endswith((".localhost", ".invalid", ".test", ".example"))
    return public_url.rstrip("/") if public else ""


def declared(links: Iterable[str], base: str) -> tuple[str, str]:
    """The hub and the topic in `Link` headers (§4), "" where none is named; the first of each."""
    found = {"hub": "", "self": ""}
    for header in links:
        for link in _LINK.finditer(header[:10_000]):
            rel = _REL.search(link[2])
            for name in (rel[1] or rel[2] or "").lower().split() if rel else ():
                if name in found and not found[name]:
                    found[name] = _address(link[1].strip(), base)
    return found["hub"], found["self"]


def usable(hub: str, topic: str) -> bool:
    """Whether both are addresses that can be asked and stored."""
    return bool(_address(hub) and _address(topic))


def signed_by(secret: str, header: str, body: bytes) -> bool:
    """Whether `X-Hub-Signature` (§7.1) proves that the hub sent this body; in constant time."""
    method, _, signature = header.strip().partition("=")
    method = method.lower()
    if method not in _METHODS:
        return False
    ours = hmac.new(secret.encode(), body, method).hexdigest()
    return same(ours, signature.strip().lower())


def same(ours: str, theirs: str) -> bool:
    """Whether two texts are equal, in a time that doesn't tell how far."""
    return hmac.compare_digest(ours.encode(errors="replace"), theirs.encode(errors="replace"))


def lease(now: datetime, seconds: str) -> Lease:
    """What `hub.lease_seconds` stands for; ours where it is missing or no number.

    We ask again when four fifths of it are over.
    """
    granted = LEASE
    if seconds.isascii() and seconds.isdigit() and len(seconds) < 12:
        granted = min(timedelta(seconds=int(seconds)), _LONGEST_LEASE)
    granted = max(granted, _SHORTEST_LEASE)
    return Lease(ends=now + granted, renew=now + granted * 0.8)


def next_try(now: datetime, attempts: int) -> datetime:
    """When to ask a hub again that failed `attempts` times in a row."""
    doublings = min(max(attempts - 1, 0), 12)
    return now + min(_LONGEST_WAIT, _FIRST_WAIT * (1 << doublings))


def _address(url: str, base: str = "") -> str:
    try:
        whole = urljoin(base, url)
        parts = urlsplit(whole)
    except ValueError:
        return ""
    fine = parts.scheme in ("http", "https") and parts.netloc and len(whole) <= _LONGEST_URL
    return whole if fine else ""
