"""Releases of a repository on GitHub: by its REST API, or by the feed that needs no token.

https://docs.github.com/en/rest/releases/releases and
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from articles.wire import WireCopy
from config.outbound import Client, Response
from sources.connectors.answers import (
    conditions,
    fetched,
    read_feed,
    rest_of_window,
    unchanged,
)
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
from sources.connectors.pasted import pasted
from sources.connectors.reading import (
    Json,
    address,
    identifier,
    list_of,
    number,
    paragraphs,
    part,
    parts,
    text,
    yes,
)
from sources.errors import Misconfigured
from sources.feedparsing.dates import parse_date

_WHO = "GitHub"
_WEB = "https://github.com"
_PER_PAGE = 50
_REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9_.-]{1,100}")
_OWN_PAGES = frozenset(
    ("about", "apps", "collections", "contact", "customer-stories", "enterprise", "events",
     "explore", "features", "issues", "login", "marketplace", "new", "notifications", "orgs",
     "organizations", "pricing", "pulls", "readme", "search", "security", "settings", "site",
     "sponsors", "stars", "team", "topics", "trending", "users")
)  # fmt: skip


class GitHubReleases(Connector):
    """Published releases, newest first."""

    key = "github_releases"
    label = "GitHub releases"
    help = (
        "Enter owner/repository. The API allows 5,000 requests an hour with a token and 60 "
        "without, for all that the desk reads at GitHub; the feed needs none, holds the last ten "
        "and can't tell previews from releases. Unchanged lists cost nothing with a token."
    )
    endpoint = "https://api.github.com"
    minutes = 60
    pages_tell_more = False
    options = (
        Option("repository", "Repository", required=True, help="Such as python/cpython."),
        Option(
            "access", "Access", "choice", default="api",
            choices=(("api", "API"), ("atom", "Feed (releases.atom)")),
            help="For the feed the address is https://github.com",
        ),
        Option("prereleases", "With pre-releases", "flag", default=False),
        Option(
            "drafts", "With drafts", "flag", default=False,
            help="Only a token that may write to the repository sees them.",
        ),
    )  # fmt: skip
    credentials = (
        Option(
            "token", "Token", "secret",
            help="A fine-grained token without any permission is enough for public repositories.",
        ),
    )  # fmt: skip

    async def fetch(self, request: Fetch, http: Client) -> Fetched:
        """The newest releases, or that there are no others."""
        repository = _repository(request)
        asked = conditions(request)
        if request.options["access"] == "atom":
            answer = await http.get(
                f"{request.endpoint.rstrip('/')}/{repository}/releases.atom", headers=asked
            )
            return _from_feed(answer, repository, conditional=bool(asked))
        return await self._page(request, http, 1, asked)

    async def older(self, request: Fetch, http: Client, cursor: str) -> Fetched:
        """The page of that number."""
        if request.options["access"] == "atom":
            raise Misconfigured("GitHub's feed has no older releases; choose the API for them.")
        if cursor and not re.fullmatch(r"[1-9]\d{0,3}", cursor):
            raise Misconfigured("The place to read on from is no page of GitHub; begin anew.")
        return await self._page(request, http, int(cursor or 1), {})

    def read_again(self, request: Fetch, payloads: Sequence[Payload]) -> Fetched:
        """The releases of an archived answer."""
        answer = answer_of(payloads[-1])
        if request.options["access"] == "atom":
            return _from_feed(answer, _repository(request))
        return _read(answer, request, 1)

    def recognise(self, url: str) -> Recognised | None:
        """A repository's pages."""
        page = pasted(url)
        if page is None or page.host != "github.com" or page.at(0).lower() in _OWN_PAGES:
            return None
        repository = "/".join(page.path[:2]).removesuffix(".git")
        if not _REPOSITORY.fullmatch(repository):
            return None
        options = {"repository": repository, "access": "atom"}
        return Recognised(_WEB, options, f"{repository} releases", _NEEDS)

    async def _page(
        self, request: Fetch, http: Client, page: int, asked: dict[str, str]
    ) -> Fetched:
        token = request.credentials.get("token", "")
        answer = await http.get(
            f"{request.endpoint.rstrip('/')}/repos/{_repository(request)}/releases",
            params={"per_page": _PER_PAGE, "page": page},
            headers={
                "Accept": "application/vnd.github.html+json",
                "X-GitHub-Api-Version": "2022-11-28",
                **asked,
            },
            secret_headers={"Authorization": f"Bearer {token}"} if token else {},
        )
        spent = rest_of_window(answer)
        # "403 or 429", and secondary limits only by Retry-After, say its rules for limits.
        limited = spent is not None or answer.retry_after is not None
        wait = answer.retry_after if answer.retry_after is not None else spent
        must_be_ok(answer, _WHO, conditional=bool(asked), limiter=limited, wait=wait)
        if answer.status == 304:
            return unchanged(answer, wait)
        return _read(answer, request, page)


