"""What can go wrong when the desk speaks to the outside, and what to do about it.

::

    OutboundError
    ├── Refused            our own rules say no: scheme, port, address, spelling
    ├── Unreachable        no name, no connection; nothing was sent
    │   └── BadCertificate the far end could not prove who it is
    ├── NoWebSocket        the far end answers in HTTP where a WebSocket was asked for
    ├── NoAnswer           bytes may have left, no usable answer came back
    ├── TooLarge           the answer is bigger than the caller allowed
    ├── BadBody            the answer can't be decoded, or is not the JSON it should be
    └── TooManyRedirects   the far end kept sending us elsewhere

Two questions decide what a caller does next. ``permanent``: asking again won't help until a
person changes something. ``maybe_sent``: the far end may have acted on the request, so sending
it again may do it twice. The text is a sentence for an editor; it names the host and never the
path, the query or a header, which may hold secrets.
"""


class OutboundError(Exception):
    """A request from here that brought no usable answer."""

    permanent = False
    maybe_sent = False

    def __init__(self, sentence: str, *, maybe_sent: bool | None = None) -> None:
        super().__init__(sentence)
        if maybe_sent is not None:
            self.maybe_sent = maybe_sent


class Refused(OutboundError):
    """Not allowed from here. After a redirect, an earlier hop may have received the request."""

    permanent = True


class Unreachable(OutboundError):
    """The name is unknown or nobody accepted the connection. Worth another try later."""


class BadCertificate(Unreachable):
    """The TLS certificate is expired, for another name, or signed by nobody we know."""


class NoWebSocket(OutboundError):
    """No WebSocket was opened; nothing was sent through it. `status` is of the HTTP answer."""

    def __init__(self, host: str, status: int | None = None) -> None:
        said = "answered with something that is no WebSocket"
        if status is not None:
            said = f"opens no WebSocket at this address (it answered {status})"
        super().__init__(f"{host} {said}.")
        self.status = status
        self.permanent = status is not None and status < 500 and status not in (408, 425, 429)


class NoAnswer(OutboundError):
    """The connection broke, the deadline passed, or what came back was not HTTP."""

    maybe_sent = True


class TooLarge(OutboundError):
    """Reading stopped at the caller's limit; nothing of the body is kept."""

    permanent = True
    maybe_sent = True


class BadBody(OutboundError):
    """The body's encoding or its JSON is broken."""

    maybe_sent = True


class TooManyRedirects(OutboundError):
    """More hops than the policy allows, usually a loop."""

    permanent = True
    maybe_sent = True
