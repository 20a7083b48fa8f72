"""Proving who we are to a JSON service: a header, a query key, or an OAuth 2 token.

What is secret stands in headers, or, where a service insists on it, in a query that only the
request itself sees: never in what a connector returns.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, quote_plus

from config.outbound import Client
from sources.connectors.base import LOGIN, Fetch, Option, must_be_ok
from sources.errors import Denied, Misconfigured, NotAFeed

KINDS = (
    ("none", "None"),
    ("basic", "User name and password"),
    ("bearer", "Bearer token"),
    ("header", "A header of its own"),
    ("query", "A key in the address"),
    ("oauth2", "OAuth 2 client credentials"),
)
OPTIONS = (
    Option("login", "Login by", "choice", default="none", choices=KINDS, group=LOGIN),
    Option(
        "login_name", "Header or parameter", group=LOGIN,
        help="The one that carries the key, such as X-Api-Key",
    ),
    Option("token_url", "Token address", "url", help="For OAuth 2.", group=LOGIN),
    Option("scope", "Scope", help="For OAuth 2, if it asks for one.", group=LOGIN),
)  # fmt: skip
CREDENTIALS = (
    Option("user", "User name"),
    Option("password", "Password", "secret"),
    Option("token", "Token or key", "secret", help="The bearer token, or the header's or query's."),
    Option("client_id", "Client id", help="For OAuth 2."),
    Option("client_secret", "Client secret", "secret"),
)
_NEEDS = {
    "none": (), "basic": ("user",), "bearer": ("token",), "header": ("token",),
    "query": ("token",), "oauth2": ("client_id", "client_secret"),
}  # fmt: skip
_LABELS = {option.name: option.label for option in CREDENTIALS}
_SECRET = ("password", "token", "client_secret")
_TOKEN_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # RFC 9110 §5.6.2
_EARLY = timedelta(seconds=60)  # a token that ends this soon is renewed
_USUAL_LIFE = 3600  # seconds, where a service names none
_SHORTEST = 6  # characters of a secret that can be told from ordinary text


def check(options: Mapping[str, Any]) -> None:
    """Raise `Misconfigured` for what is missing to log in this way."""
    login, name = options["login"], str(options["login_name"]).strip()
    if login in ("header", "query") and not _TOKEN_NAME.fullmatch(name):
        kind = "header" if login == "header" else "parameter"
        raise Misconfigured(f"Name the {kind} that carries the key.", option="login_name")
    if login == "oauth2" and not options["token_url"]:
        raise Misconfigured("Give the address that hands out tokens.", option="token_url")


class Login:
    """One source's way to log in, for one fetch."""

    def __init__(self, request: Fetch) -> None:
        self._request = request
        self._kind = request.options["login"]
        self._name = str(request.options["login_name"]).strip()
        self._token = ""
        self.memory: dict[str, Any] | None = None  # to be told at the next fetch
        self.requests = 0  # sent for tokens
        missing = [name for name in _NEEDS[self._kind] if not request.credentials.get(name)]
        if missing:
            raise Misconfigured(f"“{_LABELS[missing[0]]}” is missing in the credentials.")

    @property
    def parameter(self) -> str:
        """The query parameter that carries a secret, "" for none."""
        return self._name if self._kind == "query" else ""

    def query(self) -> dict[str, str]:
        """The parameters to add to a request's address, and to nothing else."""
        return {self._name: self._credential("token")} if self._kind == "query" else {}

    async def headers(self, http: Client) -> dict[str, str]:
        """The secret headers of a request; asks for a token when there is none that holds."""
        if self._kind == "basic":
            return {"Authorization": basic(self._credential("user"), self._credential("password"))}
        if self._kind == "bearer":
            return {"Authorization": f"Bearer {self._credential('token')}"}
        if self._kind == "header":
            return {self._name: self._credential("token")}
        if self._kind == "oauth2":
            self._token = self._token or self._remembered() or await self._new_token(http)
            return {"Authorization": f"Bearer {self._token}"}
        return {}

    def forget(self) -> bool:
        """Drop a token that was refused; whether a new one may be asked for (once a fetch)."""
        if self._kind != "oauth2" or self.requests:
            return False
        self._request = replace(self._request, memory={})
        self._token = ""
        return True

    def scrubbed(self, body: bytes) -> bytes:
        """An answer without our secrets: some services repeat the key in their links."""
        for secret in (*map(self._credential, _SECRET), self._token):
            if len(secret) >= _SHORTEST:
                for spelling in _spellings(secret):
                    body = body.replace(spelling, b"***")
        return body

    def _credential(self, name: str) -> str:
        return str(self._request.credentials.get(name) or "")

    def _remembered(self) -> str:
        known, now = self._request.memory, self._request.now or datetime.now(UTC)
        token, ends = known.get("token"), known.get("ends")
        if known.get("for") != self._whose() or not isinstance(token, str):
            return ""
        holds = isinstance(ends, int | float) and ends > (now + _EARLY).timestamp()
        return token if holds else ""

    def _whose(self) -> str:
        """Changed credentials make an old token void."""
        told = (
            self._request.options["token_url"], self._request.options["scope"],
            self._credential("client_id"), self._credential("client_secret"),
        )  # fmt: skip
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    async def _new_token(self, http: Client) -> str:
        """RFC 6749 §4.4: client credentials in the header, else (§2.3.1) in the body."""
        client, secret = self._credential("client_id"), self._credential("client_secret")
        form = {"grant_type": "client_credentials"}
        if scope := str(self._request.options["scope"]).strip():
            form["scope"] = scope
        url = self._request.options["token_url"]
        in_header = {"Authorization": basic(quote_plus(client), quote_plus(secret))}
        answer = await http.post(url, form=form, secret_headers=in_header)
        self.requests += 1
        if answer.status in (400, 401):
            login = {"client_id": client, "client_secret": secret}
            answer = await http.post(url, form={**form, **login})
            self.requests += 1
        if answer.status in (400, 401, 403):
            raise Denied(
                f"The token address refuses the client id and secret ({answer.status}).",
                status=answer.status,
            )
        body = must_be_ok(answer, "The token address").json()
        token = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(token, str) or not token:
            raise NotAFeed("The token address answers without an access_token.")
        self._remember(token, body.get("expires_in"))
        return token

    def _remember(self, token: str, seconds: Any) -> None:
        now = self._request.now or datetime.now(UTC)
        try:
            life = min(max(float(seconds), 0.0), 30 * 86400.0)
        except (TypeError, ValueError):
            life = _USUAL_LIFE
        self.memory = {"token": token, "ends": now.timestamp() + life, "for": self._whose()}


def basic(user: str, password: str) -> str:
    """The Authorization header of RFC 7617."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _spellings(secret: str) -> Iterable[bytes]:
    """As it is, in an address, and in JSON."""
    found = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
    found |= {json.dumps(secret)[1:-1], json.dumps(secret)[1:-1].replace("/", "\\/")}
    return sorted((each.encode() for each in found), key=len, reverse=True)
