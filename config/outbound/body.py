"""Reading a body without believing it: counted raw, inflated in bounded steps."""

import zlib
from collections.abc import AsyncIterable

from config.outbound.errors import BadBody, TooLarge

ACCEPT_ENCODING = "gzip"  # the only coding offered, because its output can be bounded here
_GZIP = 16 + zlib.MAX_WBITS
_STEP = 64 * 1024


async def read_body(
    chunks: AsyncIterable[bytes], *, coding: str, length: str, max_bytes: int, host: str
) -> bytes:
    """The decoded body.

    ``coding`` and ``length`` are the reply's Content-Encoding and Content-Length. Raises
    `TooLarge` as soon as raw or decoded bytes pass ``max_bytes``, `BadBody` for any coding
    other than gzip and for gzip that is broken or cut short.
    """
    coding = coding.strip().lower()
    inflate = coding in ("gzip", "x-gzip")
    if not inflate and coding not in ("", "identity"):
        raise BadBody(f"{host} answered in an encoding that was not asked for ({coding[:40]}).")
    if length.isascii() and length.isdigit() and int(length[:18]) > max_bytes:
        raise _too_large(host, max_bytes)

    gunzip = _Gunzip(host, max_bytes)
    body = bytearray()
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        body += gunzip.feed(chunk) if inflate else chunk
        if max(received, len(body)) > max_bytes:
            raise _too_large(host, max_bytes)
    if inflate and received:
        gunzip.finish()
    return bytes(body)


class _Gunzip:
    """A gzip stream, possibly of several members, whose total output has a limit."""

    def __init__(self, host: str, max_bytes: int) -> None:
        self._host = host
        self._max_bytes = max_bytes
        self._written = 0
        self._member = zlib.decompressobj(_GZIP)

    def feed(self, data: bytes) -> bytearray:
        """What ``data`` adds; stops soon after the limit, whatever is still to come."""
        out = bytearray()
        while data and self._written <= self._max_bytes:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            try:
                piece = self._member.decompress(data, _STEP)
            except zlib.error as error:
                raise BadBody(f"The compressed answer of {self._host} is broken.") from error
            self._written += len(piece)
            out += piece
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        return out

    def finish(self) -> None:
        """Raise `BadBody` if the stream ended in the middle of a member."""
        if not self._member.eof:
            raise BadBody(f"The compressed answer of {self._host} is cut short.")


def _too_large(host: str, max_bytes: int) -> TooLarge:
    return TooLarge(f"The answer of {host} is larger than the {max_bytes:,} bytes allowed.")
