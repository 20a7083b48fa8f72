"""LinkedIn's “little text”: plain words with some characters set aside for mentions and tags. Pure.

https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/little-text-format
A reserved character that isn't escaped makes LinkedIn cut the text off there, without an error
(ComposioHQ/composio#2710 is such a report).
"""

import re

_RESERVED = re.compile(r"[|{}@\[\]()<>#\\*_~]")
_TAG = re.compile(r"\{hashtag\|\\?[#\uFF03]\|([^|{}]*)\}")
_MENTION = re.compile(r"@\[([^\]]*)\]\(urn:li:[^)]*\)")


def escaped(words: str) -> str:
    """`words` so that every character stands for itself."""
    return _RESERVED.sub(lambda found: f"\\{found.group()}", words)


def hashtag(tag: str) -> str:
    """`#tag` as a tag that can be followed."""
    return f"{{hashtag|\\#|{escaped(tag.removeprefix('#'))}}}"


def plain(little: str) -> str:
    """The words that a reader sees of a little text."""
    words = _MENTION.sub(r"\1", _TAG.sub(r"#\1", little))
    return re.sub(r"\\(.)", r"\1", words, flags=re.DOTALL)
