"""How X answers, and what each answer means.

https://docs.x.com/x-api/fundamentals/response-codes-and-errors and …/rate-limits. An answer of
status 200 may hold errors and no data.
"""

import base64
import html
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from config.outbound import Client, Response
from publishing.errors import Expired, Reauthorise, Refusal, Wait
from publishing.platforms.base import must_be_ok
from publishing.platforms.reading import complaint, mapping, member, members, text
from publishing.post import Job

NAME = "X"
_PROBLEMS = "/2/problems/"
_SHUT = ("client-forbidden", "oauth1-permissions", "unsupported-authentication")
_WINDOWS = ("x-user-limit-24hour", "x-app-limit-24hour", "x-rate-limit")
_LONGEST = 86_400.0  # seconds to wait, whatever is said


async def ask(job: Job, http: Client, method: str, path: str, **more: Any) -> Response:
    """One call as the connected account. Raises `Expired` before the first visit."""
    token = job.credentials.get("token")
    if not token:
        raise Expired("There is no session with X yet.")
    where = str(job.options.get("url") or "https://api.x.com").rstrip("/")
    return await http.request(
        method, where + path, secret_headers={"Authorization": f"Bearer {token}"}, **more
    )


def read(answer: Response, *, missing: bool = False) -> Response:
    """The answer if it is a success; else the error that it stands for.

    With `missing` an answer without data is fine where X says that there is no such post.
    """
    said = complaint(answer)
    about: dict[str, Any] = {"status": answer.status, "excerpt": answer.text()[:1000]}
    words = f"X answered {answer.status}: {_words(said)}"
    if answer.ok:
        errors = members(said, "errors")
        if not errors or member(said, "data"):
            return answer
        if missing and all(_kind(each) == "resource-not-found" for each in errors):
            return answer
        raise Refusal(words, **about)
    kind = _kind(said)
    match answer.status:
        case 401:
            raise Expired("The session with X has run out.", **about)
        case 402:
            raise Reauthorise("X is out of credits: buy some on console.x.com.", **about)
        case 403 if kind in _SHUT or "enrolled" in _words(said).lower():
            raise Reauthorise(f"{words} Look at the app's access on console.x.com.", **about)
        case 403:
            raise Refusal(words, **about)
        case 429 if kind == "usage-capped":
            raise Reauthorise(
                f"{words} The plan's cap is reached: raise it on console.x.com, or wait for the "
                "next month.",
                **about,
            )
        case 429:
            raise Wait("X asks for patience.", seconds=_until_reset(answer), **about)
    return must_be_ok(answer, NAME)


def read_token(answer: Response) -> dict[str, Any]:
    """What the token endpoint says; `Reauthorise` where it renews no more (400, RFC 6749 §5.2)."""
    if answer.status in (400, 401):
        words = text(complaint(answer), "error_description")
        raise Reauthorise(
            f"X does not renew this token: connect anew. {words}".strip(), status=answer.status
        )
    return mapping(must_be_ok(answer, NAME), NAME)


def is_duplicate(answer: Response) -> bool:
    """Whether a 403 says that the account has posted this text already."""
    return answer.status == 403 and "duplicate content" in _words(complaint(answer)).lower()


def basic(credentials: Mapping[str, Any]) -> dict[str, str]:
    """The header of an app with a secret; none for one without."""
    if not credentials.get("client_secret"):
        return {}
    pair = f"{credentials.get('client_id', '')}:{credentials['client_secret']}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def expanded(there: Mapping[str, Any]) -> str:
    """A post's text as it was sent: X puts t.co addresses into it, and one for its pictures."""
    long = member(there, "note_tweet")
    words = html.unescape(text(long, "text") or text(there, "text"))
    for each in members(member(long or there, "entities"), "urls"):
        short, meant = text(each, "url"), text(each, "expanded_url")
        if short:
            words = words.replace(short, "" if text(each, "media_key") else meant)
    return words.strip()


def _words(said: Mapping[str, Any]) -> str:
    """X's own words: of the problem, else of the errors in it."""
    found = [text(said, "detail") or text(said, "title")]
    found += [text(each, "detail") or text(each, "message") for each in members(said, "errors")]
    return " ".join(dict.fromkeys(filter(None, found)))[:500] or "It does not say why."


def _kind(said: Mapping[str, Any]) -> str:
    """The last part of a problem's type, such as usage-capped."""
    return text(said, "type").rpartition(_PROBLEMS)[2]


def _until_reset(answer: Response) -> float | None:
    """Seconds until the window that is used up begins anew, by X's own clock."""
    if answer.retry_after is not None:
        return answer.retry_after
    now = (answer.http_date or datetime.now(UTC)).timestamp()
    resets = [
        reset
        for window in _WINDOWS
        if answer.headers.get(f"{window}-remaining") == "0"
        and (reset := _number(answer.headers.get(f"{window}-reset", "")))
    ] or [_number(answer.headers.get("x-rate-limit-reset", ""))]
    last = max(resets)
    return min(max(1.0, last - now), _LONGEST) if last else None


def _number(named: str) -> int:
    return int(named) if named.isascii() and named.isdigit() and len(named) < 12 else 0
