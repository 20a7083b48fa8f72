"""A branch of a remote git repository, changed without a checkout.

Blobs, an index and a commit are made with git's own plumbing in a bare repository that lives for
one job. Nothing of the remote is ever written out as a file, so no link and no hook of it matters.
The address that git connects to is the one that `config.outbound` has judged.
"""

import asyncio
import base64
import os
import re
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from config.outbound import Client
from publishing.errors import PlatformError, Reauthorise, Refusal, Unknown, Wait

_DEADLINE = 60.0  # seconds for one command
# No file that git writes may grow beyond 512 MB (in blocks of 512 bytes).
_BOUNDED = 'ulimit -f 1048576; exec git "$@"'
_OLDEST = (2, 37)
_NO_COMMAND = 127
_SAID = 500  # characters of git's own words that are kept
_NO_BRANCH = "couldn't find remote ref"
_SHUT = (
    "authentication failed", "error: 401", "error: 403", "could not read username", "permission to",
)  # fmt: skip
_MISSING = ("not found", "error: 404", "does not appear to be a git repository")
_OVERTAKEN = ("non-fast-forward", "fetch first", "stale info", "cannot lock ref", "failed to lock")
_REFUSED = ("pre-receive hook declined", "protected branch", "hook declined", "gh006")


@dataclass(frozen=True, slots=True)
class Remote:
    """Where a repository is, and who we are there."""

    url: str  # https, or http inside allowed networks
    branch: str
    user: str = ""
    token: str = ""


@asynccontextmanager
async def branch_of(remote: Remote, http: Client) -> AsyncIterator["Branch"]:
    """The branch as it is now. Raises `PlatformError`s and `OutboundError`."""
    host, port, address = await http.judged(remote.url)
    with tempfile.TemporaryDirectory(prefix="newsdesk-git-") as home:
        branch = Branch(remote, Path(home), _settings(remote, f"{host}:{port}:{address}"))
        await branch.fetch()
        yield branch


class Branch:
    """One branch; every change is a commit that is pushed at once or not at all."""

    def __init__(self, remote: Remote, home: Path, settings: Mapping[str, str]) -> None:
        self._remote = remote
        self._home = home
        self._head = ""  # the newest commit; "" for a branch that is not there yet
        pairs = {f"GIT_CONFIG_KEY_{n}": name for n, name in enumerate(settings)}
        pairs |= {f"GIT_CONFIG_VALUE_{n}": value for n, value in enumerate(settings.values())}
        # Nothing of the machine's own git reaches in, and credentials stand in no command line.
        self._environment = pairs | {
            "GIT_CONFIG_COUNT": str(len(settings)), "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0", "GIT_DIR": str(home),
            "GIT_INDEX_FILE": str(home / "index"), "GIT_ALLOW_PROTOCOL": "https:http",
            "HOME": str(home), "LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath),
        }  # fmt: skip

    async def fetch(self) -> None:
        """The newest commit of the branch, without what it does not need."""
        version = tuple(map(int, re.findall(r"\d+", await self._git("version"))[:2]))
        if version < _OLDEST:  # it would not know `http.curloptResolve`, and look names up itself
            raise Refusal("git on the desk's workers is older than 2.37; install a newer one.")
        await self._git("init", "--quiet", "--bare", str(self._home))
        try:
            await self._git(
                "fetch", "--quiet", "--no-tags", "--depth=1", "--", self._remote.url,
                f"refs/heads/{self._remote.branch}",
            )  # fmt: skip
        except _NoBranch:
            return
        self._head = (await self._git("rev-parse", "FETCH_HEAD")).strip()
        await self._git("read-tree", self._head)

    async def read(self, path: str) -> str | None:
        """The text of a file; None where there is none."""
        if not self._head or not (await self._git("ls-files", "--", f":(literal){path}")).strip():
            return None
        return await self._git("cat-file", "blob", f"{self._head}:{path}")

    async def put(self, path: str, text: str, message: str, at: datetime) -> None:
        """Commit the file with this text, and push."""
        blob = (await self._git("hash-object", "-w", "--stdin", given=text)).strip()
        await self._git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
        await self._push(message, at)

    async def remove(self, path: str, message: str, at: datetime) -> None:
        """Commit that the file is gone, and push."""
        # Mode 0 takes a path out of the index; --force-remove would want a work tree.
        await self._git("update-index", "--index-info", given=f"0 {'0' * 40}\t{path}\n")
        await self._push(message, at)

    async def _push(self, message: str, at: datetime) -> None:
        tree = (await self._git("write-tree")).strip()
        parents = ["-p", self._head] if self._head else []
        moment = f"{int(at.timestamp())} +0000"
        who = {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in (
                ("NAME", "Newsdesk"), ("EMAIL", "newsdesk@localhost"), ("DATE", moment)
            )
        }  # fmt: skip
        commit = await self._git("commit-tree", tree, *parents, given=message, also=who)
        target = f"{commit.strip()}:refs/heads/{self._remote.branch}"
        await self._git("push", "--quiet", "--", self._remote.url, target)

    async def _git(
        self, *arguments: str, given: str = "", also: Mapping[str, str] | None = None
    ) -> str:
        """git's answer; every way it can fail is a `PlatformError`."""
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", _BOUNDED, "git", *arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, env={**self._environment, **(also or {})},
            cwd=self._home, start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(_DEADLINE):
                said, trouble = await process.communicate(given.encode())
        except TimeoutError:
            words = f"git {arguments[0]} was not through within {_DEADLINE:g} seconds."
            raise (Unknown if arguments[0] == "push" else Wait)(words) from None
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if process.returncode == _NO_COMMAND:
            raise Refusal("git is not installed where the desk's workers run.")
        if process.returncode:
            raise _problem(arguments[0], trouble.decode(errors="replace"), self._remote)
        return said.decode(errors="replace")


class _NoBranch(PlatformError):
    """The repository has no such branch yet."""


def _problem(command: str, said: str, remote: Remote) -> PlatformError:
    """What git's words mean. Without a token in them."""
    words = " ".join(said.split())
    if remote.token:
        words = words.replace(remote.token, "…")
    told = f"git {command}: {words[:_SAID]}"
    lower = words.replace(remote.url, "").lower()  # what an address says means nothing
    if _NO_BRANCH in lower:
        return _NoBranch(told)
    if any(sign in lower for sign in _REFUSED):
        return Refusal(f"The repository refuses the commit. {told}")
    if any(sign in lower for sign in _OVERTAKEN):
        return Wait(f"Somebody else has pushed meanwhile. {told}", seconds=5)
    if any(sign in lower for sign in _SHUT):
        return Reauthorise(f"The repository does not let us in. {told}")
    if any(sign in lower for sign in _MISSING):
        return Refusal(f"There is no such repository. {told}")
    return Unknown(told) if command == "push" else Wait(told)


def _settings(remote: Remote, pinned: str) -> dict[str, str]:
    found = {
        "http.followRedirects": "false",
        "http.curloptResolve": pinned,
        "http.proxy": "",
        "core.hooksPath": os.devnull,
        "protocol.file.allow": "never",
        "transfer.fsckObjects": "true",
        "gc.auto": "0",
    }
    if remote.token:
        login = base64.b64encode(f"{remote.user or 'git'}:{remote.token}".encode()).decode()
        found["http.extraHeader"] = f"Authorization: Basic {login}"
    return found
