"""How far a request got, and what its failures mean: the HTTP library's errors as ours."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpcore

from config.outbound.errors import (
    BadCertificate,
    NoAnswer,
    OutboundError,
    Refused,
    TooLarge,
    Unreachable,
)


class Progress:
    """How far a request got: decides whether the far end may have acted on it."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.sent = False

    async def note(self, event: str, _info: Mapping[str, Any]) -> None:
        """Called by httpcore before and after each step (its ``trace`` extension)."""
        if event == "http11.send_request_headers.started":
            self.sent = True

    def out_of_time(self, deadline: float) -> OutboundError:
        if self.sent:
            return NoAnswer(f"{self.host} did not answer completely within {deadline:g} seconds.")
        return Unreachable(f"{self.host} could not be reached within {deadline:g} seconds.")


@contextmanager
def translated(host: str, progress: Progress) -> Iterator[None]:
    """httpcore's errors as ours."""
    try:
        yield
    except httpcore.LocalProtocolError as error:
        raise Refused(f"The request to {host} is not valid HTTP: {error}") from error
    except httpcore.RemoteProtocolError as error:
        if any(getattr(cause, "error_status_hint", 0) == 431 for cause in _causes(error)):  # h11's
            raise TooLarge(f"{host} answered with headers of more than 100 KiB.") from error
        raise NoAnswer(f"{host} broke off or answered with something that is not HTTP.") from error
    except (httpcore.NetworkError, httpcore.TimeoutException) as error:
        if progress.sent and not isinstance(error, httpcore.ConnectError | httpcore.ConnectTimeout):
            raise NoAnswer(f"The connection to {host} broke before an answer came.") from error
        raise _no_connection(host, error) from error


def _no_connection(host: str, error: BaseException) -> Unreachable:
    """TCP failures are named where they happen; what is left here is the TLS handshake."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return BadCertificate(
                f"The certificate of {host} is not valid: {cause.verify_message.rstrip('.')}."
            )
    return Unreachable(f"No secure connection to {host} could be made.")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What led to the error. httpcore re-raises "from None", which leaves the context only."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
