"""Nostr: short notes and long articles, on as many relays as the channel names.

An event's id is the hash of all that it says, and we say the same at every attempt: the moment is
kept before anything leaves, and the signature uses no dice. So a relay that has it answers
“duplicate”, and that is the proof. https://github.com/nostr-protocol/nips (01, 09, 10, 19, 23, 92)
"""

import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from config.outbound import Client
from publishing import writing
from publishing.compose import hashtags, short_text, whole_thread
from publishing.counting import Ruler
from publishing.document import Picture, read
from publishing.errors import Refusal
from publishing.platforms import bech32
from publishing.platforms.base import Platform
from publishing.platforms.nostr_account import (
    ENOUGH,
    LINK,
    RELAYS,
    SECRET,
    Account,
    in_words,
    taken_by,
)
from publishing.platforms.nostr_events import (
    ARTICLE,
    COMMENT,
    DELETION,
    GENERIC_REPOST,
    NOTE,
    REACTION,
    REPOST,
    Event,
)
from publishing.platforms.nostr_relay import Heard
from publishing.post import Capabilities, Counts, Field, Job, Once, Post, Problem, Receipt, Seen

_RULER = Ruler(1000)  # ours: the protocol has none, but a note is a short thing
_MOST_PICTURES = 4
_LARGEST = 60_000  # bytes of a text; relays commonly end at 65,536 for the whole event
_MOST_COUNTED = 500  # events of each relay: what asks for more is refused or cut by many
_ONLY_ASKED = "Relays and apps are asked to delete it; who has a copy may keep it."


class _Nostr(Platform):
    """What notes and articles have in common."""

    credentials = (SECRET,)
    answers: ClassVar[tuple[int, ...]] = (NOTE, COMMENT)  # kinds that reply to ours

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Ask every relay to delete it (NIP-09): a wish, which relays may or may not fulfil."""
        account = _account(job)
        tags = await self._what_to_delete(job, account, http)
        wish = account.key.sign(DELETION, await _moment(job), tags, "Withdrawn by the editors")
        heard = await account.hand_over([wish], http, everywhere=True)
        said = f"{_ONLY_ASKED} {in_words(heard)}"
        return Receipt(job.remote_id, job.remote_url, excerpt=said)

    async def seen(self, job: Job, http: Client) -> Seen:
        """The newest version that any relay has."""
        newest = await self._newest(job, _account(job), http)
        return Seen(newest is not None, newest.content if newest else "")

    async def counts(self, job: Job, http: Client) -> Counts:
        """What relays tell of reactions, answers and reposts: by people, up to 500 of a relay."""
        account = _account(job)
        letter, value = self._reference(job, account)
        groups = ((REACTION,), self.answers, (REPOST, GENERIC_REPOST))
        wanted = {f"#{letter}": [value], "limit": _MOST_COUNTED}
        filters = [{"kinds": list(group), **wanted} for group in groups]
        found = await account.find(http, *filters, whole=False)
        others = [
            event for event in found
            if event.pubkey != account.author and (letter, value) in {t[:2] for t in event.tags}
        ]  # fmt: skip
        reactions, replies, shares = (
            [event for event in others if event.kind in group] for group in groups
        )
        return Counts(
            reactions=len({event.pubkey for event in reactions}),
            replies=len({event.id for event in replies}),
            shares=len({event.pubkey for event in shares}),
        )

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """Whose key it is, and how many of the relays answer."""
        account = Account.of(options, credentials)
        heard = await account.answering(http)
        silent = [one for one in heard if one.problem is not None]
        many = f"{len(heard) - len(silent)} of {len(heard)} relays answer."
        if len(heard) - len(silent) < account.enough:
            raise Refusal(f"{many} {in_words(silent)}")
        return " ".join(filter(None, (f"Connected as {account.key.npub}:", many, in_words(silent))))

    async def _newest(self, job: Job, account: Account, http: Client) -> Event | None:
        """The newest true version of the job's event; None if no relay has any."""
        found = await account.find(http, self._where(job, account))
        ours = [event for event in found if self._is_ours(event, job, account)]
        return max(ours, key=lambda event: event.created_at, default=None)

    @abstractmethod
    async def _what_to_delete(
        self, job: Job, account: Account, http: Client
    ) -> Sequence[tuple[str, ...]]:
        """The tags of a wish to delete it."""

    @abstractmethod
    def _where(self, job: Job, account: Account) -> dict[str, Any]:
        """The filter that finds it."""

    @abstractmethod
    def _is_ours(self, event: Event, job: Job, account: Account) -> bool:
        """Whether it is what was asked for: a relay may send anything."""

    @abstractmethod
    def _reference(self, job: Job, account: Account) -> tuple[str, str]:
        """The tag by which others refer to it: letter and value."""


