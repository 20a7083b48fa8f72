"""A file per story in a git repository, for sites that are built from one (Hugo, Jekyll, Eleventy).

The file's name is made from the delivery: whatever is repeated, there is one file.
https://gohugo.io/content-management/front-matter/ and https://jekyllrb.com/docs/front-matter/
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from config.outbound import Client
from publishing import writing
from publishing.document import read
from publishing.errors import Wait
from publishing.platforms.base import Platform
from publishing.platforms.git_commands import Remote, branch_of
from publishing.post import Capabilities, Field, Job, Once, Post, Problem, Receipt, Seen

_BRANCH = re.compile(r"(?!.*(?:\.\.|//|@\{|\.lock$|/$))[A-Za-z0-9][A-Za-z0-9._/-]{0,100}")
_FOLDER = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]{0,60}/?){0,8}")
_DATE = re.compile(r'^date: "([0-9T:.+-]{10,40})"$', re.M)
_LONGEST_SLUG = 60


class StaticGit(Platform):
    """Markdown with front matter, committed to a branch."""

    key = "static_git"
    label = "Static site (git)"
    help = (
        "The desk commits a Markdown file per story; your site's own build does the rest. Give it "
        "a token that may write to this one repository only (GitHub: fine-grained, contents: "
        "read and write)."
    )
    options = (
        Field("url", "Repository", "url", required=True, help="Its https address."),
        Field("branch", "Branch", default="main"),
        Field("folder", "Folder", default="content/posts", help="Where the files go."),
        Field(
            "address", "Address on the site", "text",
            help="Such as https://example.org/posts/{slug}/ ({slug}, {year}, {month}, {day}).",
        ),
    )  # fmt: skip
    credentials = (
        Field("user", "User name", help="Most hosts take any; GitLab wants the token's."),
        Field("token", "Access token", "secret"),
    )
    capabilities = Capabilities(
        once=Once.KEY,
        in_words="The file's name is made from ours: written again, it is the same file.",
        form="whole story",
        alt_text=True,
        access="A repository that can be reached over https, and git where the workers run.",
    )

    def problems(self, post: Post, options: Mapping[str, Any]) -> list[Problem]:
        """A branch or folder that git or a file system would stumble over."""
        found = []
        if not _BRANCH.fullmatch(str(options.get("branch") or "main")):
            found.append(Problem("branch", "That is no name of a branch."))
        if not _FOLDER.fullmatch(str(options.get("folder") or "")):
            found.append(Problem("folder", "Give a folder of plain names, such as content/posts."))
        if not post.title:
            found.append(Problem("title", "A page needs a title."))
        return found

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Write the file; one that is there already with this text is the post."""
        return await self._write(job, http, _path(job), "Publish")

    async def edit(self, job: Job, http: Client) -> Receipt:
        """Write the same file anew."""
        return await self._write(job, http, job.remote_id, "Correct")

    async def delete(self, job: Job, http: Client) -> Receipt:
        """Take the file out of the branch; history keeps it."""
        async with branch_of(_remote(job.options, job.credentials), http) as branch:
            if await branch.read(job.remote_id) is not None:
                message = f"Withdraw {job.post.title}\n\nNewsdesk: {job.once_key}\n"
                await branch.remove(job.remote_id, message, job.made_at)
        return Receipt(job.remote_id, job.remote_url)

    async def seen(self, job: Job, http: Client) -> Seen:
        """The file as it stands in the branch."""
        async with branch_of(_remote(job.options, job.credentials), http) as branch:
            text = await branch.read(job.remote_id)
        return Seen(text is not None, _body_of(text or ""))

    async def verify(
        self, options: Mapping[str, Any], credentials: Mapping[str, Any], http: Client
    ) -> str:
        """The branch is read; whether it may be written shows with the first post."""
        remote = _remote(options, credentials)
        async with branch_of(remote, http):
            return f"The branch {remote.branch} can be read."

    async def _write(self, job: Job, http: Client, path: str, verb: str) -> Receipt:
        async with branch_of(_remote(job.options, job.credentials), http) as branch:
            there = await branch.read(path)
            text = _page(job, path, there or "")
            if there != text:
                message = f"{verb} {job.post.title}\n\nNewsdesk: {job.once_key}\n"
                await branch.put(path, text, message, job.made_at)
        confirmed = "look_up" if there == text else "answer"
        return Receipt(path, _address(job, path), confirmed_by=confirmed)


def _remote(options: Mapping[str, Any], credentials: Mapping[str, Any]) -> Remote:
    branch = str(options.get("branch") or "main")
    if not _BRANCH.fullmatch(branch):
        raise Wait("The channel's branch is no name of a branch; correct it there.")
    return Remote(
        url=str(options["url"]),
        branch=branch,
        user=str(credentials.get("user") or ""),
        token=str(credentials.get("token") or ""),
    )


def _path(job: Job) -> str:
    folder = str(job.options.get("folder") or "").strip("/")
    name = f"{job.made_at:%Y-%m-%d}-{_slug(job.post)}.md"
    return f"{folder}/{name}" if folder else name


def _slug(post: Post) -> str:
    """Words of the title and the beginning of our marker: readable, and nobody else's."""
    plain = unicodedata.normalize("NFKD", post.title).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_SLUG].strip("-")
    mark = re.sub(r"[^a-z0-9]", "", post.marker.lower())[:8]
    return f"{words}-{mark}".strip("-")


def _day_and_slug(path: str) -> tuple[str, str]:
    stem = path.rpartition("/")[2].removesuffix(".md")
    return stem[:10], stem[11:]


def _address(job: Job, path: str) -> str:
    address = str(job.options.get("address") or "")
    day, slug = _day_and_slug(path)
    year, month, date = [*day.split("-"), "", ""][:3]
    named = {"{slug}": slug, "{year}": year, "{month}": month, "{day}": date}
    for name, value in named.items():
        address = address.replace(name, value)
    return address


def _page(job: Job, path: str, there: str) -> str:
    """Front matter in YAML (of which JSON's values are a part), then Markdown.

    What stands `there` already keeps its date; another text gets a `lastmod` besides.
    """
    post, first = job.post, _DATE.search(there)
    now = job.made_at.isoformat()
    date = first[1] if first else now
    matter: dict[str, Any] = {
        "title": post.title,
        "date": date,
        "lastmod": now if now != date else "",
        "slug": _day_and_slug(path)[1],
        "authors": list(post.authors),
        "tags": list(post.tags),
        "summary": post.summary,
        "language": post.language,
        "canonicalURL": post.canonical_url,
        "newsdesk": post.marker,
    }
    lines = [
        f"{name}: {json.dumps(value, ensure_ascii=False)}"
        for name, value in matter.items()
        if value
    ]
    return "\n".join(["---", *lines, "---", "", writing.markdown(read(post.html)).strip(), ""])


def _body_of(text: str) -> str:
    return text.split("\n---\n", 1)[-1].strip()
