"""A login at Bluesky that is kept: it allows 30 of them in five minutes and 300 a day.

https://docs.bsky.app/docs/advanced-guides/rate-limits ·
https://docs.bsky.app/docs/api/com-atproto-server-create-session
"""

import base64
import binascii
import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from config.outbound import BadBody, Client, Response
from sources.connectors.answers import rest_of_window
from sources.connectors.base import Fetch, must_be_ok
from sources.connectors.reading import Json, number, object_of, text
from sources.errors import Denied, Limited, Misconfigured

_WHO = "Bluesky"
_AHEAD = 120  # seconds before its end that a session is renewed
_USUAL = 3600  # seconds, for a token that does not tell its end


@dataclass(frozen=True, slots=True)
class Session:
    """Two tokens: one for requests, good for hours; one to renew both, good for weeks."""

    access: str
    refresh: str
    until: int  # seconds since 1970
    whose: str  # a digest of service, handle and password: another login's session is not used

    @property
    def headers(self) -> dict[str, str]:
        """To send with a request, as a secret."""
        return {"Authorization": f"Bearer {self.access}"}

    def to_remember(self) -> dict[str, str | int]:
        """For `Fetch.memory`."""
        return asdict(self)


async def current(request: Fetch, http: Client) -> Session:
    """The remembered session, renewed ahead of its end; or a new one. Raises `SourceError`."""
    kept = _kept(request)
    if kept is None:
        return await _created(request, http)
    if kept.until - _AHEAD > _now(request):
        return kept
    return await renewed(request, http, kept)


async def renewed(request: Fetch, http: Client, session: Session) -> Session:
    """The session with new tokens; a new login where it can't be renewed any more."""
    where = f"{request.options['service'].rstrip('/')}/xrpc/com.atproto.server.refreshSession"
    secret = {"Authorization": f"Bearer {session.refresh}"}
    answer = await http.post(where, secret_headers=secret)
    if answer.status in (400, 401, 403):
        return await _created(request, http)
    return _granted(request, _ok(answer))


def has_expired(answer: Response) -> bool:
    """Whether an answer says that the session has come to its end (400 with a name, or 401)."""
    expired = answer.status == 400 and complaint(answer)[0] in ("ExpiredToken", "InvalidToken")
    return expired or answer.status == 401


def complaint(answer: Response) -> tuple[str, str]:
    """The name of an error and what it says, as Bluesky's services put them; "" for none."""
    try:
        body = answer.json()
    except BadBody:
        return "", ""
    if not isinstance(body, dict):
        return "", ""
    return text(body, "error")[:100], " ".join(text(body, "message").split())[:200]


async def _created(request: Fetch, http: Client) -> Session:
    handle, password = (request.credentials.get(each, "") for each in ("identifier", "password"))
    if not (handle and password):
        raise Misconfigured(
            "Bluesky's search needs a handle and an app password; accounts and custom feeds don't."
        )
    where = f"{request.options['service'].rstrip('/')}/xrpc/com.atproto.server.createSession"
    login = {"identifier": handle.strip().lstrip("@"), "password": password}
    answer = await http.post(where, json=login)
    if answer.status in (400, 401, 403):
        raise Denied("Bluesky does not take this handle and app password.", status=answer.status)
    return _granted(request, _ok(answer))


def _ok(answer: Response) -> Response:
    if answer.status == 429:
        wait = answer.retry_after
        raise Limited(
            "Bluesky allows no more logins for a while.",
            status=429,
            retry_after=rest_of_window(answer, fields="ratelimit") if wait is None else wait,
        )
    return must_be_ok(answer, _WHO)


def _granted(request: Fetch, answer: Response) -> Session:
    granted = object_of(answer, _WHO)
    access, refresh = (_token(granted, name) for name in ("accessJwt", "refreshJwt"))
    if not access:
        raise Denied("Bluesky gave no session for this login.", status=answer.status)
    until = _end_of(access) or _now(request) + _USUAL
    return Session(access, refresh, until, _whose(request))


def _kept(request: Fetch) -> Session | None:
    memory = request.memory
    access, refresh = _token(memory, "access"), _token(memory, "refresh")
    if not access or text(memory, "whose") != _whose(request):
        return None
    return Session(access, refresh, number(memory, "until"), text(memory, "whose"))


def _whose(request: Fetch) -> str:
    parts = [
        request.options["service"],
        *(str(request.credentials.get(n, "")) for n in ("identifier", "password")),
    ]
    return hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()


def _token(found: Json, name: str) -> str:
    """A token that a header can carry."""
    value = text(found, name)
    return value if value.isascii() and value.isprintable() and len(value) <= 4000 else ""


def _end_of(token: str) -> int:
    """When a token ends, by its own word (RFC 7519 §4.1.4), unverified; 0 if it does not say."""
    try:
        middle = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, binascii.Error, ValueError, RecursionError):
        return 0
    return number(claims, "exp") if isinstance(claims, dict) else 0


def _now(request: Fetch) -> int:
    return int((request.now or datetime.now(UTC)).timestamp())