class Nostr(_Nostr):
    """A short note per story, or the whole story as a thread of notes."""

    key = "nostr"
    label = "Nostr"
    help = (
        "Short notes (kind 1). They can't be changed: a correction is a reply. To withdraw is a "
        "request, which relays may ignore."
    )
    options = (
        RELAYS,
        ENOUGH,
        Field(
            "form", "Form", "choice", default="post",
            choices=(("post", "One note with a link"), ("thread", "The whole story as a thread")),
        ),
        Field("pictures", "With pictures", "flag", default=True, help="By their addresses."),
        LINK,
    )  # fmt: skip
    capabilities = Capabilities(
        once=Once.KEY,
        in_words="The note's id is the hash of its words and its moment, the same every time.",
        ruler=_RULER,
        form="short text, or the whole story as a thread",
        pictures=_MOST_PICTURES,
        alt_text=True,
        tried_against="nostr-relay 1.14",
        withdrawal=_ONLY_ASKED,
    )

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """A note needs some text."""
        if not (post.title or post.summary or post.text):
            return [Problem("title", "A note needs some text.")]
        return []

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Hand the note, or the notes of a thread in their order, to every relay."""
        account = _account(job)
        notes = _notes(job, account, await _moment(job))
        heard = await account.hand_over(notes, http)
        if len(notes) > 1:
            for name in (_name(note) for note in notes):
                if name not in job.parts:
                    await job.keep_part(name)
        return _receipt(account, notes[0], heard)

    async def reply(self, job: Job, http: Client) -> Receipt:
        """A note under the first one."""
        account = _account(job)
        first = _id_in(_pasted(job), account)
        author = account.author
        tags = (("e", first, account.relays[0], "root", author), ("p", author))
        words = "\n\n".join(dict.fromkeys(filter(None, (job.post.title, job.post.text))))
        note = account.key.sign(NOTE, await _moment(job), tags, words)
        return _receipt(account, note, await account.hand_over([note], http))

    async def _what_to_delete(
        self, job: Job, account: Account, http: Client
    ) -> Sequence[tuple[str, ...]]:
        parts = [_id_in(part, account) for part in job.parts or (_pasted(job),)]
        return [*(("e", part) for part in parts), ("k", str(NOTE))]

    def _where(self, job: Job, account: Account) -> dict[str, Any]:
        return {"ids": [_id_in(_pasted(job), account)], "limit": 1}

    def _is_ours(self, event: Event, job: Job, account: Account) -> bool:
        return event.id == _id_in(_pasted(job), account)

    def _reference(self, job: Job, account: Account) -> tuple[str, str]:
        return "e", _id_in(_pasted(job), account)


class NostrArticle(_Nostr):
    """The whole story in Markdown, under an address that stays when it is corrected."""

    key = "nostr_article"
    label = "Nostr long-form"
    help = (
        "Articles (kind 30023, NIP-23). A correction replaces the text under the same address. To "
        "withdraw is a request, which relays may ignore. Many relays take short notes only."
    )
    options = (RELAYS, ENOUGH, LINK)
    capabilities = Capabilities(
        once=Once.KEY,
        in_words="The address is made from our marker, the event's id is the hash of its words.",
        form="whole story",
        alt_text=True,
        tried_against="nostr-relay 1.14",
        withdrawal=_ONLY_ASKED,
    )

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """An article needs text, and not more than relays take."""
        text = writing.markdown(read(post.html))
        if not text:
            return [Problem("content", "An article needs some text.")]
        if len(text.encode()) > _LARGEST:
            words = f"The story is longer than the {_LARGEST:,} bytes that relays take."
            return [Problem("content", words)]
        return []

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Hand the article to every relay."""
        account, marker = _account(job), job.post.marker
        moment = await _moment(job)
        heard = await account.hand_over([_article(job, account, marker, moment, moment)], http)
        author = account.key.public
        link = bech32.naddr(marker, author, ARTICLE, [taken_by(heard)])
        name = bech32.naddr(marker, author, ARTICLE)
        return Receipt(name, f"{account.viewer}/{link}", excerpt=in_words(heard))

    async def edit(self, job: Job, http: Client) -> Receipt:
        """Replace the text; the day of its first publication stays."""
        account = _account(job)
        before = await self._newest(job, account, http)
        # Of two versions from one second relays keep either, so ours has to be later.
        moment = await _moment(job, after=before.created_at if before else 0)
        first = _first_published(before) or moment
        fresh = _article(job, account, _marker(job, account), moment, first)
        heard = await account.hand_over([fresh], http)
        return Receipt(job.remote_id, job.remote_url, excerpt=in_words(heard))

    async def _what_to_delete(
        self, job: Job, account: Account, http: Client
    ) -> Sequence[tuple[str, ...]]:
        # By its address, and for relays that know no addresses also by what is there now.
        found = await account.find(http, self._where(job, account), whole=False)
        ids = sorted({event.id for event in found if self._is_ours(event, job, account)})
        return [self._reference(job, account), *(("e", one) for one in ids), ("k", str(ARTICLE))]

    def _where(self, job: Job, account: Account) -> dict[str, Any]:
        marker = _marker(job, account)
        return {"kinds": [ARTICLE], "authors": [account.author], "#d": [marker], "limit": 5}

    def _is_ours(self, event: Event, job: Job, account: Account) -> bool:
        said = (event.kind, event.pubkey, event.tag("d"))
        return said == (ARTICLE, account.author, _marker(job, account))

    def _reference(self, job: Job, account: Account) -> tuple[str, str]:
        return "a", f"{ARTICLE}:{account.author}:{_marker(job, account)}"


