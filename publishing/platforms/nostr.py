"""Nostr: short notes and long articles, on as many relays as the channel names.

An event's id is the hash of all that it says, and we say the same at every attempt: the moment is
kept before anything leaves, and the signature uses no dice. So a relay that has it answers
“duplicate”, and that is the proof. https://github.com/nostr-protocol/nips (01, 09, 10, 19, 23, 92)
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

from config.outbound import Client
from publishing import writing
from publishing.compose import hashtags, short_text, whole_thread
from publishing.counting import Ruler
from publishing.document import Picture, read
from publishing.errors import PlatformError, Reauthorise, Refusal, Unknown, Wait
from publishing.platforms import bech32
from publishing.platforms.base import Platform
from publishing.platforms.nostr_events import (
    ARTICLE,
    DELETION,
    NOTE,
    REACTION,
    REPOST,
    Event,
    Key,
)
from publishing.platforms.nostr_relay import Heard, Relay, each
from publishing.post import Capabilities, Counts, Field, Job, Once, Post, Problem, Receipt, Seen

_RULER = Ruler(1000)  # ours: the protocol has none, but a note is a short thing
_MOST_PICTURES = 4
_MOST_RELAYS = 20
_LARGEST = 60_000  # bytes of an event; relays commonly end at 65,536
_MOST_COUNTED = 500  # of each kind and relay: what asks for more is refused or cut by many
_COMMENT, _GENERIC_REPOST = 1111, 16  # NIP-22, NIP-18
_VIEWER = "https://njump.me"
_WITHDRAWN = "Withdrawn by the editors"
_ONLY_ASKED = "Relays and apps are asked to delete it; who has a copy may keep it."

_RELAYS = Field(
    "relays", "Relays", "lines", required=True, help="One per line, such as wss://relay.example",
)  # fmt: skip
_ENOUGH = Field(
    "enough", "Relays that must take it", "number", default=1,
    help="With fewer the desk tries again; each has it once, however often it is sent.",
)  # fmt: skip
_LINK = Field("viewer", "Links lead to", "url", default=_VIEWER, help="A web page that shows it.")


class _Nostr(Platform):
    """What notes and articles have in common."""

    credentials = (
        Field(
            "key", "Secret key", "secret", required=True,
            help="nsec1…, or 64 hexadecimal digits. Whoever has it is you: there is no revoking.",
        ),
    )  # fmt: skip
    answers: ClassVar[tuple[int, ...]]  # the kinds of events that are replies to ours

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Ask every relay to delete it (NIP-09): a wish, which relays may or may not fulfil."""
        key, urls = _key(job.credentials), _relays(job.options)
        tags = self._what_to_delete(job, key)
        event = key.sign(DELETION, await _moment(job), tags, _WITHDRAWN)
        heard = await each(urls, http, key, lambda relay: relay.put(event))
        # Any relay may have it, so all are asked for; one that refuses us has never taken it.
        asked = sum(not isinstance(each_one.problem, Refusal) for each_one in heard)
        _enough_of(heard, max(asked, _enough(job.options)), "have heard the wish to delete it")
        said = " ".join((_ONLY_ASKED, *_in_words(heard)))
        return Receipt(job.remote_id, job.remote_url, excerpt=said)

    async def seen(self, job: Job, http: Client) -> Seen:
        """The newest version that any relay has."""
        key = _key(job.credentials)
        wanted = self._where(job, key)
        found = await _found(job, http, key, wanted)
        ours = [event for event in found if self._is_ours(event, job, key)]
        newest = max(ours, key=lambda event: event.created_at, default=None)
        return Seen(newest is not None, newest.content if newest else "")

    async def counts(self, job: Job, http: Client) -> Counts:
        """What relays tell of reactions, answers and reposts: by people, up to 500 each."""
        key = _key(job.credentials)
        letter, value = self._reference(job, key)
        kinds = ((REACTION,), self.answers, (REPOST, _GENERIC_REPOST))
        filters = [
            {"kinds": list(group), f"#{letter}": [value], "limit": _MOST_COUNTED} for group in kinds
        ]
        found = await _found(job, http, key, *filters, whole=False)
        about = [
            event for event in found
            if event.pubkey != key.public.hex() and (letter, value) in {t[:2] for t in event.tags}
        ]  # fmt: skip
        reactions, replies, shares = (
            [event for event in about if event.kind in group] for group in kinds
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
        key, urls = _key(credentials), _relays(options)
        wanted = {"authors": [key.public.hex()], "limit": 1}
        heard = await each(urls, http, key, lambda relay: relay.find(wanted))
        good = sum(each_one.problem is None for each_one in heard)
        if good < _enough(options):
            raise Refusal(" ".join((f"{good} of {len(urls)} relays answer.", *_in_words(heard))))
        return f"Connected as {key.npub}: {good} of {len(urls)} relays answer."

    def _what_to_delete(self, job: Job, key: Key) -> list[tuple[str, ...]]:
        raise NotImplementedError

    def _where(self, job: Job, key: Key) -> dict[str, Any]:
        raise NotImplementedError

    def _is_ours(self, event: Event, job: Job, key: Key) -> bool:
        raise NotImplementedError

    def _reference(self, job: Job, key: Key) -> tuple[str, str]:
        raise NotImplementedError


class Nostr(_Nostr):
    """A short note per story, or the whole story as a thread of notes."""

    key = "nostr"
    label = "Nostr"
    help = (
        "Short notes (kind 1). They can't be changed: a correction is a reply. To withdraw is a "
        "request, which relays may ignore."
    )
    options = (
        _RELAYS,
        _ENOUGH,
        Field(
            "form", "Form", "choice", default="post",
            choices=(("post", "One note with a link"), ("thread", "The whole story as a thread")),
        ),
        Field("pictures", "With pictures", "flag", default=True, help="By their addresses."),
        _LINK,
    )  # fmt: skip
    capabilities = Capabilities(
        once=Once.KEY,
        in_words="The note's id is the hash of its words and its moment, the same every time.",
        ruler=_RULER,
        form="short text, or the whole story as a thread",
        pictures=_MOST_PICTURES,
        alt_text=True,
        withdrawal=_ONLY_ASKED,
    )
    answers = (NOTE, _COMMENT)

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """A note needs some text."""
        if not (post.title or post.summary or post.text):
            return [Problem("title", "A note needs some text.")]
        return []

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Hand the note, or the notes of a thread in their order, to every relay."""
        key, urls = _key(job.credentials), _relays(job.options)
        notes = _notes(job, key, urls[0], await _moment(job))
        heard = await _handed_over(notes, urls, http, key, _enough(job.options))
        names = [_name(note, key) for note in notes]
        if len(names) > 1:
            for name in names:
                if name not in job.parts:
                    await job.keep_part(name)
        return _receipt(names[0], _link(job, notes[0], key, heard), heard)

    async def reply(self, job: Job, http: Client) -> Receipt:
        """A note under the first one."""
        key, urls = _key(job.credentials), _relays(job.options)
        author = key.public.hex()
        tags = (("e", _event_id(job, key), urls[0], "root", author), ("p", author))
        words = "\n\n".join(dict.fromkeys(filter(None, (job.post.title, job.post.text))))
        note = key.sign(NOTE, await _moment(job), tags, words)
        heard = await _handed_over([note], urls, http, key, _enough(job.options))
        return _receipt(_name(note, key), _link(job, note, key, heard), heard)

    def _what_to_delete(self, job: Job, key: Key) -> list[tuple[str, ...]]:
        parts = [_id_in(part, key) for part in job.parts] or [_event_id(job, key)]
        return [*(("e", part) for part in parts), ("k", str(NOTE))]

    def _where(self, job: Job, key: Key) -> dict[str, Any]:
        return {"ids": [_event_id(job, key)], "limit": 1}

    def _is_ours(self, event: Event, job: Job, key: Key) -> bool:
        return event.id == _event_id(job, key)

    def _reference(self, job: Job, key: Key) -> tuple[str, str]:
        return "e", _event_id(job, key)


class NostrArticle(_Nostr):
    """The whole story in Markdown, under an address that stays when it is corrected."""

    key = "nostr_article"
    label = "Nostr long-form"
    help = (
        "Articles (kind 30023, NIP-23). A correction replaces the text under the same address. To "
        "withdraw is a request, which relays may ignore."
    )
    options = (_RELAYS, _ENOUGH, _LINK)
    capabilities = Capabilities(
        once=Once.KEY,
        in_words="The address is made from our marker, the event's id is the hash of its words.",
        form="whole story",
        alt_text=True,
        withdrawal=_ONLY_ASKED,
    )
    answers = (_COMMENT, NOTE)

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """An article needs text, and not more than relays take."""
        text = writing.markdown(read(post.html))
        if not text:
            return [Problem("content", "An article needs some text.")]
        if len(text.encode()) > _LARGEST:
            many = f"{_LARGEST:,} bytes"
            return [Problem("content", f"The story is longer than the {many} that relays take.")]
        return []

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Hand the article to every relay."""
        moment = await _moment(job)
        return await self._put(job, http, job.post.marker, moment, str(moment))

    async def edit(self, job: Job, http: Client) -> Receipt:
        """Replace the text; the day of its first publication stays."""
        key = _key(job.credentials)
        marker = _marker(job, key)
        before = await _found(job, http, key, self._where(job, key))
        ours = [event for event in before if self._is_ours(event, job, key)]
        newest = max(ours, key=lambda event: event.created_at, default=None)
        # Of two versions from one second relays keep either, so ours has to be later.
        moment = await _moment(job, after=newest.created_at if newest else 0)
        first = (newest.tag("published_at") or str(newest.created_at)) if newest else str(moment)
        receipt = await self._put(job, http, marker, moment, first)
        return Receipt(job.remote_id, job.remote_url, excerpt=receipt.excerpt)

    async def _put(self, job: Job, http: Client, marker: str, moment: int, first: str) -> Receipt:
        key, urls = _key(job.credentials), _relays(job.options)
        tags = [("d", marker), ("title", job.post.title), ("published_at", first)]
        tags += [("summary", job.post.summary)] if job.post.summary else []
        tags += [("image", each_one.src) for each_one in _pictures(job.post)[:1]]
        tags += [("r", job.post.url)] if job.post.url else []
        text = writing.markdown(read(job.post.html))
        article = key.sign(ARTICLE, moment, [*tags, *_topics(job.post)], text)
        heard = await _handed_over([article], urls, http, key, _enough(job.options))
        author = key.public
        where = bech32.naddr(marker, author, ARTICLE, [_first_with_it(heard)])
        name = bech32.naddr(marker, author, ARTICLE)
        return _receipt(name, f"{_viewer(job.options)}/{where}", heard)

    def _what_to_delete(self, job: Job, key: Key) -> list[tuple[str, ...]]:
        return [("a", self._reference(job, key)[1]), ("k", str(ARTICLE))]

    def _where(self, job: Job, key: Key) -> dict[str, Any]:
        author, marker = key.public.hex(), _marker(job, key)
        return {"kinds": [ARTICLE], "authors": [author], "#d": [marker], "limit": 5}

    def _is_ours(self, event: Event, job: Job, key: Key) -> bool:
        named = (event.kind, event.pubkey, event.tag("d"))
        return named == (ARTICLE, key.public.hex(), _marker(job, key))

    def _reference(self, job: Job, key: Key) -> tuple[str, str]:
        return "a", f"{ARTICLE}:{key.public.hex()}:{_marker(job, key)}"


# --- what is said ---


def _notes(job: Job, key: Key, relay: str, moment: int) -> list[Event]:
    """The note, or a thread: each answers the one before, all of them the first (NIP-10)."""
    thread = job.options.get("form") == "thread"
    texts = whole_thread(job.post, _RULER) if thread else [short_text(job.post, _RULER)]
    pictures = _pictures(job.post) if job.options.get("pictures", True) else []
    author, made = key.public.hex(), list[Event]()
    for number, text in enumerate(texts):
        tags: list[tuple[str, ...]] = []
        if made:
            tags.append(("e", made[0].id, relay, "root", author))
            tags += [("e", made[-1].id, relay, "reply", author)] if made[1:] else []
            tags.append(("p", author))
        else:
            text = "\n\n".join((text, *(each_one.src for each_one in pictures)))
            tags += [
                ("imeta", f"url {each_one.src}", f"alt {each_one.alt}")
                for each_one in pictures if each_one.alt
            ]  # fmt: skip
        tags += _topics(job.post)
        made.append(key.sign(NOTE, moment + number, tags, text))
    if not made or not made[0].content.strip():
        raise Refusal("There is nothing to say in this note.")
    return made


def _topics(post: Post) -> list[tuple[str, ...]]:
    """Hashtags, in lower case as NIP-24 wants them."""
    return [("t", tag.removeprefix("#").lower()) for tag in hashtags(post.tags)]


def _pictures(post: Post) -> list[Picture]:
    """Those that others can fetch."""
    public = [each for each in post.pictures if each.src.startswith(("https://", "http://"))]
    return public[:_MOST_PICTURES]


async def _moment(job: Job, *, after: int = 0) -> int:
    """When it is said, in seconds: now, and the same at every later attempt.

    Not when it was queued: what waits for next week would be found far down in everybody's list.
    """
    if job.draft_id.isascii() and job.draft_id.isdigit():
        return int(job.draft_id)
    now = max(int(time.time()), after + 1)
    await job.keep_draft(str(now))
    return now


# --- handing it over ---


async def _handed_over(
    events: Sequence[Event], urls: Sequence[str], http: Client, key: Key, enough: int
) -> list[Heard[str]]:
    """Every relay gets all of it in its order. Raises unless enough have all of it."""

    async def talk(relay: Relay) -> str:
        said = ""
        for number, event in enumerate(events):
            try:
                said = await relay.put(event)
            except PlatformError as problem:
                if not number:
                    raise
                raise Unknown(f"{number} of {len(events)} notes are there. {problem}") from problem
        return said or "OK"

    heard = await each(urls, http, key, talk)
    _enough_of(heard, enough, "have it")
    return heard


def _enough_of(heard: Sequence[Heard[Any]], enough: int, words: str) -> None:
    """Raise what it means that too few relays took it."""
    took = [each_one for each_one in heard if each_one.problem is None]
    if len(took) >= enough:
        return
    said = " ".join(_in_words(heard))
    if len(heard) > 1:
        said = f"{len(took)} of {len(heard)} relays {words}, {enough} are wanted. {said}"
    problems = [each_one.problem for each_one in heard if each_one.problem is not None]
    if took or any(each_one.maybe for each_one in heard):
        raise Unknown(said, excerpt=said)
    # From here on it is certain that no relay has it.
    later = [p for p in problems if isinstance(p, Wait) or not getattr(p, "permanent", True)]
    if len(later) >= enough:
        raise Wait(said, excerpt=said)
    if any(isinstance(problem, Reauthorise) for problem in problems):
        raise Reauthorise(said, excerpt=said)
    raise Refusal(said, excerpt=said)


async def _found(
    job: Job, http: Client, key: Key, *filters: dict[str, Any], whole: bool = True
) -> list[Event]:
    """What the relays have of it. Raises `Wait` if that may not be all there is.

    With `whole`, nothing found counts only if all relays were asked; else one that answers is
    enough.
    """
    heard = await each(_relays(job.options), http, key, lambda relay: relay.find(*filters))
    found = [event for each_one in heard for event in each_one.result or ()]
    silent = [each_one for each_one in heard if each_one.problem is not None]
    if silent and not found and (whole or len(silent) == len(heard)):
        raise Wait(" ".join(("Not all relays could be asked.", *_in_words(silent))))
    return found


def _in_words(heard: Iterable[Heard[Any]]) -> list[str]:
    return [each_one.in_words if each_one.problem else f"{each_one.url}: OK." for each_one in heard]


# --- names ---


def _name(note: Event, key: Key) -> str:
    return bech32.nevent(bytes.fromhex(note.id), key.public, note.kind)


def _link(job: Job, note: Event, key: Key, heard: Sequence[Heard[Any]]) -> str:
    where = [_first_with_it(heard)]
    name = bech32.nevent(bytes.fromhex(note.id), key.public, note.kind, where)
    return f"{_viewer(job.options)}/{name}"


def _first_with_it(heard: Sequence[Heard[Any]]) -> str:
    return next(each_one.url for each_one in heard if each_one.problem is None)


def _receipt(name: str, link: str, heard: Sequence[Heard[Any]]) -> Receipt:
    return Receipt(name, link, excerpt=" ".join(_in_words(heard)))


def _event_id(job: Job, key: Key) -> str:
    """The note's id, by its name or by the link that a person has pasted."""
    return _id_in(_pasted(job), key)


def _id_in(name: str, key: Key) -> str:
    named = _named(name, key)
    if named.prefix == "naddr":
        raise Refusal("This is an article, not a note.")
    return named.special.hex()


def _marker(job: Job, key: Key) -> str:
    named = _named(_pasted(job), key)
    if named.prefix != "naddr":
        raise Refusal("This is a note, not an article.")
    return named.special.decode(errors="replace")


def _named(name: str, key: Key) -> bech32.Named:
    try:
        named = bech32.named(name)
    except ValueError:
        raise Refusal("It is not known which event this is.") from None
    if named.author not in (b"", key.public):
        raise Refusal("It was signed with another key than the channel has now.")
    return named


def _pasted(job: Job) -> str:
    return job.remote_id or job.remote_url.rstrip("/").rpartition("/")[2].removeprefix("nostr:")


# --- what the channel says ---


def _key(credentials: Mapping[str, Any]) -> Key:
    try:
        return Key.read(str(credentials.get("key", "")))
    except ValueError as problem:
        raise Reauthorise(str(problem)) from None


def _relays(options: Mapping[str, Any]) -> list[str]:
    lines = [line.strip() for line in str(options.get("relays") or "").splitlines()]
    urls = list(dict.fromkeys(filter(None, lines)))
    if not urls:
        raise Refusal("No relay is named; enter at least one, such as wss://relay.example")
    if len(urls) > _MOST_RELAYS:
        raise Refusal(f"{len(urls)} relays are more than the {_MOST_RELAYS} that are possible.")
    for url in urls:
        if not url.lower().startswith(("wss://", "ws://")) or not urlsplit(url).netloc:
            raise Refusal(f"“{url[:100]}” is no relay's address: it begins with wss://")
    if _enough(options) > len(urls):
        raise Refusal(f"{_enough(options)} relays must take it, but only {len(urls)} are named.")
    return urls


def _enough(options: Mapping[str, Any]) -> int:
    asked = options.get("enough")
    return max(1, asked) if isinstance(asked, int) else 1


def _viewer(options: Mapping[str, Any]) -> str:
    return str(options.get("viewer") or _VIEWER).rstrip("/")
