"""The link that goes with a post: where to, and what it tells the far end's statistics. Pure."""

from urllib.parse import urlencode

import ada_url


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
