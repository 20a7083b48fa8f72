"""The simulated WordPress's posts: their slugs, states and JSON."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

STATUSES = ("publish", "future", "draft", "pending", "private")


class Refused(Exception):
    """What WordPress answers instead of doing it."""

    def __init__(
        self, status: int, code: str, message: str, data: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.data = data or {}


@dataclass(frozen=True, slots=True)
class Fields:
    """What a sender may set; None means not sent."""

    title: str | None = None
    content: str | None = None
    excerpt: str | None = None
    slug: str | None = None
    status: str | None = None
    date: datetime | None = None
    tags: list[int] | None = None
    categories: list[int] | None = None
    featured_media: int | None = None

    @classmethod
    def from_json(cls, sent: dict[str, Any]) -> "Fields":
        """The known fields, checked. Unregistered ones, `meta` included, are dropped silently."""
        status = sent.get("status")
        if status is not None and status not in STATUSES:
            _invalid("status", f"status is not one of {', '.join(STATUSES)}.")
        return cls(
            title=_text(sent, "title"),
            content=_text(sent, "content"),
            excerpt=_text(sent, "excerpt"),
            slug=sent.get("slug"),
            status=status,
            date=_date(sent),
            tags=_numbers(sent, "tags"),
            categories=_numbers(sent, "categories"),
            featured_media=sent.get("featured_media"),
        )


@dataclass(slots=True)
class Post:
    """One post. A planned one goes public by the clock, as the site's cron would do it."""

    id: int
    date: datetime
    modified: datetime
    title: str = ""
    content: str = ""
    excerpt: str = ""
    slug: str = ""
    asked_slug: str = ""  # as the sender wanted it, before `-2`
    stored_status: str = "draft"
    tags: list[int] = field(default_factory=list)
    categories: list[int] = field(default_factory=lambda: [1])
    featured_media: int = 0

    @property
    def status(self) -> str:
        """Draft, publish, future and so on, as of now."""
        if self.stored_status == "future" and self.date <= datetime.now(UTC):
            return "publish"
        return self.stored_status

    @property
    def is_public(self) -> bool:
        """Whether readers see it."""
        return self.status == "publish"

    def as_json(self, site: str, *, edit: bool) -> dict[str, Any]:
        """The post as the interface shows it; `edit` adds the raw texts."""
        plain = f"{site}/?p={self.id}"
        shown = {
            "id": self.id,
            "date": _stamp(self.date),
            "date_gmt": _stamp(self.date),
            "guid": _rendered(plain, plain, edit=edit),
            "modified": _stamp(self.modified),
            "modified_gmt": _stamp(self.modified),
            "slug": self.slug,
            "status": self.status,
            "type": "post",
            "link": f"{site}/{self.slug}/" if self.status in ("publish", "private") else plain,
            "title": _rendered(self.title, self.title, edit=edit),
            "content": _rendered(_paragraphs(self.content), self.content, edit=edit)
            | {"protected": False},
            "excerpt": _rendered(_paragraphs(self.excerpt), self.excerpt, edit=edit)
            | {"protected": False},
            "author": 1,
            "featured_media": self.featured_media,
            "comment_status": "open",
            "ping_status": "open",
            "sticky": False,
            "template": "",
            "format": "standard",
            "meta": {"footnotes": ""},
            "categories": self.categories,
            "tags": self.tags,
        }
        return shown | ({"password": "", "generated_slug": slug_of(self.title)} if edit else {})


