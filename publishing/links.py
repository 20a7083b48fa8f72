"""The link that goes with a post: where to, and what it tells the far end's statistics. Pure."""

from enum import StrEnum
from urllib.parse import urlencode

import ada_url


class Link(StrEnum):
    """Where a channel's posts lead."""

    OURS = "ours"
    THEIRS = "theirs"
    NONE = "none"


def link(
    wanted: str, *, ours: str, theirs: str, source: str = "", medium: str = "", campaign: str = ""
) -> str:
    """The address that goes with a post: `ours` is our public page, `theirs` the source's.

    Where we have no page it is the source's. Only ours is tagged: the statistics of others are
    none of our business, and their addresses are theirs.
    """
    if wanted == Link.NONE:
        return ""
    if wanted == Link.THEIRS or not ours:
        return theirs
    return tagged(ours, source=source, medium=medium, campaign=campaign)


def tagged(address: str, *, source: str = "", medium: str = "", campaign: str = "") -> str:
    """`address` with utm parameters; one that stands there already is kept, as somebody meant it.

    https://support.google.com/analytics/answer/10917952. "" stays "", and what is no http(s)
    address stays as it is.
    """
    wanted = {"utm_source": source, "utm_medium": medium, "utm_campaign": campaign}
    try:
        url = ada_url.URL(address)
    except ValueError:
        return address
    if url.protocol not in ("http:", "https:"):
        return address
    there = {pair.partition("=")[0] for pair in url.search[1:].split("&")}
    added = urlencode(
        {name: value for name, value in wanted.items() if value and name not in there}
    )
    if added:
        url.search = f"{url.search}&{added}" if url.search else added
    return str(url.href)
