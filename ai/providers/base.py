"""The contract of a provider: a request goes in, a completion comes out.

A provider knows no article, no database and no settings. It gets its account when it is made and
the desk's HTTP client when it is asked, asks once, and never tries again by itself. What can go
wrong::

    ProviderError            the root; its text is a sentence for an editor
    ├── Unavailable          temporary: unreachable, overloaded, late, broke off
    │   └── RateLimited      temporary: asked too often; `retry_after` if the provider said when
    ├── Rejected             permanent: the provider does not take the request as it is
    │   ├── BadKey           the key is wrong or lacks the right
    │   └── QuotaSpent       the account has no money or allowance left
    ├── Declined             permanent: the model or its filter will not answer this
    └── Unusable             permanent: an answer that can't be used
        └── Truncated        it was cut off, at its end or already at its beginning

No error holds the key, and none is chained to an SDK's exception: those carry the request with
its headers.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

from config.outbound import BadBody, Client, OutboundError


@dataclass(frozen=True, slots=True)
class Passage:
    """One text to work on."""

    source: str  # who says it: the name of a source
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Request:
    """One question."""

    task: str  # summary, article or analysis
    system: str  # the instructions
    prompt: str  # the material, fenced
    max_tokens: int  # of the answer
    passages: tuple[Passage, ...] = ()  # the same material for a provider that reads no prompt
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """A complete answer. One that was cut off is an error instead."""

    text: str
    model: str  # as the provider names what it used
    input_tokens: int | None = None  # all of them, cached ones included; None: not told
    output_tokens: int | None = None
    finish: str = ""  # the provider's own word for how it ended
    request_id: str = ""  # to ask the provider about it


@dataclass(frozen=True, slots=True)
class Account:
    """How this installation reaches a provider."""

    model: str = ""
    base_url: str = ""
    api_key: str = field(default="", repr=False)


class Provider(Protocol):
    """One provider. Add it to the table in `ai.providers`."""

    label: ClassVar[str]  # in the console
    needs: ClassVar[Literal["", "api_key", "base_url"]]  # without it the provider isn't offered
    at_home: ClassVar[bool]  # runs on our own machines: nothing leaves, nothing is charged
    deadline: ClassVar[float]  # seconds, for the whole call

    def __init__(self, account: Account) -> None: ...

    async def complete(self, request: Request, http: Client) -> Completion:
        """Ask once. Raises `ProviderError`; only a clean finish returns."""
        ...


class ProviderError(Exception):
    """No completion. The text says why, to an editor."""

    permanent = True

    def __init__(self, sentence: str, *, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after  # seconds the provider asks us to wait


class Unavailable(ProviderError):
    """The provider can't answer now. Later it may."""

    permanent = False


class RateLimited(Unavailable):
    """Asked too often."""


class Rejected(ProviderError):
    """The request is not taken as it is; a person has to change something."""


class BadKey(Rejected):
    """The key is wrong, revoked, or may not use this model."""


class QuotaSpent(Rejected):
    """The account's money or allowance is used up."""


class Declined(ProviderError):
    """The model or the provider's filter refuses to answer."""


class Unusable(ProviderError):
    """What came back is no answer."""


class Truncated(Unusable):
    """What came back is part of an answer, or an answer to part of the question."""


def error_for_status(who: str, status: int, *, code: str = "", wait: str = "") -> ProviderError:
    """The error for an HTTP status, with the provider's own `code` where it gave one.

    `wait` is the Retry-After header. Only short machine words of `code` are shown: providers
    quote parts of the key in their messages.
    """
    said = f" ({code})" if code.isascii() and code.isidentifier() and len(code) <= 60 else ""
    if status in (401, 403):
        return BadKey(f"{who} does not accept the key{said}. An administrator should check it.")
    if status == 402 or code in ("insufficient_quota", "billing_error"):
        return QuotaSpent(f"The account at {who} has no allowance left{said}.")
    if status == 429:
        return RateLimited(f"{who} is asked too often at the moment.", retry_after=_seconds(wait))
    if status in (408, 409) or status >= 500:
        return Unavailable(
            f"{who} could not answer just now (status {status}).", retry_after=_seconds(wait)
        )
    if status == 404:
        return Rejected(f"{who} does not know this model or address{said}.")
    return Rejected(f"{who} does not accept the request (status {status}){said}.")


def error_for_transport(who: str, error: BaseException) -> ProviderError:
    """The error for a call that brought no answer: what `config.outbound` says, wherever it hides.

    SDKs wrap the errors of their HTTP client, or let them through, or let a broken body out as
    the ValueError of the parser.
    """
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OutboundError):
        cause = cause.__cause__
    if isinstance(cause, BadBody):
        return Unusable(str(cause))
    if isinstance(cause, OutboundError):
        return (Rejected if cause.permanent else Unavailable)(str(cause))
    if isinstance(error, ValueError):
        return Unusable(f"What {who} answered is not what its API promises.")
    return Unavailable(f"The connection to {who} broke before an answer was complete.")


def _seconds(wait: str) -> float | None:
    return float(wait) if wait.isascii() and wait.isdigit() and len(wait) < 8 else None