class Shelf:
    """The site's posts."""

    def __init__(self) -> None:
        self.posts: dict[int, Post] = {}
        self._slugs: dict[str, int] = {}
        self._last_id = 100

    def next_id(self) -> int:
        """A number nothing on the site has yet."""
        self._last_id += 1
        return self._last_id

    def add(self, fields: Fields) -> Post:
        """A new post, a draft unless `fields` say otherwise."""
        if not (fields.title or fields.content or fields.excerpt):
            raise Refused(400, "empty_content", "Content, title, and excerpt are empty.")
        now = datetime.now(UTC)
        post = Post(self.next_id(), date=now, modified=now)
        self.change(post, fields)
        self.posts[post.id] = post
        return post

    def get(self, number: int) -> Post:
        """The post of a number, or WordPress's 404."""
        if number not in self.posts:
            raise Refused(404, "rest_post_invalid_id", "Invalid post ID.")
        return self.posts[number]

    def by_slug(self, slug: str) -> Post | None:
        """The post of a slug."""
        return self.posts.get(self._slugs.get(slug, 0))

    def search(self, statuses: list[str], slugs: list[str] | None, words: str) -> list[Post]:
        """Posts in these states (`any`: all but the trash), newest first."""
        pool = (
            [post for slug in slugs if (post := self.by_slug(slug))]
            if slugs is not None
            else list(self.posts.values())
        )
        found = [
            post
            for post in pool
            if (post.status in statuses or ("any" in statuses and post.status != "trash"))
            and words.lower() in f"{post.title} {post.content}".lower()
        ]
        return sorted(found, key=lambda post: (post.date, post.id), reverse=True)

    def change(self, post: Post, fields: Fields) -> None:
        """Sets what was sent. A slug is unique over the site, in drafts too."""
        for name in ("title", "content", "excerpt", "tags", "categories", "featured_media", "date"):
            value = getattr(fields, name)
            if value is not None:
                setattr(post, name, value)
        post.modified = datetime.now(UTC)
        if fields.status:
            post.stored_status = fields.status
        if post.stored_status in ("publish", "future"):
            ahead = post.date > datetime.now(UTC)
            post.stored_status = "future" if ahead else "publish"
        if fields.slug:
            self._name(post, fields.slug)
        elif not post.slug and post.stored_status not in ("draft", "pending"):
            self._name(post, post.title or str(post.id))

    def trash(self, post: Post) -> None:
        """Out of sight; its slug is free again."""
        if post.stored_status == "trash":
            raise Refused(410, "rest_already_trashed", "The post has already been deleted.")
        self._slugs.pop(post.slug, None)
        post.slug = f"{post.slug}__trashed"
        self._slugs[post.slug] = post.id
        post.stored_status = "trash"

    def erase(self, post: Post) -> None:
        """Gone."""
        self._slugs.pop(post.slug, None)
        del self.posts[post.id]

    def _name(self, post: Post, wanted: str) -> None:
        asked = slug_of(wanted) or str(post.id)
        self._slugs.pop(post.slug, None)
        slug, number = asked, 2
        while self._slugs.get(slug, post.id) != post.id:
            slug = f"{asked}-{number}"
            number += 1
        post.slug, post.asked_slug = slug, asked
        self._slugs[slug] = post.id


def slug_of(text: str) -> str:
    """Text as it may stand in an address (WordPress's `sanitize_title`)."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_]+", "-", re.sub(r"<[^>]*>", "", plain)).strip("-")[:200]


def _text(sent: dict[str, Any], name: str) -> str | None:
    """A text field, which may come as itself or as an object with `raw`."""
    value = sent.get(name)
    if isinstance(value, dict):
        value = value.get("raw", "")
    return None if value is None else str(value)


def _date(sent: dict[str, Any]) -> datetime | None:
    """`date_gmt` or `date`; the site keeps UTC, so they mean the same."""
    given = sent.get("date_gmt") or sent.get("date")
    if not given:
        return None
    try:
        at = datetime.fromisoformat(str(given).replace("Z", "+00:00"))
    except ValueError:
        _invalid("date", "Invalid date.")
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _numbers(sent: dict[str, Any], name: str) -> list[int] | None:
    value = sent.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(one, int) for one in value):
        _invalid(name, f"{name}[0] is not of type integer.")
    return value


def _invalid(name: str, why: str) -> None:
    raise Refused(
        400, "rest_invalid_param", f"Invalid parameter(s): {name}", {"params": {name: why}}
    )


def _rendered(rendered: str, raw: str, *, edit: bool) -> dict[str, Any]:
    return {"rendered": rendered} | ({"raw": raw} if edit else {})


def _paragraphs(text: str) -> str:
    """Plain text gets its paragraphs, HTML stays (WordPress's `wpautop`, roughly)."""
    if not text or "<" in text:
        return text
    return "".join(f"<p>{block.strip()}</p>\n" for block in text.split("\n\n") if block.strip())


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S")
