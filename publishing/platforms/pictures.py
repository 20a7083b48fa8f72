"""A story's pictures, fetched to be handed on."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from config.outbound import Client, OutboundError
from publishing.document import Picture
from publishing.errors import Refusal, Wait

MIB = 1024 * 1024
_KINDS = (
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"GIF8", "image/gif", "gif"),
)


@dataclass(frozen=True, slots=True)
class File:
    """A picture's bytes and what they are."""

    content: bytes = field(repr=False)
    content_type: str
    name: str


async def fetched(picture: Picture, http: Client, *, max_bytes: int = 8 * MIB) -> File:
    """The picture, known by its first bytes and not by what its server calls it.

    Nothing has been posted when this raises: `Wait` where it can't be had now, `Refusal` for what
    is no picture that platforms take, or too large.
    """
    try:
        answer = await http.get(picture.src, max_bytes=max_bytes)
    except OutboundError as problem:
        kind = Refusal if problem.permanent else Wait
        raise kind(f"The picture {picture.src} could not be had. {problem}") from problem
    if not answer.ok:
        kind = Wait if answer.status >= 500 or answer.status == 429 else Refusal
        raise kind(f"The picture {picture.src} could not be had ({answer.status}).")
    return file_of(answer.body, picture.src)


def file_of(content: bytes, where: str) -> File:
    """What the bytes are. Raises `Refusal` if they are no JPEG, PNG, GIF or WebP."""
    for start, content_type, ending in _KINDS:
        if content.startswith(start):
            return File(content, content_type, f"picture.{ending}")
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return File(content, "image/webp", "picture.webp")
    raise Refusal(f"The picture {where} is neither JPEG, PNG, GIF nor WebP.")


def as_form(file: File, *, part: str = "file", **fields: str) -> tuple[bytes, str]:
    """A form's body with the file in it under the name `part`, and its Content-Type."""
    return multipart(fields, {part: file})


def multipart(fields: Mapping[str, str], files: Mapping[str, File]) -> tuple[bytes, str]:
    """A form's body with fields and files (RFC 7578), and its Content-Type.

    The boundary is made from the bytes, so that the same pictures are the same request.
    """
    digest = hashlib.sha256(b"".join(file.content for file in files.values())).hexdigest()
    boundary = f"newsdesk-{digest[:32]}"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, file in files.items():
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; '
            f'filename="{file.name}"\r\nContent-Type: {file.content_type}\r\n\r\n'
        )
        parts += [head.encode(), file.content, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"
