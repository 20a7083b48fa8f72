"""Mastodon and what speaks its API: a hashtag, an instance's public timeline, an account.

https://docs.joinmastodon.org/methods/timelines/ · …/methods/accounts/ · …/entities/Status/ ·
https://docs.joinmastodon.org/api/rate-limits/
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from articles.wire import WireCopy
from config.outbound import Client, Response
from sources.connectors.answers import fetched, host_of, rest_of_window
from sources.connectors.base import (
    Connector,
    Fetch,
    Fetched,
    Option,
    Payload,
    Recognised,
    answer_of,
    must_be_ok,
)
from sources.connectors.pasted import Pasted, pasted
from sources.connectors.reading import (
    Json,
    address,
    headline,
    identifier,
    list_of,
    number,
    object_of,
    part,
    parts,
    text,
    yes,
)
from sources.errors import Denied, Misconfigured
from sources.feedparsing.dates import parse_date

_LIMIT = 40  # statuses of a page, the most that it gives
_MOST_PAGES = 10  # of one sync; the next one goes on from there
_OVERLAP = 20  # statuses that are read again, for the sake of their edits
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ACCOUNT = re.compile(r"[A-Za-z0-9_.-]{1,100}(@[A-Za-z0-9.:-]{1,200})?")
_NAMED_ALIKE = re.compile(r"mastodon|mstdn|mathstodon|fosstodon|\.social$")
_WELL_KNOWN = frozenset(
    ("hachyderm.io", "infosec.exchange", "mas.to", "journa.host", "toot.community", "troet.cafe",
     "c.im", "social.coop", "newsie.social", "ioc.exchange", "masto.ai", "masto.es", "toot.io")
)  # fmt: skip


class Mastodon(Connector):
    """Public statuses."""

    key = "mastodon"
    label = "Mastodon"
    help = (
        "Enter the instance's address, such as https://mastodon.social, and what to read there. "
        "Many instances show their timelines only to an account: then create an application "
        "under Preferences, Development with the right “read” and enter its access token. "
        "Instances allow 300 requests in five minutes."
    )
    minutes = 15
    pages_tell_more = False
    options = (
        Option(
            "timeline", "Read", "choice", default="tag",
            choices=(("tag", "A hashtag"), ("account", "An account"),
                     ("local", "All of this instance"), ("federated", "All that it knows of")),
        ),
        Option("tag", "Hashtag", help="Without #."),
        Option("account", "Account", help="Such as ada, or ada@other.example."),
        Option("replies", "With replies", "flag", default=False),
        Option("boosts", "With boosts", "flag", default=False, help="Of an account."),
    )  # fmt: skip
    credentials = (Option("token", "Access token", "secret", help="If the instance wants one."),)

    async def fetch(self, request: Fetch, http: Client) -> Fetched:
        """What came since the last time, the oldest first if it is more than a page."""
        where, memory = await _where(request, http)
        since = text(memory, "since")
        answers: list[Response] = []
        while True:
            page = {"min_id": since} if since else {}
            answer = await _asked(request, http, where, page)
            answers.append(answer)
            statuses = list_of(answer, _who(request), "statuses")
            newest = _id_at(statuses, 0)
            spent = rest_of_window(answer, enough=2) is not None
            full = len(statuses) >= _LIMIT
            if not (since and newest and full) or spent or len(answers) >= _pages(request):
                break
            since = newest
        found = _read(answers, request)
        # A sync that stopped at a full page goes on there; else the last few are read again.
        again = _id_at(statuses, _OVERLAP) or since or _id_at(statuses, -1)
        return replace(found, memory={**memory, "since": newest if since and full else again})

    async def older(self, request: Fetch, http: Client, cursor: str) -> Fetched:
        """The statuses before that one."""
        if cursor and not _ID.fullmatch(cursor):
            raise Misconfigured("The place to read on from is no status; begin anew.")
        where, memory = await _where(request, http)
        answer = await _asked(request, http, where, {"max_id": cursor} if cursor else {})
        oldest = _id_at(list_of(answer, _who(request), "statuses"), -1)
        return replace(
            _read([answer], request),
            older=oldest if oldest != cursor else "",
            memory=memory,
        )

    def read_again(self, request: Fetch, payloads: Sequence[Payload]) -> Fetched:
        """The statuses of archived pages."""
        return _read([answer_of(payload) for payload in payloads], request)

    def recognise(self, url: str) -> Recognised | None:
        """Hashtags and accounts of instances that can be told by their names."""
        page = pasted(url)
        if page is None or not _is_instance(page):
            return None
        first, second = page.at(0), page.at(1)
        if first == "tags" and second:
            options = {"timeline": "tag", "tag": second}
            return Recognised(page.origin, options, f"#{second} at {page.host}", _NEEDS)
        account = first.removeprefix("@").removesuffix(".rss")
        if first.startswith("@") and _ACCOUNT.fullmatch(account) and not second:
            options = {"timeline": "account", "account": account}
            return Recognised(page.origin, options, f"@{account} at {page.host}", _NEEDS)
        if first == "public":
            timeline = "local" if second == "local" else "federated"
            return Recognised(page.origin, {"timeline": timeline}, page.host, _NEEDS)
        return None


_NEEDS = "Some instances show this only with an access token of an account there."


def _is_instance(page: Pasted) -> bool:
    """Whether the host is one of Mastodon's by its name: nothing else tells without asking."""
    by_name = page.host in _WELL_KNOWN or bool(_NAMED_ALIKE.search(page.host))
    return by_name and len(page.path) <= 2


