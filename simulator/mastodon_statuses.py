"""The simulated Mastodon's statuses: how long a text counts, and its JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import escape
from typing import Any

import regex

CHARACTERS = 500
URL_LENGTH = 23  # what any link counts, however long

_LINK = regex.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")
_TAG = regex.compile(r"(?<![\w&/])#(\w*\p{L}\w*)")
_REMOTE = regex.compile(r"(@\w+)@[\w.-]+\w")


class Rejected(Exception):
    """What Mastodon answers instead of doing it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Draft:
    """What a sender may set."""

    text: str
    warning: str = ""  # shown before the text; Mastodon's name is spoiler_text
    visibility: str = "public"
    language: str = "en"
    sensitive: bool = False
    media_ids: tuple[str, ...] = ()
    in_reply_to: str | None = None

    @classmethod
    def from_fields(cls, sent: dict[str, Any], before: "Draft | None" = None) -> "Draft":
        """The fields, checked; in an edit, what isn't sent stays. Raises Rejected with a 422."""
        old = before or cls(text="")
        draft = replace(
            old,
            text=str(sent.get("status") if sent.get("status") is not None else old.text),
            warning=str(sent.get("spoiler_text") or old.warning),
            visibility=str(sent.get("visibility") or old.visibility),
            language=str(sent.get("language") or old.language),
            sensitive=str(sent.get("sensitive", old.sensitive)).lower() in ("true", "1"),
            media_ids=tuple(str(one) for one in sent.get("media_ids") or ()),  # else: taken off
            in_reply_to=sent.get("in_reply_to_id") or old.in_reply_to,
        )
        if not draft.text.strip() and not draft.media_ids:
            raise Rejected(422, "Validation failed: Text can't be blank")
        if counted(draft.text) + counted(draft.warning) > CHARACTERS:
            raise Rejected(422, f"Validation failed: Text character limit of {CHARACTERS} exceeded")
        if draft.visibility not in ("public", "unlisted", "private", "direct"):
            raise Rejected(422, "Validation failed: Visibility is not included in the list")
        return draft


@dataclass(slots=True)
class Status:
    """One status."""

    id: str
    draft: Draft
    key: str  # the Idempotency-Key it came with
    created_at: datetime
    edited_at: datetime | None = None

    @property
    def is_public(self) -> bool:
        """Whether everybody may read it."""
        return self.draft.visibility in ("public", "unlisted")

    def html(self) -> str:
        """The text as readers see it, with links."""
        text = escape(self.draft.text, quote=False)
        text = _LINK.sub(_anchor, text)
        blocks = [block.replace("\n", "<br>") for block in regex.split(r"\n{2,}", text.strip())]
        return "".join(f"<p>{block}</p>" for block in blocks)

    def as_json(
        self,
        base: str,
        account: dict[str, Any],
        media: list[dict[str, Any]],
        counts: Mapping[str, int],
    ) -> dict[str, Any]:
        """The status as the interface shows it, with its `counts` by their names there."""
        name = account["username"]
        return {
            "id": self.id,
            "created_at": stamp(self.created_at),
            "in_reply_to_id": self.draft.in_reply_to,
            "in_reply_to_account_id": None,
            "sensitive": self.draft.sensitive,
            "spoiler_text": self.draft.warning,
            "visibility": self.draft.visibility,
            "language": self.draft.language,
            "uri": f"{base}/users/{name}/statuses/{self.id}",
            "url": f"{base}/@{name}/{self.id}",
            **counts,
            "edited_at": stamp(self.edited_at) if self.edited_at else None,
            "content": self.html(),
            "reblog": None,
            "application": {"name": "Newsdesk", "website": None},
            "account": account,
            "media_attachments": media,
            "mentions": [],
            "tags": [
                {"name": tag.lower(), "url": f"{base}/tags/{tag.lower()}"}
                for tag in _TAG.findall(_LINK.sub("", self.draft.text))
            ],
            "emojis": [],
            "card": None,
            "poll": None,
        }


def counted(text: str) -> int:
    """The length as Mastodon counts it: graphemes, a link 23, a remote name without its server."""
    text = _REMOTE.sub(r"\1", _LINK.sub("x" * URL_LENGTH, text))
    return len(regex.findall(r"\X", text))


def stamp(at: datetime) -> str:
    """A time as Mastodon writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _anchor(link: Any) -> str:
    return f'<a href="{link[0]}" target="_blank" rel="nofollow noopener">{link[0]}</a>'
