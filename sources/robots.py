"""What a site lets programs read (RFC 9309). Asked for pages only: a feed is made for programs."""

import hashlib
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from protego import Protego

from config.outbound import Client, OutboundError
from sources.errors import Unreachable

_A_DAY, _A_WHILE = 24 * 3600, 600  # seconds that an answer holds, and that a failure does
_LONGEST = 512 * 1024  # bytes; RFC 9309 §2.5 asks for 500 KiB at least
_NOT_ANSWERED = "-"  # kept in the place of rules


async def allowed(url: str, http: Client) -> bool:
    """Whether the site of `url` (http or https) lets the desk read that page.

    A site without rules allows everything (§2.3.1.3). Raises `Unreachable` for one that could not
    be asked: it allows nothing until it can, and that is no refusal (§2.3.1.4).
    """
    rules = await _rules(url, http)
    if rules == _NOT_ANSWERED:
        raise Unreachable(
            "The site could not say what programs may read (robots.txt); until it can, its pages "
            "are left alone. The desk asks again.",
            retry_after=_A_WHILE,
        )
    return bool(Protego.parse(rules).can_fetch(url, _name()))


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
        return _NOT_ANSWERED, _A_WHILE
    if answer.ok:
        return answer.body.decode(errors="replace"), _A_DAY
    if 400 <= answer.status < 500 and answer.status != 429:
        return "", _A_DAY
    return _NOT_ANSWERED, _A_WHILE


def _name() -> str:
    """The product token by which rules name us: what stands before "/" in the user agent."""
    return settings.OUTBOUND_USER_AGENT.partition("/")[0].strip() or "Newsdesk"