async def _where(request: Fetch, http: Client) -> tuple[str, dict[str, Any]]:
    """The path to ask, and what to remember: an account's number, the last status read."""
    options = request.options
    entered = {"tag": options["tag"], "account": options["account"]}.get(options["timeline"], "")
    entered = entered.strip().lstrip("#@")
    about = f"{request.endpoint} {options['timeline']} {entered}"
    kept = dict(request.memory) if request.memory.get("about") == about else {}
    memory = {"about": about, "since": _kept_id(kept, "since")}
    if options["timeline"] in ("local", "federated"):
        return "timelines/public", memory
    if options["timeline"] == "tag":
        if not entered or "/" in entered:
            raise Misconfigured("Name the hashtag to read, without #.", option="tag")
        return f"timelines/tag/{quote(entered, safe='')}", memory
    if not _ACCOUNT.fullmatch(entered):
        raise Misconfigured("Name the account to read, such as ada.", option="account")
    number = _kept_id(kept, "account") or await _looked_up(request, http, entered)
    return f"accounts/{number}/statuses", {**memory, "account": number}


async def _looked_up(request: Fetch, http: Client, account: str) -> str:
    answer = await _asked(request, http, "accounts/lookup", {"acct": account}, paged=False)
    found = identifier(object_of(answer, _who(request)), "id")
    if not _ID.fullmatch(found):
        raise Misconfigured(f"{_who(request)} knows no account “{account}”.", option="account")
    return found


async def _asked(
    request: Fetch, http: Client, where: str, page: dict[str, str], *, paged: bool = True
) -> Response:
    """The answer; raises `SourceError`, in the words of what its status means here."""
    options, params = request.options, dict[str, str | int](page)
    if paged:
        params["limit"] = _LIMIT
    if where == "timelines/public" and options["timeline"] == "local":
        params["local"] = "true"
    if where.startswith("accounts/") and paged:
        params["exclude_replies"] = "false" if options["replies"] else "true"
        params["exclude_reblogs"] = "false" if options["boosts"] else "true"
    token = request.credentials.get("token", "")
    answer = await http.get(
        f"{request.endpoint.rstrip('/')}/api/v1/{where}",
        params=params,
        secret_headers={"Authorization": f"Bearer {token}"} if token else {},
    )
    who = _who(request)
    if answer.status in (401, 403, 422) and not token:
        raise Denied(
            f"{who} shows this only to an account of its own ({answer.status}): enter an access "
            "token.",
            status=answer.status,
        )
    if answer.status == 404 and not paged:
        raise Misconfigured(f"{who} knows no account “{page['acct']}”.", option="account")
    wait = answer.retry_after
    if wait is None and answer.status == 429:
        wait = rest_of_window(answer)
    return must_be_ok(answer, who, wait=wait)


