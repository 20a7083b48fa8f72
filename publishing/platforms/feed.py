"""Feeds of our own: RSS 2.0, Atom 1.0 and JSON Feed 1.1, served by the desk itself.

A row per delivery is the post; `publishing.feeds` keeps the rows, serves them and tells hubs.
"""

from collections.abc import Mapping
from typing import Any

from config.outbound import Client
from publishing.errors import Refusal
from publishing.feeds.edition import (
    DEFAULT_LENGTH,
    LONGEST,
    hubs_of,
    is_address,
    is_hub,
    is_language,
    named_hubs,
    short_summary,
)
from publishing.our_pages import OurPages, Shown
from publishing.platforms.base import Platform
from publishing.post import Capabilities, Field, Job, Once, Post, Problem, Receipt, Seen, Texts


class Feed(Platform):
    """A feed that readers, apps and other sites subscribe to."""

    key = "feed"
    label = "Feed (RSS, Atom, JSON)"
    help = (
        "The desk serves the feed itself, at addresses that are made from the channel's name when "
        "it is first saved and stay the same from then on. They stand on the channel's page and "
        "need no login. With a WebSub hub, subscribers get what is new at once."
    )
    options = (
        Field("title", "Title", help="What readers see; empty: the channel's name."),
        Field("description", "Description", help="One sentence on what it brings."),
        Field("home", "Home page", "url", help="Of your site; empty: the feed's own page here."),
        Field("language", "Language", help="Such as en or de-AT; empty: the desk's."),
        Field(
            "length", "Entries", "number", default=DEFAULT_LENGTH,
            help=f"How many of the newest it holds, 1 to {LONGEST}.",
        ),
        Field(
            "form", "Form", "choice", default="whole",
            choices=(("whole", "The whole story"), ("summary", "Title, summary and link")),
        ),
        Field(
            "hubs", "WebSub hubs",
            help="Addresses with a space between them, such as https://pubsubhubbub.appspot.com/",
        ),
    )  # fmt: skip
    capabilities = Capabilities(
        once=Once.KEY,
        in_words="An entry is a row under our marker: written again, it is the same entry.",
        form="whole story, or summary and link",
        alt_text=True,
        tried_against="feedparser 6",
        access="An address of the desk that readers can reach (PUBLIC_URL).",
    )
    on_our_pages = True

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """An entry needs a title; the channel's settings must be readable."""
        found = [] if post.title else [Problem("title", "An entry of a feed needs a title.")]
        return found + _unreadable(options)

    def texts(self, post: Post, options: Mapping[str, Any]) -> Texts:
        """The whole story as it is; else its summary alone, for its title and link are fields."""
        if options.get("form") != "summary":
            return Texts(())
        return Texts(("\n\n".join([post.title, short_summary(post.summary, post.html)]),))

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Put the entry into the feed."""
        return _receipt(await _pages(job).put(job.post))

    async def edit(self, job: Job, http: Client) -> Receipt:
        """The same entry with other words, and a new date of change."""
        return _receipt(await _pages(job).put(job.post))

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Out of the feed; its page answers 410, and Atom's readers are told (RFC 6721)."""
        await _pages(job).take_down()
        return Receipt(job.remote_id, job.remote_url)

    async def seen(self, job: Job, http: Client) -> Seen:
        """The entry's row: it is what readers get."""
        shown = await _pages(job).shown()
        return Seen(shown is not None, shown.text if shown else "")

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """The settings are read; hubs are first asked when there is something to tell them."""
        for problem in _unreadable(options):
            raise Refusal(problem.sentence)
        hubs = len(hubs_of(options))
        told = f"{hubs} hub{'s' if hubs > 1 else ''} will be told" if hubs else "No hub is told"
        return f"The desk serves the feed itself. {told} what is new."


def _pages(job: Job) -> OurPages:
    if job.pages is None:
        raise Refusal("Entries go out through the queue only.")
    return job.pages


def _receipt(shown: Shown) -> Receipt:
    return Receipt(shown.number, shown.address, excerpt="It stands in the feed.")


def _unreadable(options: Mapping[str, Any]) -> list[Problem]:
    found = []
    language = str(options.get("language") or "")
    if language and not is_language(language):
        found.append(Problem("language", "Give the language as a tag, such as en or de-AT."))
    given = options.get("length")
    length = "" if given is None else str(given)  # an emptied field is the default
    if length and not (length.isdecimal() and 1 <= int(length[:6]) <= LONGEST):
        found.append(Problem("length", f"A feed holds 1 to {LONGEST} entries."))
    if options.get("home") and not is_address(str(options["home"])):
        found.append(Problem("home", "Give the home page's address with https:// before it."))
    found += [
        Problem("hubs", f"“{each[:100]}” is no address of a hub: give https://…")
        for each in named_hubs(options)
        if not is_hub(each)
    ]
    return found
