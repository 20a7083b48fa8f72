"""What was approved, as hashes: of each part, to say what changed, and of the whole. Pure.

Approval binds to these. The marker is left out, so that a preview has the hash of the delivery
that comes of it; a picture counts with its address and its words, not its bytes. Empty values are
left out too: a field that comes with a later version changes nothing until it is used. So are
settings that say how a platform is spoken to, and not what stands there afterwards.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from publishing.post import Post

WORDS = {
    "text": "the text",
    "details": "the story's link, tags, authors or language",
    "pictures": "the pictures",
    "settings": "the channel's settings",
    "act": "what is to be done there",
}

_HOW = ("version", "login_url")  # of an API that drops its versions; where a visit begins


def parts(post: Post, *, platform: str, options: Mapping[str, Any], act: str) -> dict[str, str]:
    """The SHA-256 of each part of what goes out, in hex; the keys are those of `WORDS`."""
    text = {"title": post.title, "html": post.html, "text": post.text, "summary": post.summary}
    details = {
        "url": post.url, "tags": post.tags, "authors": post.authors, "language": post.language,
        "canonical_url": post.canonical_url if post.canonical_url != post.url else "",
    }  # fmt: skip
    pictures = {"pictures": [(picture.src, picture.alt) for picture in post.pictures]}
    settings = {f"option_{name}": each for name, each in options.items() if name not in _HOW}
    return {
        "text": _hash(text),
        "details": _hash(details),
        "pictures": _hash(pictures),
        "settings": _hash({"platform": platform, **settings}),
        "act": _hash({"act": act}),
    }


def whole(hashes: Mapping[str, str]) -> str:
    """One SHA-256 for all the parts, in hex."""
    return _hash(dict(hashes))


def changed(approved: Mapping[str, str], now: Mapping[str, str]) -> str:
    """What is different, in words; "" if nothing is."""
    different = [words for part, words in WORDS.items() if approved.get(part) != now.get(part)]
    if len(different) < 2:
        return "".join(different)
    return f"{', '.join(different[:-1])} and {different[-1]}"


def _hash(values: Mapping[str, Any]) -> str:
    given = {name: value for name, value in values.items() if value}
    return hashlib.sha256(orjson.dumps(given, option=orjson.OPT_SORT_KEYS)).hexdigest()
