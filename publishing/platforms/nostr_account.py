"""Whose key it is and which relays it writes to: handing events over, and asking for them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from config.outbound import Client
from publishing.errors import PlatformError, Reauthorise, Refusal, Unknown, Wait
from publishing.platforms import bech32
from publishing.platforms.nostr_events import Event, Key
from publishing.platforms.nostr_relay import Heard, Relay, each
from publishing.post import Field

_MOST_RELAYS = 20
_VIEWER = "https://njump.me"

RELAYS = Field(
    "relays", "Relays", "lines", required=True, help="One per line, such as wss://relay.example"
)
ENOUGH = Field(
    "enough", "Relays that must take it", "number", default=1,
    help="With fewer the desk tries again; each has it once, however often it is sent.",
)  # fmt: skip
LINK = Field("viewer", "Links lead to", "url", default=_VIEWER, help="A web page that shows it.")
SECRET = Field(
    "key", "Secret key", "secret", required=True,
    help="nsec1…, or 64 hexadecimal digits. Whoever has it is you: there is no revoking.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    """A channel's key and relays."""

    key: Key
    relays: tuple[str, ...]
    enough: int  # of the relays
    viewer: str  # a web page's address, to which a name is joined

    @classmethod
    def of(cls, options: Mapping[str, Any], credentials: Mapping[str, Any]) -> "Account":
        """As the channel has it. Raises `Reauthorise` or `Refusal` with what is wrong there."""
        try:
            key = Key.read(str(credentials.get("key", "")))
        except ValueError as problem:
            raise Reauthorise(str(problem)) from None
        asked = options.get("enough")
        enough = max(1, asked) if isinstance(asked, int) else 1
        relays = _relays(str(options.get("relays") or ""))
        if enough > len(relays):
            raise Refusal(f"{enough} relays must take it, but only {len(relays)} are named.")
        return cls(key, relays, enough, str(options.get("viewer") or _VIEWER).rstrip("/"))

    @property
    def author(self) -> str:
        """The public key in hexadecimal digits."""
        return self.key.public.hex()

    async def hand_over(
        self, events: Sequence[Event], http: Client, *, everywhere: bool = False
    ) -> list[Heard[str]]:
        """Give every relay all of it in its order; what each said.

        Raises unless enough of them have all of it; `everywhere` asks for all but those that
        refuse us, and where some are away nothing is in doubt: they are waited for.
        """

        async def talk(relay: Relay) -> str:
            said = ""
            for number, event in enumerate(events):
                try:
                    said = await relay.put(event)
                except PlatformError as problem:
                    if not number:
                        raise
                    words = f"It has {number} of {len(events)}. {problem}"
                    raise Unknown(words) from problem
            return said or "OK"

        heard = await each(self.relays, http, self.key, talk)
        if everywhere and any(one.problem is None for one in heard):
            away = [one for one in heard if one.later]
            if away and not any(one.maybe for one in heard):
                raise Wait(in_words(heard), excerpt=in_words(heard))
        willing = sum(not isinstance(one.problem, Refusal) for one in heard)
        _must_be_enough(heard, max(self.enough, willing) if everywhere else self.enough)
        return heard

    async def find(self, http: Client, *filters: dict[str, Any], whole: bool = True) -> list[Event]:
        """What the relays have of it. Raises `Wait` if that may not be all there is.

        With `whole`, nothing found counts only if all relays were asked; else one that answers
        is enough.
        """
        heard = await each(self.relays, http, self.key, lambda relay: relay.find(*filters))
        found = [event for one in heard for event in one.result or ()]
        silent = [one for one in heard if one.problem is not None]
        if silent and not found and (whole or len(silent) == len(heard)):
            raise Wait(f"Not all relays could be asked. {in_words(silent)}")
        return found

    async def answering(self, http: Client) -> list[Heard[list[Event]]]:
        """Every relay after a question that it should have an answer to."""
        wanted = {"authors": [self.author], "limit": 1}
        return await each(self.relays, http, self.key, lambda relay: relay.find(wanted))

    def named(self, name: str) -> bech32.Named:
        """What a name of ours stands for. Raises `Refusal` for any other."""
        try:
            named = bech32.named(name)
        except ValueError:
            raise Refusal("It is not known which event this is.") from None
        if named.author not in (b"", self.key.public):
            raise Refusal("It was signed with another key than the channel has now.")
        return named


def taken_by(heard: Sequence[Heard[Any]]) -> str:
    """The first relay that took it."""
    return next(one.url for one in heard if one.problem is None)


def in_words(heard: Iterable[Heard[Any]]) -> str:
    """What became of it at each relay."""
    return " ".join(one.in_words for one in heard)


def _must_be_enough(heard: Sequence[Heard[Any]], enough: int) -> None:
    """Raise what it means that too few relays took it."""
    problems = [one.problem for one in heard if one.problem is not None]
    took = len(heard) - len(problems)
    if took >= enough:
        return
    said = in_words(heard)
    if len(heard) > 1:
        said = f"{took} of {len(heard)} relays took it, {enough} are wanted. {said}"
    if took or any(one.maybe for one in heard):
        raise Unknown(said, excerpt=said)
    # From here on it is certain that no relay has it.
    if sum(one.later for one in heard) >= enough:
        raise Wait(said, excerpt=said)
    if any(isinstance(problem, Reauthorise) for problem in problems):
        raise Reauthorise(said, excerpt=said)
    raise Refusal(said, excerpt=said)


def _relays(lines: str) -> tuple[str, ...]:
    written = filter(None, map(str.strip, lines.splitlines()))
    urls = tuple({url.rstrip("/"): url for url in written}.values())
    if not urls:
        raise Refusal("No relay is named; enter at least one, such as wss://relay.example")
    if len(urls) > _MOST_RELAYS:
        raise Refusal(f"{len(urls)} relays are more than the {_MOST_RELAYS} that are possible.")
    for url in urls:
        if not _is_relay(url):
            raise Refusal(f"“{url[:100]}” is no relay's address: it begins with wss://")
    return urls


def _is_relay(url: str) -> bool:
    try:
        return url.lower().startswith(("wss://", "ws://")) and bool(urlsplit(url).netloc)
    except ValueError:
        return False
