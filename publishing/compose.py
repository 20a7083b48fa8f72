"""A story's approved revision as a post, and long texts made short. Pure."""

import re
from collections.abc import Iterable

import regex

from articles.clean import plain_text
from publishing.post import Post

_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*\s")
_URL = re.compile(r"https?://\S+")


def compose(
    *,
    title: str,
    summary: str,
    content: str,
    url: str = "",
    tags: Iterable[str] = (),
    authors: Iterable[str] = (),
    language: str = "",
    marker: str = "",
) -> Post:
    """The post that a story's text makes."""
    return Post(
        title=" ".join(title.split()),
        html=content,
        text=plain_text(content),
        summary=plain_text(summary),
        url=url,
        tags=tuple(tags),
        authors=tuple(authors),
        language=language,
        marker=marker,
    )


def short_text(post: Post, limit: int, *, url_counts: int | None = None) -> str:
    """Title, as much of the summary as fits, link and hashtags, within `limit` graphemes.

    Link and title are never cut short for the summary's sake; the summary ends at a sentence
    where it can, else at a word. Hashtags come only if there is room.
    """
    tail = f"\n\n{post.url}" if post.url else ""
    room = limit - length(tail, url_counts)
    head = shortened(post.title, room)
    room -= length(head)
    body = shortened(post.summary or post.text.partition("\n")[0], room - 2)
    if body and body != "…":
        head = f"{head}\n\n{body}"
        room -= length(body) + 2
    tags = hashtags(post.tags)
    while tags and length(" ".join(tags)) + 2 > room:
        tags.pop()
    return head + tail + (f"\n\n{' '.join(tags)}" if tags else "")


def length(text: str, url_counts: int | None = None) -> int:
    """How long a text is in graphemes (what a reader calls characters); a link may count fixed."""
    if url_counts is not None:
        text = _URL.sub("u" * url_counts, text)
    return len(regex.findall(r"\X", text))


def shortened(text: str, limit: int) -> str:
    """`text` within `limit` graphemes: ended at a sentence if it can be, else at a word."""
    graphemes = regex.findall(r"\X", text)
    if len(graphemes) <= limit:
        return text
    if limit < 2:
        return ""
    cut = "".join(graphemes[: limit - 1])
    ends = [match.end() for match in _SENTENCE_END.finditer(cut + " ")]
    if ends and ends[-1] > len(cut) // 2:
        return cut[: ends[-1]].rstrip()
    at_word = cut.rsplit(None, 1)[0] if len(cut.split()) > 1 else cut
    return at_word.rstrip(" ,;:–-") + "…"


def hashtags(tags: Iterable[str]) -> list[str]:
    """Tags as platforms take them: letters and digits only, never digits alone."""
    found = []
    for tag in tags:
        word = regex.sub(r"[^\p{L}\p{M}\p{N}_]", "", tag.title() if " " in tag else tag)
        if word and not word.isdigit():
            found.append(f"#{word}")
    return list(dict.fromkeys(found))
