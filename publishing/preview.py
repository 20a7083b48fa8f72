"""How a story will read on a platform: texts as they are counted there, link, pictures. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from publishing.abilities import THE_DEFAULT
from publishing.compose import hashtags, short_text, whole_thread
from publishing.counting import Ruler
from publishing.document import Picture
from publishing.post import Capabilities, Post, Texts

_A_MINUTE = 220  # words that people read


@dataclass(frozen=True, slots=True)
class Part:
    """One post of its own: the whole of a short text, or one of a thread."""

    text: str
    length: int = 0  # as the platform counts
    limit: int = 0  # 0: there is none
    unit: str = ""

    @property
    def full(self) -> int:
        """How much of the limit is used, in percent."""
        return min(100, round(100 * self.length / self.limit)) if self.limit else 0


@dataclass(frozen=True, slots=True)
class Preview:
    """A story on one platform."""

    parts: tuple[Part, ...]  # empty where the whole story goes, as it is
    title: str
    summary: str
    host: str  # of the link that goes along; "" for none
    link: str
    pictures: tuple[Picture, ...]  # that go along, in their order
    remarks: tuple[str, ...]  # nothing is wrong, but somebody may want to know

    @property
    def whole(self) -> bool:
        """Whether the story goes there in full."""
        return not self.parts

    @property
    def card(self) -> bool:
        """Whether readers see the link as a card: a lone post without pictures."""
        return bool(self.host) and len(self.parts) == 1 and not self.pictures


def texts(post: Post, capabilities: Capabilities, options: Mapping[str, Any]) -> Texts:
    """What a platform of these capabilities sends, by its ruler and its form."""
    ruler = capabilities.ruler
    if ruler is None:
        return Texts(())
    if options.get("form") == "thread":
        return Texts(tuple(whole_thread(post, ruler)), ruler)
    return Texts((short_text(post, ruler),), ruler)


def preview(
    post: Post,
    sent: Texts,
    capabilities: Capabilities,
    options: Mapping[str, Any],
    *,
    guessed: bool = False,
) -> Preview:
    """The preview of what is `sent` (see `texts`; a platform may know better).

    With `guessed` the limits of the channel's server are not known, and that is said.
    """
    most = capabilities.pictures if options.get("pictures", True) else 0
    remarks = _remarks(post, sent.parts, capabilities, most)
    if guessed and sent.ruler is not None:
        remarks.append(f"{sent.ruler.limit:,} is {THE_DEFAULT}.")
    return Preview(
        parts=tuple(_part(text, sent.ruler) for text in sent.parts),
        title=post.title,
        summary=post.summary,
        host=urlsplit(post.url).hostname or "" if post.url else "",
        link=post.url,
        pictures=post.pictures[:most],
        remarks=tuple(remarks),
    )


def _part(text: str, ruler: Ruler | None) -> Part:
    if ruler is None:
        return Part(text, len(text))
    return Part(text, ruler.length(text), ruler.limit, ruler.unit.value)


def _remarks(post: Post, sent: Sequence[str], capabilities: Capabilities, most: int) -> list[str]:
    found = []
    everything = "\n".join(sent)
    if sent:
        if not post.url:
            found.append("No link goes along: the story has no address of its own.")
        if len(sent) == 1 and everything.rstrip().endswith("…"):
            found.append("The text is cut short to fit.")
        elif post.summary and not _says(everything, post.summary):
            found.append("The summary is cut short to fit.")
        left = [tag for tag in hashtags(post.tags) if tag not in everything]
        if left and len(sent) == 1:
            found.append(f"Left out: {', '.join(left)}.")
    else:
        words = len(post.text.split())
        minutes = max(1, round(words / _A_MINUTE))
        found.append(f"The whole story: {words} words, about {minutes} min to read.")
    left_out = len(post.pictures) - most
    if post.pictures and left_out > 0 and sent:
        found.append(_pictures_left_out(left_out))
    if capabilities.alt_text and any(not each.alt for each in post.pictures[:most]):
        found.append("A picture has no description for people who can't see it.")
    return found


def _pictures_left_out(many: int) -> str:
    return "One picture stays behind." if many == 1 else f"{many} pictures stay behind."


def _says(text: str, words: str) -> bool:
    """Whether all of the words are in the text, whatever its lines and numbers."""
    return " ".join(words.split()) in " ".join(text.split()) or "1/" in text[:3]
