"""Every HTTP request that leaves the desk goes through here.

::

    async with outbound.Client(outbound.from_settings()) as client:
        reply = await client.get("https://example.org/feed", deadline=15)

What is promised: names are resolved once and the connection goes to an address that was judged;
private and special networks are refused unless allowed by CIDR; every redirect is judged anew;
``deadline`` is the total, from name look-up to last byte; at most ``max_bytes`` are ever decoded;
nothing is retried; proxy variables of the environment are ignored. Failures are `OutboundError`
(see `config.outbound.errors` for the tree).

`Client.websocket` opens a WebSocket by the same rules.

For adapters: you receive a `Client`, you return values; httpx stays in here.
"""

from config.outbound.client import Client
from config.outbound.errors import (
    BadBody,
    BadCertificate,
    NoAnswer,
    NoWebSocket,
    OutboundError,
    Refused,
    TooLarge,
    TooManyRedirects,
    Unreachable,
)
from config.outbound.policy import Policy, from_settings
from config.outbound.reply import Headers, Redirect, Response
from config.outbound.sdk import sdk_client
from config.outbound.websocket import WebSocket

__all__ = [
    "BadBody",
    "BadCertificate",
    "Client",
    "Headers",
    "NoAnswer",
    "NoWebSocket",
    "OutboundError",
    "Policy",
    "Redirect",
    "Refused",
    "Response",
    "TooLarge",
    "TooManyRedirects",
    "Unreachable",
    "WebSocket",
    "from_settings",
    "sdk_client",
]
