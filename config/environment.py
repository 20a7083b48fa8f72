"""The environment, read strictly: every problem names its variable and says what to set."""

import contextlib
import ipaddress
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured


class Environment:
    """Reads variables through django-environ; raises ``ImproperlyConfigured`` naming the culprit.

    ``NAME_FILE`` stands in for ``NAME`` everywhere, so that any value may be a mounted secret.
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = dict(os.environ if variables is None else variables)
        self._env = environ.Env()
        self._env.ENVIRON = self._variables

    def text(self, name: str, *, default: str | None = None) -> str:
        """The value, or ``default``; without a default the variable must be set."""
        value = self._read(name)
        if value:
            return value
        if default is None:
            raise ImproperlyConfigured(f"{name}: is not set.")
        return default

    def story_url(self, name: str) -> str:
        """An address with {id} in it, for the page of any story; "" if it is not set."""
        value = self._read(name)
        if value and not (value.startswith(("https://", "http://")) and "{id}" in value):
            raise ImproperlyConfigured(
                f"{name}: must be an http(s) address with {{id}} in it, and {{slug}} if you like, "
                "such as https://www.example.org/stories/{id}/{slug}."
            )
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """A yes or no, in the spellings that people use."""
        value = self._read(name).lower()
        if not value:
            return default
        if value in ("1", "true", "yes", "on"):
            return True
        if value in ("0", "false", "no", "off"):
            return False
        raise ImproperlyConfigured(f"{name}: {value!r} is neither yes nor no.")

    def number(self, name: str, *, default: int, least: int, most: int) -> int:
        """A whole number within bounds."""
        value = self._read(name)
        if not value:
            return default
        try:
            number = int(value)
        except ValueError:
            raise ImproperlyConfigured(f"{name}: {value!r} is not a whole number.") from None
        if not least <= number <= most:
            raise ImproperlyConfigured(f"{name}: {number} is not between {least} and {most}.")
        return number

    def choice(self, name: str, choices: Sequence[str], *, default: str) -> str:
        """One of the words allowed."""
        value = self._read(name) or default
        if value not in choices:
            raise ImproperlyConfigured(f"{name}: {value!r} is not one of {', '.join(choices)}.")
        return value

    def names(self, name: str, *, default: Sequence[str] = (), required: bool = False) -> list[str]:
        """A comma-separated list."""
        values = [part.strip() for part in self._read(name).split(",") if part.strip()]
        if required and not values:
            raise ImproperlyConfigured(f"{name}: is not set; give names separated by commas.")
        return values or list(default)

    def origins(self, name: str, *, default: Sequence[str]) -> list[str]:
        """Exact origins (scheme, host, port); a path or a wildcard is refused."""
        origins = self.names(name, default=[origin for origin in default if origin])
        for origin in origins:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.netloc or "*" in origin:
                raise ImproperlyConfigured(
                    f"{name}: {origin!r} is not an exact origin such as https://example.org."
                )
            if parts.path or parts.query:
                raise ImproperlyConfigured(f"{name}: {origin!r} must end after the host.")
        return origins

    def networks(self, name: str, *, default: Sequence[str]) -> list[str]:
        """Networks in CIDR notation."""
        values = self.names(name, default=default)
        for value in values:
            try:
                ipaddress.ip_network(value)
            except ValueError as problem:
                raise ImproperlyConfigured(f"{name}: {problem}.") from None
        return values

    def table(self, name: str) -> dict[str, str]:
        """``key=dotted.path`` pairs, separated by commas."""
        entries = {}
        for pair in self.names(name):
            key, equals, path = pair.partition("=")
            if not equals or "." not in path:
                raise ImproperlyConfigured(f"{name}: {pair!r} is not of the form key=dotted.path.")
            entries[key.strip()] = path.strip()
        return entries

    def time_zone(self, name: str, *, default: str) -> str:
        """A zone of the IANA database."""
        value = self._read(name) or default
        if value not in available_timezones():
            raise ImproperlyConfigured(f"{name}: {value!r} is no time zone such as Europe/Vienna.")
        return value

    def url(self, name: str, schemes: Sequence[str], *, required: bool) -> str:
        """A server's address; empty when it is neither set nor required."""
        value = self._read(name)
        if not value and required:
            raise ImproperlyConfigured(f"{name}: is not set; it must name the server to use.")
        if value and urlsplit(value).scheme not in schemes:
            raise ImproperlyConfigured(f"{name}: must start with {' or '.join(schemes)}://.")
        return value

    def secret(
        self, name: str, *, made_up_in: Path | None = None, least: int = 0, required: bool = True
    ) -> str:
        """A secret of at least ``least`` characters; in development made up once and kept."""
        value = self._read(name)
        if not value and made_up_in is not None:
            value = kept_secret(made_up_in / name.lower(), lambda: secrets.token_urlsafe(64))
        if not value and not required:
            return ""
        if not value:
            raise ImproperlyConfigured(f"{name}: is not set (nor is {name}_FILE).")
        if len(value) < least:
            raise ImproperlyConfigured(f"{name}: must have at least {least} characters.")
        return value

    def fernet_keys(self, name: str, *, made_up_in: Path | None) -> list[str]:
        """The keys of sealed columns, newest first; each 32 bytes in URL-safe base64."""
        keys = self.names(name)
        if not keys and made_up_in is not None:
            keys = [kept_secret(made_up_in / name.lower(), lambda: Fernet.generate_key().decode())]
        if not keys:
            raise ImproperlyConfigured(f"{name}: is not set (nor is {name}_FILE).")
        for position, key in enumerate(keys, 1):
            try:
                Fernet(key)
            except ValueError:
                raise ImproperlyConfigured(
                    f"{name}: key number {position} is not 32 bytes in URL-safe base64."
                ) from None
        return keys

    def _read(self, name: str) -> str:
        path = self._variables.get(f"{name}_FILE", "")
        if path and self._variables.get(name):
            raise ImproperlyConfigured(f"{name}: is set, and so is {name}_FILE; keep one of them.")
        if path:
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as problem:
                raise ImproperlyConfigured(f"{name}_FILE: can't be read: {problem}.") from None
        return str(self._env.str(name, default="")).strip()


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """The secret kept at ``path``; made and written there, mode 0600, if there is none yet.

    Two processes that start at once end with the same secret: the file appears whole, by a
    hard link, and whoever comes second reads it.
    """
    try:
        if not path.exists():
            _keep(path, make())
        return path.read_text(encoding="utf-8").strip()
    except OSError as problem:
        raise ImproperlyConfigured(
            f"VAR_DIR: {problem.filename} can't be used ({problem.strerror}); "
            "name a folder that can be written."
        ) from None


def _keep(path: Path, secret: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, draft = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(secret)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)
