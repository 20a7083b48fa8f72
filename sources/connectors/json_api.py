"""Any service that answers with JSON: JMESPath finds the list of pieces and each field.

https://jmespath.org · paging by number, offset, cursor or Link header (RFC 8288) · login by
header, query key or OAuth 2 client credentials (RFC 6749 §4.4).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from config.outbound import Client, Response
from sources.connectors import json_login, json_mapping, json_paging
from sources.connectors.answers import conditions, fresh_for, host_of, unchanged, validator
from sources.connectors.base import (
    Connector,
    Fetch,
    Fetched,
    Option,
    Pace,
    Payload,
    must_be_ok,
)
from sources.connectors.json_login import Login
from sources.connectors.json_mapping import MOST_PIECES, JsonMapping, Mapped
from sources.connectors.json_paging import Page, Paging, with_parameters, without_parameter
from sources.connectors.json_paths import MOST_BYTES, BadDocument, read_json
from sources.errors import Denied, Misconfigured, NotAFeed

_MOST_PAGES = 20
_ADDED = "Added to each request"
_HEADER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]{1,100})\s*:\s*(.{0,1000})")
_PARAMETER = re.compile(r"([^=\s]{1,100})\s*=\s*(.{0,1000})")
_CREDENTIAL_HEADERS = ("authorization", "cookie", "proxy-authorization", "x-api-key")


class JsonApi(Connector):
    """The pieces of a JSON service, found by expressions."""

    key = "json_api"
    label = "JSON API"
    help = (
        "Enter the address that answers with JSON, and say where in it things are, as JMESPath "
        "(jmespath.org): data.items[*] is a list, fields.headline a field of each piece. Paste "
        "the address under “Add source” to have the fields guessed. Keys belong into the "
        "credentials below, never into the address."
    )
    options = (
        *json_mapping.OPTIONS,
        *json_paging.OPTIONS,
        *json_login.OPTIONS,
        Option(
            "headers", "More headers", "lines", group=_ADDED,
            help="One a line: Accept-Language: de",
        ),
        Option(
            "parameters", "More parameters", "lines", group=_ADDED,
            help="One a line: section=world",
        ),
    )  # fmt: skip
    credentials = json_login.CREDENTIALS

    def check(self, options: Mapping[str, Any]) -> None:
        """Compile every expression; raise `Misconfigured` at the option that is wrong."""
        JsonMapping(options)
        Paging(options)
        json_login.check(options)
        _headers(options)
        _parameters(options)

    async def fetch(self, request: Fetch, http: Client) -> Fetched:
        """The pieces of the first pages."""
        return await _Reading(request, http).pages("", request.options["pages"])

    async def older(self, request: Fetch, http: Client, cursor: str) -> Fetched:
        """The page at a position that a former answer gave."""
        return await _Reading(request, http).pages(cursor, 1)

    def read_again(self, request: Fetch, payloads: Sequence[Payload]) -> Fetched:
        """The pieces of archived answers."""
        mapping = JsonMapping(request.options)
        pages = [_read(mapping, _document(each), each) for each in payloads]
        return _fetched(pages, payloads)


class _Reading:
    """One fetch: at most so many pages, and so many requests."""

    def __init__(self, request: Fetch, http: Client) -> None:
        self._request, self._http = request, http
        self._mapping, self._paging = JsonMapping(request.options), Paging(request.options)
        json_login.check(request.options)
        self._login = Login(request)
        self._headers = {"Accept": "application/json", **_headers(request.options)}
        self._endpoint = with_parameters(request.endpoint, _parameters(request.options))
        self._who = host_of(request.endpoint)
        self._sent = 0

    async def pages(self, position: str, most: int) -> Fetched:
        """From `position` on. A 304 to the first request means that nothing is new."""
        whole = not position
        read: list[Mapped] = []
        payloads: list[Payload] = []
        about: dict[str, Any] = {}
        for _ in range(max(1, min(most, _MOST_PAGES))):
            answer = await self._ask(position, conditional=whole and not read)
            if answer.status == 304:
                return replace(unchanged(answer), memory=self._login.memory)
            if not read:
                about = _about(answer)
            payloads.append(self._payload(answer))
            document = _document(payloads[-1])
            read.append(_read(self._mapping, document, payloads[-1]))
            page = Page(document, payloads[-1].url, answer.headers.get_all("link"), read[-1].found)
            position = self._paging.after(position, page)
            enough = sum(len(each.copies) for each in read) >= MOST_PIECES
            if not position or enough or self._used >= self._request.requests:
                break
        return _fetched(read, payloads, older=position, memory=self._login.memory, **about)

    async def _ask(self, position: str, *, conditional: bool) -> Response:
        asked = conditions(self._request) if conditional else {}
        answer = await self._once(position, asked)
        if answer.status == 401 and self._login.forget():
            answer = await self._once(position, asked)
        if answer.status in (401, 403) and self._login.parameter:
            raise Denied(f"{self._who} refuses the key ({answer.status}).", status=answer.status)
        return must_be_ok(answer, self._who, conditional=bool(asked))

    async def _once(self, position: str, asked: Mapping[str, str]) -> Response:
        secrets = await self._login.headers(self._http)
        self._sent += 1
        page = self._paging.address(self._endpoint, position)
        return await self._http.get(
            with_parameters(page, self._login.query()),
            headers={**self._headers, **asked},
            secret_headers=secrets,
            max_bytes=MOST_BYTES,
        )

    def _payload(self, answer: Response) -> Payload:
        """What came, without our key: neither in its address nor in its text."""
        url = answer.url
        if self._login.parameter:
            url = without_parameter(url, self._login.parameter)
        headers = tuple(
            (name, self._login.scrubbed(answer.headers[name].encode()).decode())
            for name in answer.headers
        )
        return Payload(url, answer.status, headers, self._login.scrubbed(answer.body))

    @property
    def _used(self) -> int:
        return self._sent + self._login.requests


def _document(payload: Payload) -> Any:
    try:
        return read_json(payload.body)
    except BadDocument as problem:
        raise NotAFeed(str(problem), status=payload.status, payload=payload) from None


def _read(mapping: JsonMapping, document: Any, payload: Payload) -> Mapped:
    try:
        return mapping.read(document, payload.url)
    except NotAFeed as problem:
        problem.status, problem.payload = payload.status, payload
        raise


def _fetched(read: Sequence[Mapped], payloads: Sequence[Payload], **more: Any) -> Fetched:
    copies = {copy.external_id: copy for page in reversed(read) for copy in reversed(page.copies)}
    warnings = dict.fromkeys(words for page in read for words in page.warnings)
    return Fetched(
        copies=tuple(reversed(copies.values()))[:MOST_PIECES],
        http_status=payloads[0].status if payloads else None,
        bytes=sum(len(each.body) for each in payloads),
        warnings=tuple(warnings),
        payloads=tuple(payloads),
        **more,
    )


def _about(answer: Response) -> dict[str, Any]:
    return {
        "etag": validator(answer, "etag"),
        "last_modified": validator(answer, "last-modified"),
        "wait": answer.retry_after,
        "pace": Pace(fresh_for=fresh_for(answer)),
    }


def _headers(options: Mapping[str, Any]) -> dict[str, str]:
    found = _lines(options, "headers", _HEADER, "Accept-Language: de")
    secret = next((name for name in found if name.lower() in _CREDENTIAL_HEADERS), None)
    if secret:
        raise Misconfigured(
            f"{secret} is a credential: choose a login above and enter it there, where it is "
            "stored encrypted.",
            option="headers",
        )
    return found


def _parameters(options: Mapping[str, Any]) -> dict[str, str]:
    return _lines(options, "parameters", _PARAMETER, "section=world")


def _lines(
    options: Mapping[str, Any], option: str, form: re.Pattern[str], example: str
) -> dict[str, str]:
    found = {}
    for number, line in enumerate(str(options[option]).splitlines(), 1):
        if not line.strip():
            continue
        match = form.fullmatch(line.strip())
        if match is None:
            raise Misconfigured(f"Line {number} is not of the form {example}", option=option)
        found[match[1]] = match[2].strip()
    return found
