"""LinkedIn's REST API: asking it, reading its answers, its tokens and its pictures.

https://learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/error-handling
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from config.outbound import Client, Response
from publishing.document import Picture
from publishing.errors import Expired, Reauthorise, Unknown, Wait
from publishing.platforms.base import must_be_ok
from publishing.platforms.pictures import MIB, fetched
from publishing.platforms.reading import complaint, lifetime, mapping, member, members, text
from publishing.post import Job, Renewed

NAME = "LinkedIn"
VERSION = "202610"
_LASTS = timedelta(days=60)  # where the token endpoint doesn't say
_LARGEST_PICTURE = 8 * MIB


async def ask(job: Job, http: Client, method: str, path: str, **more: Any) -> Response:
    """What LinkedIn answers, whatever it is; `path` such as “/rest/posts”.

    Raises `Reauthorise` for a channel that was never connected.
    """
    token = str(job.credentials.get("token") or "")
    if not token:
        raise Reauthorise("This channel is not connected to LinkedIn yet: press Connect.")
    headers = {
        "LinkedIn-Version": str(job.options.get("version") or VERSION),
        "X-Restli-Protocol-Version": "2.0.0",
        **more.pop("headers", {}),
    }
    return await http.request(
        method,
        server(job.options) + path,
        headers=headers,
        secret_headers={"Authorization": f"Bearer {token}"},
        **more,
    )


def read(answer: Response, job: Job) -> Response:
    """The answer if it is a success; else what its status and code stand for."""
    if answer.ok:
        return answer
    body = complaint(answer) if answer.status < 500 else {}
    code, said = text(body, "code"), " ".join(text(body, "message").split())[:300]
    words = f"LinkedIn answered {answer.status}: {said or code or 'it does not say why'}"
    about: dict[str, Any] = {"status": answer.status, "excerpt": answer.text()[:1000]}
    match answer.status:
        case 401:
            # REVOKED_ACCESS_TOKEN and INVALID_ACCESS_TOKEN can't be mended by a renewal.
            if code == "EXPIRED_ACCESS_TOKEN" and job.credentials.get("refresh_token"):
                raise Expired(words, **about)
            raise Reauthorise(f"{words} Connect the channel anew.", **about)
        case 403:
            raise Reauthorise(
                f"{words} The application or the person lacks a permission; see “Access” on the "
                "channel's page.",
                **about,
            )
        case 426:
            # Nothing goes out until somebody has changed it, so the channel waits as a whole.
            raise Reauthorise(
                f"{words} LinkedIn drops versions after a year: set “API version” on the channel's "
                "page to a newer month, such as last month's.",
                **about,
            )
        case 429:
            raise Wait(words, seconds=_until_free(answer, said), **about)
    return must_be_ok(answer, NAME)


async def uploaded(job: Job, http: Client, picture: Picture, author: str) -> str:
    """The URN of a picture that no post shows yet.

    https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/images-api
    """
    file = await fetched(picture, http, max_bytes=_LARGEST_PICTURE)
    answer = await ask(
        job, http, "POST", "/rest/images?action=initializeUpload",
        json={"initializeUploadRequest": {"owner": author}},
    )  # fmt: skip
    place = member(mapping(read(answer, job), NAME), "value")
    where, urn = text(place, "uploadUrl"), text(place, "image")
    if not (where and urn.startswith("urn:li:")):
        raise Unknown("LinkedIn does not say where to upload a picture.", status=answer.status)
    token = {"Authorization": f"Bearer {job.credentials['token']}"}
    put = await http.request(
        "PUT", where, content=file.content, headers={"Content-Type": file.content_type},
        secret_headers=token,
    )  # fmt: skip
    read(put, job)
    return urn


async def role(job: Job, http: Client, organization: str) -> str:
    """A sentence about the person's role there; `Reauthorise` if they have none that may post.

    https://learn.microsoft.com/en-us/linkedin/marketing/community-management/organizations/organization-access-control-by-role
    """
    params = {"q": "roleAssignee", "state": "APPROVED"}
    answer = await ask(job, http, "GET", "/rest/organizationAcls", params=params)
    for each in members(mapping(read(answer, job), NAME), "elements"):
        if organization in (text(each, "organization"), text(each, "organizationTarget")):
            return f"Connected to {organization} as {text(each, 'role').lower()}."
    raise Reauthorise(f"The person who connected has no role on the page of {organization}.")


def tokens_of(body: Mapping[str, Any]) -> Renewed:
    """Credentials, and their end, out of what the token endpoint says."""
    ends = datetime.now(UTC) + (lifetime(body, "expires_in") or _LASTS)
    if not text(body, "access_token"):
        raise Wait("LinkedIn's answer holds no token.")
    return Renewed(
        {
            "token": text(body, "access_token"),
            "refresh_token": text(body, "refresh_token"),
            "token_ends": ends.isoformat(),
        },
        ends,
    )


def not_renewed(credentials: Mapping[str, Any]) -> Wait | Reauthorise:
    """What it means that a token can't be renewed: nothing yet while it holds."""
    try:
        ends = datetime.fromisoformat(str(credentials.get("token_ends")))
    except ValueError:
        return Reauthorise("This channel is not connected to LinkedIn yet: press Connect.")
    words = f"LinkedIn does not renew this token, which ends on {ends:%d %B %Y}: connect anew."
    return Wait(words) if ends > datetime.now(UTC) else Reauthorise(words)


def server(options: Mapping[str, Any]) -> str:
    """Where the API is."""
    return str(options.get("url") or "https://api.linkedin.com").rstrip("/")


def _until_free(answer: Response, said: str) -> float | None:
    """Seconds to wait: daily limits begin anew at midnight UTC.

    https://learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/rate-limits
    """
    if answer.retry_after is not None or "DAY" not in said:
        return answer.retry_after
    now = answer.http_date or datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return (midnight - now).total_seconds()