# --- what is said ---


def _notes(job: Job, account: Account, moment: int) -> list[Event]:
    """The note, or a thread: each answers the one before, all of them the first (NIP-10)."""
    thread = job.options.get("form") == "thread"
    texts = whole_thread(job.post, _RULER) if thread else [short_text(job.post, _RULER)]
    if not any(texts):
        raise Refusal("There is nothing to say in this note.")
    pictures = _pictures(job.post) if job.options.get("pictures", True) else []
    texts[0] = "\n\n".join((texts[0], *(picture.src for picture in pictures)))
    made: list[Event] = []
    for number, text in enumerate(texts):
        tags = _place(made, account) if made else _descriptions(pictures)
        tags += _topics(job.post)
        made.append(account.key.sign(NOTE, moment + number, tags, text))
    return made


def _place(before: Sequence[Event], account: Account) -> list[tuple[str, ...]]:
    """Where in the thread the next note hangs."""
    relay, author = account.relays[0], account.author
    tags: list[tuple[str, ...]] = [("e", before[0].id, relay, "root", author)]
    if len(before) > 1:
        tags.append(("e", before[-1].id, relay, "reply", author))
    return [*tags, ("p", author)]


def _article(job: Job, account: Account, marker: str, moment: int, first: int) -> Event:
    post = job.post
    tags = [("d", marker), ("title", post.title), ("published_at", str(first))]
    tags += [("summary", post.summary)] if post.summary else []
    tags += [("image", picture.src) for picture in _pictures(post)[:1]]
    tags += [("r", post.url)] if post.url else []
    text = writing.markdown(read(post.html))
    return account.key.sign(ARTICLE, moment, [*tags, *_topics(post)], text)


def _first_published(before: Event | None) -> int:
    """When the article came out first; 0 if nobody knows."""
    if before is None:
        return 0
    said = before.tag("published_at")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 12 else before.created_at


def _topics(post: Post) -> list[tuple[str, ...]]:
    """Hashtags, in lower case as NIP-24 wants them."""
    return [("t", tag.removeprefix("#").lower()) for tag in hashtags(post.tags)]


def _pictures(post: Post) -> list[Picture]:
    """Those that others can fetch."""
    public = [one for one in post.pictures if one.src.startswith(("https://", "http://"))]
    return public[:_MOST_PICTURES]


def _descriptions(pictures: Sequence[Picture]) -> list[tuple[str, ...]]:
    return [("imeta", f"url {one.src}", f"alt {one.alt}") for one in pictures if one.alt]


async def _moment(job: Job, *, after: int = 0) -> int:
    """When it is said, in seconds: now, and the same at every later attempt.

    Not when it was queued: what waits for next week would be found far down in everybody's list.
    """
    if job.draft_id.isascii() and job.draft_id.isdigit():
        return int(job.draft_id)
    now = max(int(time.time()), after + 1)
    await job.keep_draft(str(now))
    return now


# --- names ---


def _account(job: Job) -> Account:
    return Account.of(job.options, job.credentials)


def _name(note: Event, *relays: str) -> str:
    return bech32.nevent(bytes.fromhex(note.id), bytes.fromhex(note.pubkey), note.kind, relays)


def _receipt(account: Account, note: Event, heard: Sequence[Heard[Any]]) -> Receipt:
    link = f"{account.viewer}/{_name(note, taken_by(heard))}"
    return Receipt(_name(note), link, excerpt=in_words(heard))


def _id_in(name: str, account: Account) -> str:
    named = account.named(name)
    if named.prefix == "naddr":
        raise Refusal("This is an article, not a note.")
    return named.special.hex()


def _marker(job: Job, account: Account) -> str:
    named = account.named(_pasted(job))
    if named.prefix != "naddr":
        raise Refusal("This is a note, not an article.")
    return named.special.decode(errors="replace")


def _pasted(job: Job) -> str:
    """The name of the job's event: our own, or the end of the link that a person has pasted."""
    return job.remote_id or job.remote_url.rstrip("/").rpartition("/")[2].removeprefix("nostr:")
