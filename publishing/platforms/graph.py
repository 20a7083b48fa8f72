"""Meta's Graph API, which Threads and Facebook share: asking it, and reading its answers.

https://developers.facebook.com/docs/graph-api/guides/error-handling. The number in the body counts,
not the HTTP status: an expired token is a 400 more often than a 401, a used-up limit is a 400 or
403. A 500 with “please retry” has been seen though the post was made (arsduo/koala#699), so that is
`Unknown` to whoever writes.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn

from config.outbound import Client, Response
from publishing.errors import PlatformError, Reauthorise, Refusal, Unknown, Wait
from publishing.platforms.base import must_be_ok
from publishing.platforms.reading import complaint, count, member, members, text

_TOKEN = (102, 190)  # API session, access token expired
_LIMITS = (4, 17, 32, 341, 368, 613, 80001)
"""Too many calls by the application, the user or the page, too many posts, blocked for a while.

https://developers.facebook.com/docs/graph-api/overview/rate-limiting#error-codes
"""
_HICCUPS = (1, 2)  # API unknown, API service: “wait and retry”, and the work may be done
_NOT_ALLOWED = (3, 10)  # and 200 to 299
_MISSING = ((100, 33), (24, 4279009), (10, 33))  # code and subcode of a thing that isn't there
_USAGE = ("x-business-use-case-usage", "x-app-usage", "x-page-usage")
_LONGEST_WAIT = 24 * 3600.0


class Missing(Refusal):
    """What was asked for isn't there, or not for this token."""


async def ask(
    http: Client, method: str, url: str, token: str, platform: str, **more: Any
) -> Response:
    """The API's answer; the token goes in a header, so into no log. Raises what `read` raises."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return read(await http.request(method, url, secret_headers=headers, **more), platform)


def read(answer: Response, platform: str) -> Response:
    """The answer if it is a success; a body with an error in it is none, whatever its status.

    Raises `Missing` (a `Refusal`), `Refusal`, `Wait`, `Reauthorise` or `Unknown`.
    """
    if error := member(complaint(answer), "error"):
        _raise(error, answer, platform)
    return must_be_ok(answer, platform)


def code_of(problem: PlatformError) -> int | None:
    """The number of the error that a `PlatformError` from here was raised for, if it had one."""
    try:
        body = json.loads(problem.excerpt)
    except ValueError:  # cut off, or never JSON
        return None
    return count(member(body, "error"), "code") if isinstance(body, dict) else None


def request_id(answer: Response) -> str:
    """Meta's own number of our request."""
    found = answer.headers.get("x-fb-trace-id") or answer.headers.get("x-fb-request-id") or ""
    return found[:200]


def total(body: Mapping[str, Any], edge: str) -> int | None:
    """`summary.total_count` of an edge such as comments; None where the API doesn't say."""
    return count(member(member(body, edge), "summary"), "total_count")


def metrics(body: Mapping[str, Any]) -> dict[str, int]:
    """Insights by their name: the first value of each, or its total."""
    found = {}
    for each in members(body, "data"):
        values = members(each, "values")
        value = count(values[0], "value") if values else count(member(each, "total_value"), "value")
        if value is not None:
            found[text(each, "name")] = value
    return found


def moment(words: str) -> datetime | None:
    """A time as the API writes it (2026-11-23T08:30:00+0000); None for anything else."""
    try:
        found = datetime.fromisoformat(words)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _raise(error: Mapping[str, Any], answer: Response, platform: str) -> NoReturn:
    code, subcode = count(error, "code"), count(error, "error_subcode")
    said = text(error, "error_user_msg") or text(error, "message")
    words = f"{platform} answered {code or answer.status}: {' '.join(said.split())[:300]}"
    about: dict[str, Any] = {"status": answer.status, "excerpt": answer.text()[:1000]}
    if code in _TOKEN:
        raise Reauthorise(f"{words} Connect the channel anew.", **about)
    if code in _LIMITS or answer.status == 429:
        raise Wait(words, seconds=_until_free(answer), **about)
    if (code, subcode) in _MISSING:
        raise Missing(words, **about)
    if code in _HICCUPS or answer.status >= 500:
        raise Unknown(words, **about)
    if error.get("is_transient") is True:
        raise Wait(words, seconds=answer.retry_after, **about)
    if code in _NOT_ALLOWED or (code is not None and 200 <= code < 300):
        raise Reauthorise(
            f"{words} The application or the person lacks a permission; see the channel's page.",
            **about,
        )
    if code is None and answer.status == 401:
        raise Reauthorise(f"{words} Connect the channel anew.", **about)
    raise Refusal(words, **about)


def _until_free(answer: Response) -> float | None:
    """Seconds until the API is open again: Retry-After, else the usage headers (in minutes).

    They hold JSON: {"<business id>": [{"estimated_time_to_regain_access": 19, …}]}.
    """
    if answer.retry_after is not None:
        return answer.retry_after
    longest = 0
    for name in _USAGE:
        try:
            usage = json.loads(answer.headers.get(name, "") or "{}")
        except ValueError:
            continue
        for each in _objects(usage):
            longest = max(longest, count(each, "estimated_time_to_regain_access") or 0)
    return min(longest * 60.0, _LONGEST_WAIT) or None


def _objects(usage: Any) -> list[dict[str, Any]]:
    if not isinstance(usage, dict):
        return []
    return [usage, *(each for name in usage for each in members(usage, name))]
