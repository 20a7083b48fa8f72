"""What a site lets programs read (RFC 9309). Asked for pages only: a feed is made for programs."""

import hashlib
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from protego import Protego

from config.outbound import Client, OutboundError

_A_DAY, _AN_HOUR = 24 * 3600, 3600  # how long an answer holds, and how long a failure
_LONGEST = 512 * 1024  # bytes; RFC 9309 §2.5 asks for 500 KiB at least
_NOBODY = "# The site could not be asked.\nUser-agent: *\nDisallow: /\n"


async def allowed(url: str, http: Client) -> bool:
    """Whether the site of `url` (http or https) lets the desk read that page.

    A site without rules allows everything; one that can't be asked nothing, until it can (§2.3.1).
    """
    rules = await _rules(url, http)
    return bool(Protego.parse(rules).can_fetch(url, _name()))


async def told(url: str, http: Client) -> bool:
    """Whether the site of `url` has said what programs may read, if only by having no rules."""
    return await _rules(url, http) != _NOBODY


async def _rules(url: str, http: Client) -> str:
    parts = urlsplit(url)
    site = f"{parts.scheme}://{parts.netloc}"
    key = f"robots:{hashlib.sha256(site.encode()).hexdigest()}"
    known: str | None = await cache.aget(key)
    if known is not None:
        return known
    rules, seconds = await _asked(f"{site}/robots.txt", http)
    await cache.aset(key, rules, seconds)
    return rules


async def _asked(address: str, http: Client) -> tuple[str, int]:
    try:
        answer = await http.get(address, deadline=10, max_bytes=_LONGEST)
    except OutboundError:
        return _NOBODY, _AN_HOUR
    if answer.ok:
        return answer.body.decode(errors="replace"), _A_DAY
    if 400 <= answer.status < 500 and answer.status != 429:
        return "", _A_DAY
    return _NOBODY, _AN_HOUR


def _name() -> str:
    """The product token by which rules name us: what stands before "/" in the user agent."""
    return settings.OUTBOUND_USER_AGENT.partition("/")[0].strip() or "Newsdesk"