def _read(answers: Sequence[Response], request: Fetch) -> Fetched:
    who = _who(request)
    # Pages come the newest first, and the page after holds newer ones still.
    statuses = [each for answer in reversed(answers) for each in list_of(answer, who, "statuses")]
    copies = [copy for each in statuses if (copy := _copy(each, request)) is not None]
    return fetched(answers, copies, title=who, wait=rest_of_window(answers[-1], enough=2))


def _copy(status: Json, request: Fetch) -> WireCopy | None:
    """A public status as copy; None for what is not for the wire."""
    boosted = part(status, "reblog")
    if boosted and not request.options["boosts"]:
        return None
    if not request.options["replies"] and status.get("in_reply_to_id") and not boosted:
        return None
    by, status = part(status, "account"), boosted or status
    own = text(status, "uri").strip()[:600]
    if not own or text(status, "visibility") not in ("public", "unlisted", ""):
        return None
    warning, account = text(status, "spoiler_text").strip(), part(status, "account")
    content, card = text(status, "content"), part(status, "card")
    attached = _media(status)
    title = warning or headline(content) or text(card, "title") or _first_alt(attached)
    handle = _handle(account, request)
    return WireCopy(
        external_id=own,
        firm_id=True,
        title=title or f"Without words, by {handle}",
        url=address(status, "url") or address(status, "uri"),
        content=content,
        summary=f"Content warning: {warning}" if warning else "",
        authors=(_name(account, handle),) if handle else (),
        tags=tuple(name for each in parts(status, "tags") if (name := text(each, "name"))),
        language=text(status, "language")[:20],
        published_at=parse_date(text(status, "created_at")),
        updated_at=parse_date(text(status, "edited_at")),
        metadata={
            "account": handle,
            "bot": yes(account, "bot"),
            "points": number(status, "favourites_count"),
            "comments": number(status, "replies_count"),
            "boosts": number(status, "reblogs_count"),
            "sensitive": yes(status, "sensitive"),
            **({"content_warning": warning} if warning else {}),
            **({"enclosures": attached} if attached else {}),
            **({"link": link} if (link := address(card, "url")) else {}),
            **({"boosted_by": _handle(by, request)} if boosted else {}),
        },
    )


def _media(status: Json) -> list[dict[str, str]]:
    return [
        {"url": link, "type": text(each, "type"), "alt": text(each, "description")[:2000]}
        for each in parts(status, "media_attachments")[:20]
        if (link := address(each, "url") or address(each, "remote_url"))
    ]


def _first_alt(attached: Sequence[dict[str, str]]) -> str:
    return next((headline(each["alt"]) for each in attached if each["alt"]), "")


def _handle(account: Json, request: Fetch) -> str:
    """@name@host: an instance leaves its own name out."""
    name = text(account, "acct").strip()[:300]
    if not name:
        return ""
    return f"@{name}" if "@" in name else f"@{name}@{host_of(request.endpoint)}"


def _name(account: Json, handle: str) -> str:
    shown = re.sub(r":\w{1,50}:", "", text(account, "display_name")[:200]).strip()  # own emoji
    return f"{shown} ({handle})" if shown else handle


def _who(request: Fetch) -> str:
    return host_of(request.endpoint)


def _pages(request: Fetch) -> int:
    """How many pages one sync may ask for; an account's number may cost a request beside."""
    return max(1, min(_MOST_PAGES, request.requests - 1))


def _id_at(statuses: Sequence[Json], place: int) -> str:
    """The id of the status at that place, in the order of the page; "" where there is none."""
    if not -len(statuses) <= place < len(statuses):
        return ""
    return _kept_id(statuses[place], "id")


def _kept_id(found: Json, name: str) -> str:
    own = identifier(found, name)
    return own if _ID.fullmatch(own) else ""