_NEEDS = (
    "By the feed, which needs no token. With a token choose the API: it tells pre-releases, and "
    "its limits are wide."
)


def _repository(request: Fetch) -> str:
    """As it stands in an address: people paste the repository's page, too."""
    entered: str = request.options["repository"].strip()
    page = pasted(entered)
    name = "/".join(page.path[:2]) if page else entered.strip("/")
    name = name.removesuffix(".git")
    if not _REPOSITORY.fullmatch(name) or name.endswith(("/.", "/..")):
        raise Misconfigured("Enter owner/repository, such as python/cpython.", option="repository")
    return quote(name)


def _read(answer: Response, request: Fetch, page: int) -> Fetched:
    releases = list_of(answer, _WHO, "releases")
    repository = _repository(request)
    wanted = [
        release
        for release in releases
        if identifier(release, "id")
        and (request.options["prereleases"] or not yes(release, "prerelease"))
        and (request.options["drafts"] or not yes(release, "draft"))
    ]
    return fetched(
        [answer],
        [_copy(release, repository) for release in wanted],
        title=f"{repository} releases",
        older=str(page + 1) if len(releases) >= _PER_PAGE else "",
        wait=rest_of_window(answer),
    )


def _copy(release: Json, repository: str) -> WireCopy:
    tag, author = text(release, "tag_name"), text(part(release, "author"), "login")
    assets = [
        {"name": text(each, "name"), "url": link, "bytes": number(each, "size")}
        for each in parts(release, "assets")[:50]
        if (link := address(each, "browser_download_url"))
    ]
    return WireCopy(
        external_id=identifier(release, "id"),
        firm_id=True,
        title=_title(text(release, "name") or tag, repository),
        url=address(release, "html_url"),
        content=text(release, "body_html") or paragraphs(text(release, "body")),
        authors=(author,) if author else (),
        published_at=parse_date(text(release, "published_at") or text(release, "created_at")),
        updated_at=parse_date(text(release, "updated_at")),
        metadata={
            "repository": repository,
            "tag": tag,
            "prerelease": yes(release, "prerelease"),
            "draft": yes(release, "draft"),
            "assets": assets,
        },
    )


def _from_feed(answer: Response, repository: str, *, conditional: bool = False) -> Fetched:
    """The releases of the feed."""
    found = read_feed(answer, _WHO, conditional=conditional)
    copies = [
        replace(
            copy,
            firm_id=True,
            title=_title(copy.title, repository),
            metadata={
                **copy.metadata,
                "repository": repository,
                "tag": _tag_in(copy.external_id),
            },
        )
        for copy in found.copies
    ]
    return replace(found, copies=tuple(copies), moved_to="", older="")


def _tag_in(own: str) -> str:
    """The tag in an id of the feed, such as `tag:github.com,2008:Repository/4711/v1.2`."""
    match = re.search(r":Repository/\d+/(.+)$", own)
    return match[1] if match else ""


def _title(name: str, repository: str) -> str:
    """A release is often called by its number alone, which tells a desk nothing."""
    project = repository.rpartition("/")[2]
    return name if project.lower() in name.lower() else f"{project} {name}".strip()
