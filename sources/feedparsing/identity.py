"""What makes a piece the same piece the next time it comes. Pure."""

import hashlib
from datetime import datetime

from articles.canonical import canonical_url


def identity(own: str, link: str, title: str, published: datetime | None, content: str = "") -> str:
    """The source's own id, else the canonical link, else a digest of title, date and text.

    A very long id is replaced by its digest; "" only for a piece with nothing to tell it by.
    """
    chosen = own.strip() or canonical_url(link)
    if not chosen and (title or content):
        told = "\n".join((title, published.isoformat() if published else "", content[:500]))
        chosen = f"sha256:{hashlib.sha256(told.encode(errors='replace')).hexdigest()}"
    if len(chosen) > 600:
        chosen = f"sha256:{hashlib.sha256(chosen.encode(errors='replace')).hexdigest()}"
    return chosen
