"""Connecting a channel by a visit to its platform: OAuth 2 with a code and PKCE.

https://www.rfc-editor.org/rfc/rfc6749#section-4.1, https://www.rfc-editor.org/rfc/rfc7636 and, for
what may go wrong, https://www.rfc-editor.org/rfc/rfc9700. What a visit needs to be finished stays
here, with the person who began it; the platform gets a number only.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self
from urllib.parse import urlencode

from asgiref.sync import async_to_sync

from config.outbound import BadBody, Client, OutboundError, Response, from_settings
from config.sealed import TamperedSecret
from publishing import connecting, platforms, renewal
from publishing.errors import PlatformError, Refusal
from publishing.models import Channel
from publishing.platforms.base import Authorisation, Connects, Verifies
from publishing.platforms.reading import text
from publishing.post import Renewed

LASTS = 15 * 60  # seconds for a person to sign in there


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit that has begun. Kept in the person's session, good for one answer."""

    channel_id: int
    state: str  # what the platform has to give back
    verifier: str  # what only we know (PKCE)
    redirect_uri: str
    began: float  # Unix time

    def kept(self) -> dict[str, Any]:
        """As a session can hold it."""
        return asdict(self)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        """Out of a session."""
        return cls(**kept)


def begin(channel: Channel, redirect_uri: str) -> tuple[str, Visit]:
    """Where to send the person, and the visit to remember.

    Raises `Refusal` where there is nothing to visit, or the application's id is missing.
    """
    plan, client = _plan(channel)
    visit = Visit(
        channel.pk, secrets.token_urlsafe(32), secrets.token_urlsafe(48), redirect_uri, time.time()
    )
    asked = {
        "response_type": "code", "client_id": client[0], "redirect_uri": redirect_uri,
        "scope": plan.separator.join(plan.scopes), "state": visit.state, **plan.extra,
    }  # fmt: skip
    if plan.pkce:
        digest = hashlib.sha256(visit.verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        asked |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    join = "&" if "?" in plan.authorize_url else "?"
    return f"{plan.authorize_url}{join}{urlencode(asked)}", visit


def finish(visit: Visit, answer: Mapping[str, str]) -> str:
    """Turn the platform's answer into credentials; a sentence saying that it worked.

    `answer` is what stood in the address that the person came back with. Raises `Refusal` for an
    answer that isn't to this visit, one that came too late or says no; nothing is stored then.
    """
    if not secrets.compare_digest(answer.get("state", ""), visit.state):
        raise Refusal("This answer does not belong to the visit that was begun; begin it anew.")
    if time.time() - visit.began > LASTS:
        raise Refusal("The visit took longer than a quarter of an hour; begin it anew.")
    if said := answer.get("error"):
        words = answer.get("error_description", "") or said
        raise Refusal(f"The platform did not connect us: {words[:300]}")
    if not answer.get("code"):
        raise Refusal("The platform's answer holds no code; begin the visit anew.")
    channel = Channel.objects.get(pk=visit.channel_id)
    try:
        renewed = async_to_sync(_redeem)(channel, visit, answer["code"])
    except OutboundError as problem:
        raise Refusal(f"The platform could not be asked for a token. {problem}") from problem
    renewal.store(channel.pk, renewed)
    Channel.objects.filter(pk=channel.pk).update(paused_reason="", waits_until=None)
    return _as_whom(Channel.objects.get(pk=channel.pk))


def _as_whom(channel: Channel) -> str:
    """What the platform says of the new connection; a test that fails undoes nothing."""
    connecting.keep(channel, None)
    if not isinstance(platforms.platform(channel.platform), Verifies):
        return f"{channel} is connected."
    try:
        stored = channel.credentials.reveal()
        tested = connecting.tried(channel.platform, channel.options, stored)
    except PlatformError as problem:
        return f"{channel} is connected, but its test failed. {problem}"
    connecting.keep(channel, tested)
    return f"{channel} is connected. {tested.words}"


async def _redeem(channel: Channel, visit: Visit, code: str) -> Renewed:
    plan, (client_id, client_secret) = _plan(channel)
    adapter = platforms.platform(channel.platform)
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": visit.redirect_uri,
        "client_id": client_id,
    }  # fmt: skip
    headers: dict[str, str] = {}
    if plan.pkce:
        form["code_verifier"] = visit.verifier
    if plan.basic:
        words = f"{client_id}:{client_secret}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(words).decode()}"
    elif client_secret:
        form["client_secret"] = client_secret
    async with Client(from_settings()) as http:
        answer = await http.post(
            plan.token_url, form=form, headers={"Accept": "application/json"},
            secret_headers=headers,
        )  # fmt: skip
        tokens = _tokens(answer)
        if not isinstance(adapter, Connects):
            raise Refusal(f"{adapter.label} is not connected by a visit.")
        ours = {"client_id": client_id, "client_secret": client_secret}
        return await adapter.connected(channel.options, tokens | ours, http)


def _tokens(answer: Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except BadBody:
        body = {}
    if not isinstance(body, dict) or not answer.ok or not text(body, "access_token"):
        said = (text(body, "error_description") or text(body, "error")) if body else ""
        raise Refusal(
            f"The platform gave no token ({answer.status}). {said}".strip(), status=answer.status
        )
    return body


def _plan(channel: Channel) -> tuple[Authorisation, tuple[str, str]]:
    try:
        adapter = platforms.platform(channel.platform)
        stored = channel.credentials.reveal()
    except KeyError:
        raise Refusal(f"The platform “{channel.platform}” is not installed here.") from None
    except TamperedSecret as problem:
        raise Refusal(str(problem)) from problem
    if not isinstance(adapter, Connects):
        raise Refusal(f"{adapter.label} is not connected by a visit; enter its credentials.")
    client = str(stored.get("client_id", "")), str(stored.get("client_secret", ""))
    if not client[0]:
        raise Refusal("Enter the application's id and secret first, and save.")
    return adapter.authorisation(channel.options, stored), client
