"""A story's approved revision as a post, and the short form of it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

import regex

from articles.clean import plain_text
from publishing import writing
from publishing.counting import Ruler
from publishing.document import Picture, read
from publishing.post import Post
from publishing.shortening import shortened, thread


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
    canonical_url: str = "",
) -> Post:
    """The post that a story's text makes."""
    text, pictures = _read(content)
    return Post(
        title=" ".join(title.split()),
        html=content,
        text=text,
        summary=plain_text(summary),
        url=url,
        tags=tuple(tags),
        authors=tuple(authors),
        language=language,
        marker=marker,
        pictures=pictures,
        canonical_url=canonical_url,
    )


@lru_cache(maxsize=32)  # a story goes to many channels, one after the other
def _read(content: str) -> tuple[str, tuple[Picture, ...]]:
    document = read(content)
    return writing.plain(document), document.pictures


@dataclass(frozen=True, slots=True)
class Short:
    """The short form of a story, in its pieces."""

    title: str
    body: str
    link: str
    tags: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it, a blank line between the pieces."""
        return "\n\n".join(filter(None, (self.title, self.body, self.link, " ".join(self.tags))))


def short(post: Post, ruler: Ruler) -> Short:
    """Title, as much of the summary as fits, link and hashtags: `text` is within the rule.

    Link and title are never cut short for the summary's sake; the summary ends at a sentence
    where it can, else at a word. Hashtags come only if there is room.
    """
    made = Short("", "", post.url, ())
    room = ruler.less(ruler.length(f"\n\n{post.url}") if post.url else 0)
    made = replace(made, title=shortened(post.title, room))
    summary = post.summary or post.text.partition("\n")[0]
    room = room.less(ruler.length(f"{made.title}\n\n") if made.title else 0)
    made = replace(made, body=shortened(summary, room))
    tags = hashtags(post.tags)
    while tags and not ruler.fits(replace(made, tags=tuple(tags)).text):
        tags.pop()
    return replace(made, tags=tuple(tags))


def short_text(post: Post, ruler: Ruler) -> str:
    """The short form as one text."""
    return short(post, ruler).text


def whole_thread(post: Post, ruler: Ruler, *, most: int = 25) -> list[str]:
    """The whole story in numbered parts, each within the rule; the link ends the last one."""
    text = f"{post.title}\n\n{post.text or post.summary}".strip()
    if not post.url:
        return thread(text, ruler, most=most)
    tail = f"\n\n{post.url}"
    if ruler.fits(text + tail):
        return [text + tail]
    parts = thread(text, ruler, most=most)
    if ruler.fits(parts[-1] + tail):
        return [*parts[:-1], parts[-1] + tail]
    if len(parts) >= most:  # the link is worth more than the last words
        kept = shortened(parts[-1], ruler.less(ruler.length(tail)))
        return [*parts[:-1], kept + tail]
    numbered = thread(text, ruler, most=most)
    total = len(numbered) + 1
    again = [part.replace(f"/{len(numbered)} ", f"/{total} ", 1) for part in numbered]
    return [*again, f"{total}/{total} {post.url}"]


def hashtags(tags: Iterable[str]) -> list[str]:
    """Tags as platforms take them: letters and digits only, never digits alone."""
    found = []
    for tag in tags:
        word = regex.sub(r"[^\p{L}\p{M}\p{N}_]", "", tag.title() if " " in tag else tag)
        if word and not word.isdigit():
            found.append(f"#{word}")
    return list(dict.fromkeys(found))
