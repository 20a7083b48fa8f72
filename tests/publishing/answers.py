"""Answers as platforms give them."""

from config.outbound import Headers, Response


def answer(status: int, body: bytes = b"", **headers: str) -> Response:
    """An answer with a status, a body and header fields (`retry_after="7"`)."""
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(status, Headers(fields), body, "https://platform.example/")
